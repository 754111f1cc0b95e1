"""A Valkey or Redis that processes share: where it is, and one connection to it; loaded only where it is asked for."""
