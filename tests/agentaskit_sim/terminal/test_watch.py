"""The watch of `up`: what ends a run is raised, after everything that was observed is printed."""

from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from agentaskit_sim.terminal.screen import ScenarioTitle
from agentaskit_sim.terminal.status import Status
from agentaskit_sim.terminal.watch import Watch
from exporter.server.exposition import Exposition
from exporter.server.live_page.stack_board import StackBoard
from simulator.pacer import SystemClock
from tests.agentaskit_sim.terminal.statuses import FIRING_STATUS
from tests.fakes import FakeWorld
from verifier.errors import JudgeError


class ScriptedStack:
    """A stack that shows the statuses of a script."""

    def __init__(self, *statuses):
        """Show these, the last again and again; raise those that are errors."""
        self.statuses, self.started = list(statuses), False

    def start(self):
        """Note it."""
        self.started = True

    def observe(self, _last):
        """Show the next."""
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if isinstance(status, Exception):
            raise status
        return status


def watch(stack, *, terminal=False, board=None):
    """Return a watch of a fake world, and the text it writes."""
    text = io.StringIO()
    exposition = Exposition(FakeWorld(), SystemClock(), version="1", scenario="small")
    console = Console(file=text, width=200, height=24, force_terminal=terminal, highlight=False)
    title = ScenarioTitle(name="small", begins_s=0.0, ends_s=float("inf"), factor=1.0)
    status = Status(exposition, console)
    return Watch(exposition, status, stack, console=console, title=title, board=board), text


@pytest.mark.parametrize("terminal", [False, True])
async def test_what_ends_the_run_is_raised_after_what_was_observed(monkeypatch, terminal):
    """A Prometheus that died ends the watch with its reason; the cursor is there again."""
    monkeypatch.setattr("agentaskit_sim.terminal.watch.OBSERVE_EVERY_S", 0.01)
    stack = ScriptedStack(
        FIRING_STATUS, FIRING_STATUS, FIRING_STATUS, JudgeError("Prometheus ended")
    )
    running, text = watch(stack, terminal=terminal)
    with pytest.raises(JudgeError, match="Prometheus ended"):
        await asyncio.wait_for(running.run(), 20)
    assert stack.started
    assert "PoolExhausted sandbox_type=B FIRES" in text.getvalue()
    if terminal:
        assert text.getvalue().rindex("\x1b[?25h") > text.getvalue().rindex("\x1b[?25l")


async def test_the_page_shows_what_was_observed(monkeypatch):
    """By the board that it was given."""
    monkeypatch.setattr("agentaskit_sim.terminal.watch.OBSERVE_EVERY_S", 0.01)
    board = StackBoard({})
    stack = ScriptedStack(FIRING_STATUS, FIRING_STATUS, FIRING_STATUS, JudgeError("ended"))
    with pytest.raises(JudgeError):
        await asyncio.wait_for(watch(stack, board=board)[0].run(), 20)
    assert [lane.alert for lane in board.lanes] == ["PoolExhausted"]
