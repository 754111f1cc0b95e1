"""One call from the arguments of a generated method to its answer."""
