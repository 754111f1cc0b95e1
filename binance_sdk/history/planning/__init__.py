"""Which pieces make a span of history, where each comes from, and what they cost."""
