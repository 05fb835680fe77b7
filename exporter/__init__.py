"""World to Prometheus: the metric catalogue, rendering, HTTP and timestamped history."""
