"""Every figure this project states, measured by one command: ``python -m benchmarks``."""
