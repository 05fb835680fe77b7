"""Rules, panels and routes held against what is exported, and against what misleads."""
