"""The metric catalogue and how it becomes series, families and a page."""
