"""Proving a dataset: what is there is what it should be, and what is not there is told with its reason."""
