"""Shows how far a history is: one line on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Self

from documents.amounts import amount
from documents.durations import format_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.status import Status

    from verifier.judge.verdict import Progress
    from verifier.stores.sender import Sender

PLAIN_EVERY_S: Final = 10.0


class SendProgress:
    """Writes to `console`, on standard error; `clock` returns seconds."""

    def __init__(
        self, console: Console, duration_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Show nothing yet."""
        self._console, self._duration_s, self._clock = console, duration_s, clock
        self._status: Status | None = None
        self._printed_s = clock()
        self._taken = self._confirmed = 0

    def __enter__(self) -> Self:
        """Begin the line, on a terminal."""
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Remove the line; of a run that ended early, say what it leaves behind."""
        if self._status is not None:
            self._status.stop()
        if kind is not None and self._taken:
            taken = amount(self._taken, "samples")
            self.say(
                f"Ended early: {taken} were taken, and stay there; {self._confirmed:,} of them"
                " were found again"
            )

    def say(self, message: str) -> None:
        """Print a line; several threads do."""
        self._console.print(message, markup=False, highlight=False, soft_wrap=True)

    def report(self, progress: Progress) -> None:
        """Show how far the simulation is."""
        at, whole = format_duration(round(progress.virtual_s)), format_duration(self._duration_s)
        self._show(f"{progress.phase}: {at} of {whole}")

    def watch(self, sender: Sender) -> None:
        """Show what is there, of what was sent."""
        self._taken, self._confirmed = sender.sent, sender.confirmed
        self._show(f"{amount(self._taken, 'samples')} taken, {self._confirmed:,} found again")

    def _show(self, line: str) -> None:
        now_s = self._clock()
        if self._status is not None:
            self._status.update(line)
        elif now_s - self._printed_s >= PLAIN_EVERY_S:
            self._printed_s = now_s
            self.say(line)
