"""Asks a running Prometheus what the panels of dashboards ask, and says why one shows nothing."""
