"""Expectations against timelines and notifications: the verdict."""
