"""The world: a simulated multi-agent orchestrator in virtual time. No Prometheus, no HTTP, no files."""
