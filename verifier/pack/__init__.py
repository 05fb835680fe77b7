"""Rules, dashboards and routing: read, checked, written; how deep a history they need."""
