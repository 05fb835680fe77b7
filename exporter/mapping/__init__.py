"""What a mapping makes of the world's metrics: those of another exporter, by a pure transform."""
