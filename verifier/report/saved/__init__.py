"""A verdict that was saved, read back, and its failures told at length."""
