"""Which parts of a replayed range have no sample of any metric that the alerts read.

Asked when all is replayed. A store whose retention is shorter than the range, that was down, or is
the wrong one answers nothing, and an alert is silent there without having been judged. Asked is how
many series of these metrics there are, every few minutes: one number an instant, in slices. An
instant sees samples as old as the server's lookback, five minutes by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import promql_parser as promql

from verifier.backtest.slices import GivenUp, SlicedQuery
from verifier.evaluation.timeline import Grid
from verifier.promql.parsing import parse
from verifier.promql.printing import quoted, selector_text
from verifier.promql.reads import LOOKBACK_S, all_reads
from verifier.promql.walker import nodes_of
from verifier.servers.prometheus import RefusedQueryError

if TYPE_CHECKING:
    from verifier.backtest.history_server import HistoryServer
    from verifier.backtest.replay import ReplayRequest
    from verifier.pack.rules import RuleFiles

STEP_MIN_S: Final = 15.0
PROBES_MIN: Final = 240
"""A short range is asked about so often, but not more often than every `STEP_MIN_S`."""
PROBES_MAX: Final = 100_000
"""A year is asked about every five minutes, a longer range less often."""
GAP_MIN_S: Final = 600.0
"""What is no longer is left unsaid: metrics scraped every ten minutes are there all the time."""
_EVERYTHING: Final = ".*"


@dataclass(frozen=True, slots=True)
class SampleGaps:
    """The parts of a range without samples, Unix seconds; `unknown` says why they are not known.

    `is_whole`: nothing was stored at any instant of the range.
    """

    spans: tuple[tuple[float, float], ...] = ()
    is_whole: bool = False
    unknown: str = ""

    @property
    def total_s(self) -> float:
        """How long they are together."""
        return sum(end_s - start_s for start_s, end_s in self.spans)


NO_GAPS: Final = SampleGaps()


def sample_gaps(server: HistoryServer, request: ReplayRequest) -> SampleGaps:
    """Ask `server` where it has no sample of what the alerts of `request.rules` read."""
    expr = stored_query(request.rules)
    if not expr:
        return SampleGaps(unknown="only the engine can read what an alert selects")
    step_s = max(STEP_MIN_S, min(request.duration_s // PROBES_MIN, LOOKBACK_S))
    step_s = max(step_s, request.duration_s // PROBES_MAX)
    grid = Grid(0.0, request.duration_s, step_s)
    has_samples = np.zeros(grid.count, dtype=bool)
    query = SlicedQuery(server, expr, grid, epoch_s=request.from_s)
    try:
        for part in query.slices():
            for series in part.answer:
                steps = np.rint((series.times_s - request.from_s) / step_s).astype(np.int64)
                has_samples[steps] = True
            for step in part.failed:
                has_samples[step] = True  # the engine met samples, or nobody knows
    except (RefusedQueryError, GivenUp) as error:
        return SampleGaps(unknown=str(error))
    if not has_samples.any():
        return SampleGaps(((request.from_s, request.to_s),), is_whole=True)
    ends_s = np.append(request.from_s + grid.times_s, request.to_s)
    edges = np.flatnonzero(np.diff(has_samples, prepend=True, append=True))
    spans = [(float(ends_s[first]), float(ends_s[stop])) for first, stop in edges.reshape(-1, 2)]
    return SampleGaps(tuple(span for span in spans if span[1] - span[0] > GAP_MIN_S))


def stored_query(rules: RuleFiles) -> str:
    """Return how many series there are of all metrics that alerts read, nothing where unknown.

    Metrics by name, whatever else a selector asks for: errors that never happened are no gap.
    """
    names: dict[str, None] = {}
    nameless: dict[str, None] = {}
    for expr in dict.fromkeys(rule.expr for _, rule in rules.alerts):
        reads = all_reads(expr)
        names |= dict.fromkeys(
            read.names.pattern for read in reads if read.names.pattern != _EVERYTHING
        )
        if all(read.names.pattern != _EVERYTHING for read in reads):
            continue
        try:
            selectors = nodes_of(parse(expr), promql.VectorSelector)
        except ValueError:
            return ""
        for selector, read in zip(selectors, reads, strict=True):
            if read.names.pattern == _EVERYTHING:
                nameless[selector_text(selector)] = None
    asked = [f"{{__name__=~{quoted('|'.join(names))}}}"] if names else []
    return " or ".join(f"count({selector})" for selector in (*asked, *nameless))
