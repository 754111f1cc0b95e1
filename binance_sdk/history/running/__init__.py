"""Fetching and keeping the pieces of a plan: here, in other processes, or on other machines."""
