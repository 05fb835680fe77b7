"""`agentaskit-sim coverage`: its command."""

from agentaskit_sim.commands.coverage.command import EXAMPLES, coverage

__all__ = ["EXAMPLES", "coverage"]
