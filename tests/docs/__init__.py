"""The pages: every code block runs, every command that they name is one, and the built site works in a browser."""
