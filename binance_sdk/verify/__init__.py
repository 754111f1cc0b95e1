"""Compares the exchange, as it answers now, with what the spec says of it."""
