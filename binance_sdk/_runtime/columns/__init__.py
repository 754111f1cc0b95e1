"""Answers and rows as columns, for the libraries of data frames; nothing here is loaded before a frame is asked for."""
