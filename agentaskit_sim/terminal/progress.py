"""Shows the progress of `verify`: one updating block on a terminal, plain lines otherwise.

Always on standard error, so that standard output carries the result alone. It is called from one
thread and draws at most ten times a second; it has no thread of its own, since worker processes are
forked from this process.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from verifier.judge.verdict import Progress, ScenarioOutcome

DRAW_EVERY_S: Final = 0.1
PLAIN_EVERY_S: Final = 10.0
"""Seldom enough for a log file, often enough to see that a run is not stuck."""
_STYLES = {"pass": "green", "fail": "red", "invalid": "yellow"}


class ProgressConsole:
    """Shows the progress of `total` scenarios; a context manager around the run."""

    def __init__(
        self, total: int, console: Console, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write to `console`; `clock` returns seconds."""
        self._total = total
        self._console = console
        self._clock = clock
        self._active: dict[str, Progress] = {}
        self._done = 0
        self._drawn_s = -DRAW_EVERY_S
        self._printed_s: dict[str, float] = {}
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        self.outcomes: list[ScenarioOutcome] = []
        """Of the scenarios judged so far, as they came."""

    def __enter__(self) -> Self:
        """Open the block, on a terminal."""
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the block; nothing of it stays on the screen."""
        if self._live is not None:
            self._live.stop()

    def say(self, message: str) -> None:
        """Print a line, above the block if there is one."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def progress(self, progress: Progress) -> None:
        """Show the progress of a scenario; without a terminal only every `PLAIN_EVERY_S`."""
        name, now_s = progress.scenario, self._clock()
        self._active[name] = progress
        if self._live is not None:
            if now_s - self._drawn_s >= DRAW_EVERY_S:
                self._draw(self._live, now_s)
        elif now_s - self._printed_s.setdefault(name, now_s) >= PLAIN_EVERY_S:
            self._printed_s[name] = now_s
            self.say(f"{name}: {_phrase(progress)}")

    def done(self, outcome: ScenarioOutcome) -> None:
        """Print a scenario's verdict in a line."""
        self._done += 1
        self.outcomes.append(outcome)
        self._active.pop(outcome.name, None)
        count = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
        self._console.print(
            Text.assemble(
                f"{count} {outcome.name:<28} ",
                (f"{outcome.verdict:<7}", _STYLES[outcome.verdict]),
                f" {_took(outcome)}",
            ),
            soft_wrap=True,
        )
        if self._live is not None:
            self._draw(self._live, self._clock())

    def _draw(self, live: Live, now_s: float) -> None:
        self._drawn_s = now_s
        table = Table.grid(padding=(0, 2))
        for name, progress in sorted(self._active.items()):
            table.add_row(self._spinner, name, _phrase(progress))
        head = Text(f"{self._done} of {self._total} scenarios judged", style="bold")
        live.update(Group(head, table), refresh=True)


def _took(outcome: ScenarioOutcome) -> str:
    """Return how much time was simulated and how, in how much wall clock time."""
    wall = f"in {outcome.wall_s:.1f}s"
    if outcome.clock == "real":
        compressed = f"compressed {outcome.compress:g} times"
        pace = compressed if outcome.compress > 1 else "not compressed"
        return f"{format_duration(round(outcome.duration_s))} {wall}, in real time, {pace}"
    exact, resampled = (
        format_duration(round(seconds)) for seconds in (outcome.exact_s, outcome.resampled_s)
    )
    return f"{exact} event by event, {resampled} resampled, {wall}"


def _phrase(progress: Progress) -> str:
    if progress.of_s <= 0:
        return progress.phase
    at, of = format_duration(round(progress.virtual_s)), format_duration(round(progress.of_s))
    speed = progress.times_real_time
    over_s = round(progress.virtual_s - progress.of_s)
    if over_s > 0:
        over = format_duration(over_s)
        return f"{progress.phase}, {over} past its end at {of}: what is still due is waited for"
    return f"{progress.phase} {at} of {of}" + (f", {speed:,.0f} times real time" if speed else "")
