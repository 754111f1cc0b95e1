"""What changed between two specs, as those feel it who call the client: ``python -m codegen diff OLD NEW``."""
