"""Scenarios that are judged on many seeds: the names of their runs, and what all of them show."""
