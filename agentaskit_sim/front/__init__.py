"""What stands before every command: its words, its help, its completion and its streams."""
