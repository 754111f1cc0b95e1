"""The folder that history is kept in: its layout and manifest, writing, proving and reading."""
