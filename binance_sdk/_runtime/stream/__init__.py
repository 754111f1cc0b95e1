"""Streams: what one is, who owns its connection, and what a consumer is told. Imported when the first one is opened."""
