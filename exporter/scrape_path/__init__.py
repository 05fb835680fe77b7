"""What faults of the observability path do to a scrape, and how that is counted."""
