"""A near miss of an alert, searched in the simulated world: as much of a fault as stays silent.

Called by the front door, `scenarios near-miss`. A real Prometheus judges every probe.
"""
