"""Rules evaluated by Prometheus on their own grid, and the alert state machine over the answers."""
