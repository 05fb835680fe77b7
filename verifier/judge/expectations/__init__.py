"""Expectations that can never hold, found before anything runs."""
