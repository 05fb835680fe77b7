"""Tests of an alert, phase after phase, each with the states of the alert that must come of it.

Whether the condition holds at an evaluation is promtool's answer; when the alert is then pending
and firing is worked out here, by the state machine that judges scenarios too. The tests that are
written are then run by promtool's own rules: two ways to the same states. A timeline is only taken
when it does what it is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from verifier.derive.promtool import Question
from verifier.derive.series.worlds import InputSeries, Phase, input_series
from verifier.evaluation.alert_labels import AlertLabels
from verifier.evaluation.alert_states import AlertStates, EvaluationError
from verifier.pack.history_depth import ALERT_STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from verifier.derive.problem import AlertProblem
    from verifier.derive.promtool import Answers
    from verifier.derive.search import Levels, Worlds
    from verifier.derive.series.worlds import Timing
    from verifier.evaluation.alert_labels import Vector
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule

TestKind: TypeAlias = Literal["fires", "threshold", "for", "absent"]
SETTLING: Final = 2
"""Evaluations that a test goes on after what it shows."""
TRIES_MAX: Final = 8
LENGTHS_TRIED: Final = 3


@dataclass(frozen=True, slots=True)
class DerivedTest:
    """One test: its series, and the alerts (`ALERTS`) at some times, in seconds."""

    kind: TestKind
    alert: str
    name: str
    timing: Timing
    series: tuple[InputSeries, ...]
    expected: tuple[tuple[float, tuple[Labels, ...]], ...]


@dataclass(frozen=True, slots=True)
class _Timeline:
    """What came of some phases.

    `states` are the alerts of the name at each evaluation, `own` those of the rule itself, and
    `holds` says when its condition held.
    """

    phases: tuple[Phase, ...]
    series: tuple[InputSeries, ...]
    states: tuple[tuple[Labels, ...], ...]
    own: tuple[tuple[Labels, ...], ...]
    holds: tuple[bool, ...]

    @property
    def fires(self) -> bool:
        return any(_is_firing(state) for state in self.own)


def _is_firing(state: tuple[Labels, ...]) -> bool:
    return any(("alertstate", "firing") in labels for labels in state)


Trying: TypeAlias = "Generator[list[Question], list[Answers], DerivedTest | None]"


@dataclass(slots=True)
class TestMaker:
    """Makes the tests of one way in which an alert fires."""

    problem: AlertProblem
    worlds: Worlds
    suffix: str = ""

    def fires(self) -> Trying:
        """It is silent beside its threshold, fires beyond it, and resolves beside it again."""
        problem = self.problem
        lead = problem.start_steps
        held = problem.wait_steps + 1 + SETTLING
        rest = problem.fill_steps + problem.keep_steps + SETTLING
        backgrounds = [world for near in self.worlds.nears for world in near.worlds]
        for some in (backgrounds[:1], backgrounds[1:TRIES_MAX]):
            tries = [
                (Phase(lead, near), Phase(length, self.worlds.fire), Phase(rest, after))
                for length in (held, held + problem.fill_steps)
                for near in some
                for after in (near, self.worlds.deep)
            ]
            for line in (yield from self._run(tries)):
                if line.fires and not line.own[-1] and not line.own[lead - 1]:
                    return self._test("fires", "fires, then resolves", line)
        return None

    def threshold(self, number: int) -> Trying:
        """It stays silent beside one of its thresholds."""
        near = self.worlds.nears[number]
        steps = self.problem.start_steps + SETTLING
        tries = [(Phase(steps, world),) for world in near.worlds[:TRIES_MAX]]
        timelines = yield from self._run(tries)
        which = f" of condition {number + 1}" if len(self.worlds.nears) > 1 else ""
        for line in timelines:
            if not any(line.own[-SETTLING:]) and not line.fires:
                return self._test("threshold", f"stays silent at the threshold{which}", line)
        return None

    def almost_long_enough(self) -> Trying:
        """Its condition holds for one evaluation too few."""
        wait, fill = self.problem.wait_steps, self.problem.fill_steps
        near = self.worlds.nears[0].worlds[0]
        for before in (near, self.worlds.deep):
            line = yield from self._pending(partial(self._held, before), [wait, wait - fill], 1)
            if line is not None:
                break
        else:
            # A window that is longer than `for` keeps what it has seen, unless most of it is a gap.
            line = yield from self._pending(partial(self._after_gap, near), [fill - wait], -1)
        if line is None:
            return None
        return self._test("for", "is pending, one evaluation too short to fire", line)

    def _pending(
        self, phases: Callable[[int], tuple[Phase, ...]], lengths: list[int], sign: int
    ) -> Generator[list[Question], list[Answers], _Timeline | None]:
        """Return a timeline in which the condition holds for one evaluation too few, if any does.

        `phases` of a length hold for longer with it, or with a `sign` of -1 for shorter.
        """
        wait = self.problem.wait_steps
        for _ in range(LENGTHS_TRIED):
            lengths = [max(length, 1) for length in lengths]
            lines = yield from self._run([phases(length) for length in lengths])
            for line in lines:
                if _longest(line.holds) == wait and not line.fires and not line.own[-1]:
                    return line
            # What a window keeps, or takes to rise, is told by how long it held.
            lengths = [
                length + sign * (wait - _longest(line.holds))
                for length, line in zip(lengths, lines, strict=True)
            ]
        return None

    def _held(self, before: Levels, length: int) -> tuple[Phase, ...]:
        """Return phases in which the condition holds for about `length` evaluations."""
        lead, rest = self.problem.start_steps, self.problem.fill_steps + SETTLING
        return (
            Phase(lead, before),
            Phase(length, self.worlds.fire),
            Phase(rest, self.worlds.deep),
        )

    def _after_gap(self, before: Levels, gap: int) -> tuple[Phase, ...]:
        """Return phases in which one sample stands beyond, `gap` evaluations after the others."""
        lead, rest = self.problem.start_steps, self.problem.fill_steps + SETTLING
        return (
            Phase(lead, before),
            Phase(gap, {}),
            Phase(1, self.worlds.fire),
            Phase(rest, {}),
        )

    def absent(self) -> Trying:
        """Its series end while it fires; or, if it fires for want of them, while it does not."""
        problem = self.problem
        for_want = any(level.kind == "absent" for level in self.worlds.fire.values())
        present = self.worlds.nears[0].worlds[0] if for_want else self.worlds.fire
        rest = problem.fill_steps + problem.lookback_steps + problem.keep_steps + SETTLING
        if for_want:
            rest += problem.wait_steps
        held = problem.start_steps if for_want else problem.start_steps + problem.wait_steps + 1
        timelines = yield from self._run([(Phase(held, present), Phase(rest, {}))])
        [line] = timelines
        if not any(line.own):
            return None
        return self._test("absent", "when its series end", line)

    def _run(
        self, tries: Sequence[tuple[Phase, ...]]
    ) -> Generator[list[Question], list[Answers], list[_Timeline]]:
        problem = self.problem
        step_s = problem.timing.evaluation_s
        all_series = [
            input_series(self.worlds.series, phases, problem.timing, self.worlds.fire)
            for phases in tries
        ]
        questions = [
            Question(
                problem.timing,
                series,
                tuple(
                    (rule.expr, step * step_s)
                    for rule in problem.namesakes
                    for step in range(sum(phase.steps for phase in phases))
                ),
            )
            for phases, series in zip(tries, all_series, strict=True)
        ]
        answers = yield questions
        return [
            _Timeline(phases, series, *_states(problem, each))
            for phases, series, each in zip(tries, all_series, answers, strict=True)
        ]

    def _test(self, kind: TestKind, what: str, line: _Timeline) -> DerivedTest:
        step_s = self.problem.timing.evaluation_s
        count = len(line.states)
        changes = {n for n in range(1, count) if line.states[n] != line.states[n - 1]}
        shown = sorted({0, count - 1, *changes, *(n - 1 for n in changes)})
        return DerivedTest(
            kind,
            self.problem.rule.alert,
            f"{self.problem.rule.alert} {what}{self.suffix}",
            self.problem.timing,
            line.series,
            tuple((step * step_s, line.states[step]) for step in shown),
        )


def _longest(holds: Sequence[bool]) -> int:
    best = run = 0
    for holding in holds:
        run = run + 1 if holding else 0
        best = max(best, run)
    return best


def _states(
    problem: AlertProblem, answers: Answers
) -> tuple[tuple[tuple[Labels, ...], ...], tuple[tuple[Labels, ...], ...], tuple[bool, ...]]:
    """Return the `ALERTS` of all rules of the name at each evaluation, its own, when it holds."""
    count = len(answers) // len(problem.namesakes)
    merged: list[list[Labels]] = [[] for _ in range(count)]
    mine: tuple[tuple[Labels, ...], ...] = ()
    holds: tuple[bool, ...] = ()
    for number, rule in enumerate(problem.namesakes):
        own = answers[number * count : (number + 1) * count]
        states = _states_of(rule, own, problem.timing.evaluation_s)
        if rule is problem.rule:
            mine = tuple(tuple(each) for each in states)
            holds = tuple(bool(answer.vector) for answer in own)
        for step, each in enumerate(states):
            merged[step] += each
    return tuple(tuple(sorted(set(each))) for each in merged), mine, holds


def _states_of(rule: AlertRule, answers: Answers, step_s: float) -> list[list[Labels]]:
    machine, labels = AlertStates(rule), AlertLabels(rule)
    name = ALERT_STATES[0]
    labels.prepare([(dict(pairs), value) for answer in answers for pairs, value in answer.vector])
    result: list[list[Labels]] = []
    for step, answer in enumerate(answers):
        at_ms = round(step * step_s * 1000)
        if not answer.error:
            vector: Vector = [(dict(pairs), value) for pairs, value in answer.vector]
            try:
                machine.evaluate(at_ms, labels.expand(vector))
            except EvaluationError:
                result.append([])
                continue
        stored = [pairs for pairs, _ in machine.samples(epoch_ms=0)]
        result.append([pairs for pairs in stored if dict(pairs)["__name__"] == name])
    return result
