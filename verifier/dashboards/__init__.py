"""Grafana's dashboards, read as Grafana reads them; `verifier.panels` asks what they ask."""
