"""The front door: one command per file, progress and tables. Imported by no other room."""
