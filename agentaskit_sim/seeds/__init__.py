"""Scenarios on many seeds, as a command line asks for them."""
