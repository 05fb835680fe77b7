"""The real servers: Prometheus, Alertmanager, the receiver; child processes, clients, health."""
