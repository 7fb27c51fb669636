"""What each command may do and why it is refused, read from the rules themselves."""
