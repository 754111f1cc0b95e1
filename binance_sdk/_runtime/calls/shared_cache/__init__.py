"""Answers that processes share through a store; loaded only where it is asked for."""
