"""Whatever bytes come in from outside, they are read, or refused by a documented error: nothing else, and in time."""
