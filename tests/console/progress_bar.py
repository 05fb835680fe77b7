"""A bar on a terminal for work that takes minutes; a line a minute where there is none."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

EVERY_S: Final = 60.0
"""Between two lines where there is no terminal."""


class ProgressBar:
    """Counts `what` up to `total` as long as the block lasts, and is gone afterwards."""

    def __init__(
        self,
        console: Console,
        what: str,
        total: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show nothing yet."""
        columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._console, self._what, self._total, self._clock = console, what, total, clock
        self._progress = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._task = self._progress.add_task(what, total=total)
        self._done, self._written_s = 0, clock()

    def __enter__(self) -> Callable[[], None]:
        """Show it; return what is to be called after each."""
        self._progress.start()
        return self._advance

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self._progress.stop()

    def _advance(self) -> None:
        self._done += 1
        self._progress.advance(self._task)
        if not self._console.is_terminal and self._clock() - self._written_s >= EVERY_S:
            self._written_s = self._clock()
            self._console.print(f"{self._what}: {self._done:,} of {self._total:,}")
