"""World to Prometheus: the metric catalogue, its pages, the HTTP server, simulated history."""
