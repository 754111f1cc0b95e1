"""What a new endpoint or stream begins with: ``python -m codegen new``."""
