"""A long range of evaluations read in slices: so many at a time as an answer holds in bounds.

Called by the replay for each expression. A slice has at most 10,000 evaluations, and about
`SAMPLES_MAX` samples; the next one is longer or shorter by what the last one held. An evaluation
that fails by itself is named as failed, as the engine's own evaluation does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from verifier.backtest.history_server import SliceTooLong
from verifier.errors import JudgeError
from verifier.servers.prometheus import QueryError, RangeQuery, RefusedQueryError
from verifier.servers.prometheus.client import POINTS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.backtest.history_server import HistoryServer
    from verifier.evaluation.timeline import Grid
    from verifier.servers.prometheus import Series

POINTS_FIRST: Final = 250
"""Evaluations of the first slice, when nobody knows how many series there are."""
SAMPLES_MAX: Final = 150_000
"""A slice that holds fewer than half of them is followed by one of twice the length."""
FAILURES_MAX: Final = 500
"""Evaluations that fail one after another, each of which takes a request, before giving up."""


class GivenUp(Exception):  # noqa: N818 - of one rule alone; the others go on
    """An expression that fails again and again; the message says why."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The answer for the evaluations `steps` of a grid, or why they failed."""

    steps: range
    answer: Sequence[Series]
    failed: dict[int, str]


class SlicedQuery:
    """An expression on a grid whose second 0 is `epoch_s` of Unix time."""

    def __init__(self, server: HistoryServer, expr: str, grid: Grid, *, epoch_s: float) -> None:
        """Read nothing yet."""
        self._server, self._expr, self._grid, self._epoch_s = server, expr, grid, epoch_s
        self._points, self._points_max = POINTS_FIRST, POINTS_MAX

    def slices(self, first: int = 0) -> Iterator[Slice]:
        """Yield slice after slice from the evaluation `first` on.

        Raises RefusedQueryError, GivenUp, and JudgeError as the server does.
        """
        failures = 0
        while first < self._grid.count:
            part = self._read(first)
            failures = failures + 1 if part.failed else 0
            if failures >= FAILURES_MAX:
                reason = part.failed[part.steps.start]
                raise GivenUp(f"{failures} evaluations in a row fail: {reason}")
            yield part
            first = part.steps.stop

    def _read(self, first: int) -> Slice:
        """Return the next slice, as long as the server and the bound allow."""
        while True:
            steps = range(first, min(first + self._points, self._grid.count))
            try:
                answer = self._server.query_range(self._query(steps))
            except RefusedQueryError:
                raise
            except QueryError as error:
                if len(steps) == 1:
                    return Slice(steps, (), {first: str(error)})
            except SliceTooLong:
                if len(steps) == 1:
                    raise JudgeError(
                        "the answer for a single evaluation is too long, or takes the server too"
                        f" long: narrow the expression {self._expr}"
                    ) from None
                self._points_max = len(steps) // 2
            else:
                samples = sum(len(series.values) for series in answer)
                if 2 * samples <= SAMPLES_MAX:
                    self._points = min(2 * self._points, self._points_max)
                elif samples > SAMPLES_MAX:
                    self._points = max(1, self._points // 2)
                return Slice(steps, answer, {})
            self._points = max(1, len(steps) // 2)

    def _query(self, steps: range) -> RangeQuery:
        grid = self._grid
        start_s = self._epoch_s + grid.start_s + steps.start * grid.interval_s
        end_s = start_s + (len(steps) - 1) * grid.interval_s
        return RangeQuery(self._expr, start_s, end_s, grid.interval_s)
