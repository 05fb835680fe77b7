"""The front door: a module for each command, and what they print. Imported by no other room."""
