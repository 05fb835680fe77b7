"""What Alertmanager makes of a configuration: matchers, routes, time intervals, its own check."""
