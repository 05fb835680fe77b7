"""`agentaskit-sim send`: a scenario's history, written to a store by remote write."""

from agentaskit_sim.commands.send.command import EXAMPLES, send

__all__ = ["EXAMPLES", "send"]
