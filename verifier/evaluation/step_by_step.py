"""Rules evaluated as a server does: one evaluation after another, on what is stored by then.

Called by the engine for rules that read themselves, a later rule of their own group, or an instant
that may lie ahead. A second Prometheus is filled along with the evaluations: it never holds a
sample from after the instant, and what a rule records is there for whoever is evaluated next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from exporter.history.samples import Block, History
from verifier.evaluation.rule_samples import chosen_series, last_samples_ms
from verifier.servers.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exporter.history.samples import LabelSet
    from verifier.evaluation.rule_run import RuleRun
    from verifier.servers.prometheus import Prometheus


@dataclass(slots=True)
class _Feed:
    """A part of the history that is read, and how much of it the server holds already."""

    history: History
    delay_ms: int
    block: int = 0
    column: int = 0

    def until(self, at_ms: int) -> Iterator[Block]:
        """Yield what was stored up to `at_ms`, Unix time, and was not yielded before.

        What a group with a query offset records has its stamps that much before its storing.
        """
        while self.block < len(self.history.blocks):
            block = self.history.blocks[self.block]
            stamps = block.timestamps_ms
            end = int(np.searchsorted(stamps, at_ms - self.delay_ms, side="right"))
            if end > self.column:
                part = slice(self.column, end)
                yield Block(stamps[part], block.series, block.values[:, part])
                self.column = end
            if end < len(stamps):
                return
            self.block, self.column = self.block + 1, 0


@dataclass(frozen=True, slots=True)
class StoredHistory:
    """A history that a server holds; each sample was stored `delay_ms` after its own time."""

    history: History
    delay_ms: int = 0


def evaluate_step_by_step(
    runs: Sequence[RuleRun], stored: Sequence[StoredHistory], fresh: Prometheus
) -> None:
    """Evaluate `runs` in the order of their evaluations, on what of `stored` was there by then.

    Evaluations at the same millisecond follow the order of the rules. `fresh` is an empty server,
    which is started and ended here.
    """
    reads = [read for run in runs for read in run.node.reads]
    is_read = cache(lambda name: any(read.matches(name) for read in reads))
    feeds = [
        _Feed(
            chosen_series(entry.history, lambda labels: is_read(dict(labels)["__name__"])),
            entry.delay_ms,
        )
        for entry in stored
    ]
    names = {name for run in runs for name in run.stored_names}
    shared = {name for name in names if is_read(name)}
    last_ms = last_samples_ms([feed.history for feed in feeds])
    with fresh as server:
        for at_ms, run in _evaluations(runs):
            for feed in feeds:
                blocks = list(feed.until(run.epoch_ms + at_ms))
                if blocks:
                    server.append(History(feed.history.series, blocks))
            try:
                answer = server.query(run.node.rule.expr, run.query_s(at_ms))
            except QueryError as error:
                run.fail(at_ms, str(error))
                continue
            vector = [(series.labels, float(series.values[0])) for series in answer]
            samples = run.evaluate(at_ms, vector)
            if samples is not None and shared.intersection(run.stored_names):
                server.append(_in_order(samples, last_ms))
        server.check_stored()


def _in_order(samples: History, last_ms: dict[LabelSet, int]) -> History:
    """Return those of one evaluation's samples that are later than the last of their series.

    A server discards the others: several rules may store the same series.
    """
    at_ms = int(samples.blocks[0].timestamps_ms[0])
    kept = chosen_series(samples, lambda labels: last_ms.get(labels, -1) < at_ms)
    last_ms.update(dict.fromkeys(kept.series, at_ms))
    return kept


def _evaluations(runs: Sequence[RuleRun]) -> Iterator[tuple[int, RuleRun]]:
    """Yield the evaluations of all rules in their order, at milliseconds of the scenario."""
    times = [run.times_ms for run in runs]
    counts = [len(of_run) for of_run in times]
    if not sum(counts):
        return
    owners = np.repeat(np.arange(len(runs)), counts)
    instants = np.concatenate(times)
    for index in np.lexsort((owners, instants)).tolist():
        yield int(instants[index]), runs[owners[index]]
