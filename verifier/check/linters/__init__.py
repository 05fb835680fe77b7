"""Rules of other linters that make sense without a server, under their own names."""
