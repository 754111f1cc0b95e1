"""The reading side of a stream: from the bytes of a message to typed events in order, for one consumer."""
