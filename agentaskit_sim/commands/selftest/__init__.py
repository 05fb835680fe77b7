"""`agentaskit-sim selftest`: the command, as the front door looks for it."""

from agentaskit_sim.commands.selftest.running import EXAMPLES, selftest

__all__ = ["EXAMPLES", "selftest"]
