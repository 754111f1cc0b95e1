"""What was released, and what the changelog says about it: ``python -m codegen release`` and ``changelog``."""
