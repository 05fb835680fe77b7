"""What a person reads while a command runs."""
