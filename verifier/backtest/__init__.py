"""Rules replayed against the history of a user's own Prometheus: when each would have fired."""
