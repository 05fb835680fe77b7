"""What is drawn on one axis of time, as a document, and the files that draw it."""
