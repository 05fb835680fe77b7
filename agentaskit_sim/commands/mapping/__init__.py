"""`agentaskit-sim mapping`: the command, as the front door looks for it."""

from agentaskit_sim.commands.mapping.subcommands import EXAMPLES, app

__all__ = ["EXAMPLES", "app"]
