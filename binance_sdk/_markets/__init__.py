"""The namespaces of a client, one module for each market, so that a market nobody asks for is not loaded."""
