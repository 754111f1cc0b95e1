"""From bytes to typed answers, or to one error that says what is wrong with them."""
