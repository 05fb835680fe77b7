"""Shows how far a replay is: one line on a terminal, a line now and then in a log.

On standard error. What remains is estimated from the time that the evaluations so far took.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.status import Status

    from verifier.backtest.replay import Replay

PLAIN_EVERY_S: Final = 10.0


class ReplayProgress:
    """Writes to `console`; `clock` returns seconds."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """Show nothing yet."""
        self._console, self._clock = console, clock
        self._replay: Replay | None = None
        self._status: Status | None = None
        self._started_s = self._printed_s = 0.0
        self._left_first = 0

    @contextmanager
    def over(self, replay: Replay) -> Iterator[None]:
        """Show the progress of `replay` meanwhile."""
        self._replay = replay
        self._left_first = self._left()
        self._started_s = self._printed_s = self._clock()
        alerts = amount(len(replay.alerts), "alerts")
        self.say(f"Replaying {alerts}: {amount(self._left_first, 'evaluations')} to read ...")
        if self._console.is_terminal:
            with self._console.status("") as self._status:
                yield
        else:
            yield

    def show(self) -> None:
        """Show how far it is; without a terminal only every `PLAIN_EVERY_S`."""
        now_s = self._clock()
        if self._status is not None:
            self._status.update(self.line(now_s))
        elif now_s - self._printed_s >= PLAIN_EVERY_S:
            self._printed_s = now_s
            self.say(self.line(now_s))

    def say(self, message: str) -> None:
        """Print a line."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def line(self, now_s: float) -> str:
        """Return how much is done and about how long the rest takes."""
        left = self._left()
        done = self._left_first - left
        share = done / self._left_first if self._left_first else 1.0
        text = f"{share:.0%}, {amount(left, 'evaluations')} left"
        if done:
            rest_s = (now_s - self._started_s) / done * left
            text += f", about {format_duration(round(rest_s))}"
        return text

    def _left(self) -> int:
        return sum(stream.left for stream in self._replay.streams) if self._replay else 0
