"""Other engines than Prometheus, judging the same histories, and what differs between two."""
