"""The HTTP server of a world in real time: metrics, health, landing page, discovery, fault API."""
