"""One file per command kind: its fields, and how it changes the state."""
