"""Drives a real Prometheus and judges what it sees: history, timelines, verdicts, reports."""
