"""Levels of series with which an expression holds, solved from the outside in."""
