"""What a scenario looked like: its chart, drawn from the engine's own answers."""
