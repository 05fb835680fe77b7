"""A verdict that was saved, read back, and its failures explained at length."""
