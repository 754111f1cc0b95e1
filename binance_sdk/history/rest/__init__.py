"""History over REST: what the archive does not have yet, or never had."""
