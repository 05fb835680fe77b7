"""Shows a person how a world in real time and its stack are doing: a block, or plain lines.

On a terminal the block stands below a log of what changed; on a pipe there is the log, and a status
line now and then. The stack is observed in a thread, so that a server that does not answer delays
nothing. The `StatusReporter` of `up`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

from rich.live import Live as Block

from agentaskit_sim.terminal.notices import count_alerts, notice_stack
from agentaskit_sim.terminal.screen import ScreenContent, render
from agentaskit_sim.terminal.stack_view import show_on
from agentaskit_sim.terminal.status import OBSERVE_EVERY_S, READINGS_PER_PLAIN_LINE
from verifier.real_time.environment import StackStatus

if TYPE_CHECKING:
    from rich.console import Console

    from agentaskit_sim.terminal.screen import ScenarioTitle
    from agentaskit_sim.terminal.status import Status, StatusReading
    from exporter.server.exposition import Exposition
    from exporter.server.live_page.stack_board import StackBoard


class ObservedStack(Protocol):
    """The servers around a world; called from a thread, may wait."""

    def start(self) -> None:
        """Do what is to be done once, when the world is served."""

    def observe(self, last: StackStatus) -> StackStatus:
        """Return the status of now; raises when the run cannot go on."""


class Watch:
    """Shows a person on `console` how a world and its stack are doing; `run` once."""

    def __init__(  # noqa: PLR0913 - three of them are by name only
        self,
        exposition: Exposition,
        status: Status,
        stack: ObservedStack,
        *,
        console: Console,
        title: ScenarioTitle,
        board: StackBoard | None = None,
    ) -> None:
        """Take the `status` that prints what the world alone does.

        On the `board`, if there is one, the page of the world shows the stack as well.
        """
        self._board = board
        self._exposition, self._status, self._stack = exposition, status, stack
        self._console, self._title = console, title
        self._block = Block(console=console, auto_refresh=False, transient=True)
        self._observed = self._shown = StackStatus()
        self._began_s = time.time() - exposition.pace().elapsed_s

    def say(self, sentence: str) -> None:
        """Print a line of its own, with the time."""
        self._status.say(sentence)

    async def run(self) -> None:
        """Start the stack, then observe and show until cancelled."""
        observing = asyncio.create_task(self._observe())
        try:
            with self._block if self._console.is_terminal else nullcontext():
                await self._show(observing)
        finally:
            observing.cancel()

    async def _observe(self) -> None:
        await asyncio.to_thread(self._stack.start)
        while True:
            self._observed = await asyncio.to_thread(self._stack.observe, self._observed)
            await asyncio.sleep(OBSERVE_EVERY_S)

    async def _show(self, observing: asyncio.Task[None]) -> None:
        readings = 0
        while True:
            await asyncio.wait([observing], timeout=OBSERVE_EVERY_S)
            if observing.done():
                observing.result()
            reading, readings = self._status.observe(), readings + 1
            for sentence in notice_stack(self._shown, self._observed):
                self.say(sentence)
            self._shown = self._observed
            if self._board is not None:
                show_on(self._board, self._shown, time.time())
            if self._console.is_terminal:
                block = render(self._content(reading), self._console.height)
                self._block.update(block, refresh=True)
            elif readings % READINGS_PER_PLAIN_LINE == 0:
                alerts, notified = count_alerts(self._shown.alerts), len(self._shown.notifications)
                following = self._title.next_fault(reading.now.time_s).removeprefix(", ")
                line = f"{reading.line}  alerts: {alerts}  notifications: {notified}"
                line += f"  next: {following}" if following else ""
                self._console.print(line, markup=False)

    def _content(self, reading: StatusReading) -> ScreenContent:
        return ScreenContent(
            title=self._title.title(reading.now.time_s),
            reading=reading,
            stack=self._shown,
            scrapes=self._exposition.scrapes_served,
            began_s=self._began_s,
            now_s=time.time(),
        )
