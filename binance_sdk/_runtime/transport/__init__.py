"""How a request travels: one small protocol, and the two libraries that speak it."""
