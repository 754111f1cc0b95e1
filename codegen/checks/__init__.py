"""What must hold between nodes of the spec, and the rules of the house."""
