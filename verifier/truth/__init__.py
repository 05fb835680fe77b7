"""What the world itself counted, and whether panels of dashboards say the same."""
