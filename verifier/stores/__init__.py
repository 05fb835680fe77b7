"""Histories written to a store of the user by remote write, and asked for again."""
