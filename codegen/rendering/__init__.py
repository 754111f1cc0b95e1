"""The spec as views, and the views through templates into files."""
