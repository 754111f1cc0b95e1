"""The exchange itself against ``spec/``, for whoever keeps the spec."""
