"""The built site, served on loopback and opened in a real browser; ``make docs`` builds it and runs these."""
