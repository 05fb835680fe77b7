"""The world: a simulated multi-agent orchestrator in virtual time. No HTTP, no files."""
