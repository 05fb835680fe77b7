"""What an alert says to whoever it notifies, and whether that can be read."""
