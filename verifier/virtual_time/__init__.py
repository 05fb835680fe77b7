"""A scenario and its past simulated in virtual time, and judged."""
