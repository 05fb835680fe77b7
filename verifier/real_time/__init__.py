"""A scenario run in real time on a real stack, and judged as far as the receiver."""
