"""What is exported: names, types and label sets, of our catalogue or of a /metrics page."""
