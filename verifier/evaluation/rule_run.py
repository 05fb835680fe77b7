"""One rule over all its evaluations: what it stored, which alerts it had, which evaluations failed.

Used by the engine, which asks a Prometheus for the answers, at once or step by step. Pure.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from verifier.evaluation.alert_labels import AlertLabels
from verifier.evaluation.alert_states import AlertStates, EvaluationError
from verifier.evaluation.rule_graph import stored_names
from verifier.evaluation.rule_samples import SampleLog, recorded, recorded_samples
from verifier.pack.rules import AlertRule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import History, LabelSet
    from verifier.evaluation.alert_labels import Vector
    from verifier.evaluation.rule_graph import RuleNode
    from verifier.evaluation.timeline import Grid, State, Timeline
    from verifier.pack.rules import RecordingRule
    from verifier.servers.prometheus import Series


@dataclass(frozen=True, slots=True)
class Failures:
    """Evaluations of a rule since the scenario's start that failed: `count` of `of` all.

    They would have in a server as well. `reason` is that of the first.
    """

    count: int
    of: int
    reason: str


@dataclass(frozen=True, slots=True)
class StateCounts:
    """After how many of `of` evaluations the rule was pending, and firing."""

    of: int
    pending: int
    firing: int


class RuleRun:
    """One rule in the course of its evaluations, at milliseconds of the scenario.

    `epoch_s` is the Unix time of second 0. What the rule stores is kept only if it `stores`.
    Failures count from `start_s` on: before it there may be nothing to fail on.
    """

    def __init__(
        self,
        node: RuleNode,
        grid: Grid,
        *,
        epoch_s: float,
        stores: bool,
        start_s: float = -math.inf,
    ) -> None:
        """Start before the first evaluation of `grid`."""
        self._start_ms = start_s * 1000
        self.node, self.grid, self.epoch_s, self.stores = node, grid, epoch_s, stores
        self.epoch_ms = round(epoch_s * 1000)
        self._log = SampleLog()
        self._stored: History | None = None
        self._failed, self._reason = 0, ""
        self._evaluator = _evaluator(node, self.epoch_ms)

    @property
    def stored_names(self) -> tuple[str, ...]:
        """The metrics that the rule stores."""
        return stored_names(self.node.rule)

    @property
    def times_ms(self) -> NDArray[np.int64]:
        """All evaluations, int64 (n,)."""
        return np.rint(self.grid.times_s * 1000).astype(np.int64)

    @property
    def offset_ms(self) -> int:
        """How long before each evaluation its query asks, and its samples lie."""
        return round(self.node.group.query_offset_s * 1000)

    @property
    def failures(self) -> Failures:
        """The evaluations that failed so far."""
        of = int((self.times_ms >= self._start_ms).sum())
        return Failures(self._failed, of, self._reason)

    @property
    def history(self) -> History | None:
        """All that the rule stored, None if that is nothing."""
        return self._stored or self._log.history()

    @property
    def states(self) -> AlertStates | None:
        """The alerts of the rule, None of a recording rule."""
        return self._evaluator.states

    def timelines(self) -> list[Timeline]:
        """Return the timelines of all alerts of the rule, none of a recording rule."""
        return self._evaluator.timelines()

    def query_s(self, at_ms: int) -> float:
        """Return the Unix time for which an evaluation asks."""
        return (self.epoch_ms + at_ms - self.offset_ms) / 1000

    def evaluate(self, at_ms: int, vector: Vector) -> History | None:
        """Go on to the evaluation at `at_ms`; return what it stored, None if that is nothing."""
        try:
            samples = self._evaluator.evaluate(at_ms, vector, stores=self.stores)
        except EvaluationError as error:
            self.fail(at_ms, str(error))
            return None
        if not self.stores:
            return None
        return self._log.write(self.epoch_ms + at_ms - self.offset_ms, samples)

    def fail(self, at_ms: int, reason: str) -> None:
        """Note that an evaluation failed: nothing is stored, and the states stay as they are."""
        if at_ms >= self._start_ms:
            self._failed += 1
            self._reason = self._reason or reason

    def go_on_from(self, failed: int, reason: str) -> None:
        """Count on from so many failed evaluations, of which the first failed for this reason."""
        self._failed, self._reason = failed, reason

    def evaluate_all(self, answer: Sequence[Series], failed: dict[int, str]) -> None:
        """Go through all evaluations, given the `answer` of a range query on the whole grid.

        `failed` holds the reasons of those steps at which the query failed.
        """
        rule, times_ms = self.node.rule, self.times_ms
        if not isinstance(rule, AlertRule) and not failed and not self.node.group.limit:
            try:
                shift_s = self.offset_ms / 1000
                self._stored = recorded(rule, answer, self.grid, epoch_s=self.epoch_s - shift_s)
            except EvaluationError:
                pass  # at some evaluations only: below, one after another
            else:
                return
        self.evaluate_part(range(len(times_ms)), answer, failed)

    def evaluate_part(
        self, steps: range, answer: Sequence[Series], failed: Mapping[int, str]
    ) -> StateCounts:
        """Go through some evaluations, the next ones, as `evaluate_all` does through all.

        `answer` may hold other steps as well. Returns in which states the rule was after them,
        those before the start left out.
        """
        vectors = self._vectors(answer)
        self._evaluator.forget()
        self._evaluator.prepare([vectors[step] for step in steps if step in vectors])
        states: Counter[State | None] = Counter()
        for step in steps:
            at_ms = round((self.grid.start_s + step * self.grid.interval_s) * 1000)
            if step in failed:
                self.fail(at_ms, failed[step])
            elif step in vectors or self._evaluator.remembers:
                self.evaluate(at_ms, vectors.get(step, []))
            if at_ms >= self._start_ms:
                states[self._evaluator.state] += 1
        return StateCounts(states.total(), states["pending"], states["firing"])

    def _vectors(self, answer: Sequence[Series]) -> dict[int, Vector]:
        """Return the instant vector of each step of the grid that has one."""
        vectors: dict[int, Vector] = {}
        start_s = self.epoch_s - self.offset_ms / 1000 + self.grid.start_s
        for series in answer:
            steps = np.rint((series.times_s - start_s) / self.grid.interval_s).astype(np.int64)
            for step, value in zip(steps.tolist(), series.values.tolist(), strict=True):
                vectors.setdefault(step, []).append((series.labels, value))
        return vectors


class _AlertEvaluator:
    """Evaluates an alerting rule."""

    def __init__(self, rule: AlertRule, *, limit: int, epoch_ms: int) -> None:
        self.states = AlertStates(rule, limit=limit)
        self._labels = AlertLabels(rule)
        self.epoch_ms = epoch_ms

    @property
    def remembers(self) -> bool:
        """Whether an evaluation without an answer changes anything."""
        return self.states.active

    @property
    def state(self) -> State | None:
        return self.states.state

    def forget(self) -> None:
        self._labels.forget()

    def prepare(self, vectors: Sequence[Vector]) -> None:
        self._labels.prepare([sample for vector in vectors for sample in vector])

    def evaluate(self, at_ms: int, vector: Vector, *, stores: bool) -> list[tuple[LabelSet, float]]:
        self.states.evaluate(at_ms, self._labels.expand(vector))
        return self.states.samples(epoch_ms=self.epoch_ms) if stores else []

    def timelines(self) -> list[Timeline]:
        return self.states.timelines()


class _RecordingEvaluator:
    """Evaluates a recording rule."""

    remembers = True  # a series that is gone is marked
    state = states = None

    def __init__(self, rule: RecordingRule, *, limit: int) -> None:
        self._rule, self._limit = rule, limit

    def forget(self) -> None:
        """Nothing is remembered."""

    def prepare(self, vectors: Sequence[Vector]) -> None:
        """Nothing is expanded."""

    def evaluate(
        self, _at_ms: int, vector: Vector, *, stores: bool
    ) -> list[tuple[LabelSet, float]]:
        samples = recorded_samples(self._rule, vector, limit=self._limit)
        return samples if stores else []

    def timelines(self) -> list[Timeline]:
        return []


def _evaluator(node: RuleNode, epoch_ms: int) -> _AlertEvaluator | _RecordingEvaluator:
    if isinstance(node.rule, AlertRule):
        return _AlertEvaluator(node.rule, limit=node.group.limit, epoch_ms=epoch_ms)
    return _RecordingEvaluator(node.rule, limit=node.group.limit)
