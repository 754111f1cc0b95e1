"""Small mistakes put into the code on purpose: the suite has to notice each. ``make mutants``."""
