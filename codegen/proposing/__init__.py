"""From what `verify` found to the change of the spec that makes it true again."""
