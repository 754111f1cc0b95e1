"""The strict model of the spec: what a file below ``spec/`` may say, and all of it together as one value."""
