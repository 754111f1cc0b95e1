"""The pure core of the order book."""
