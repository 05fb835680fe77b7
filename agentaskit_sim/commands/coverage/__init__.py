"""`agentaskit-sim coverage`, and the search for a near miss that `scenarios near-miss` does."""

from agentaskit_sim.commands.coverage.command import EXAMPLES, coverage

__all__ = ["EXAMPLES", "coverage"]
