"""Finds the worlds of an alert: levels with which it fires, and just does not.

Backwards first: what the expression says its series must be. Each world is then asked of promtool,
and only what it says counts. Where the answer is another, the aim is moved further to either side;
where that does not help, one selector's value is searched by bisection. A search is a generator: it
yields the questions that it has and goes on with the answers, so that many share one promtool.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from verifier.derive.backwards.aiming import Aiming
from verifier.derive.backwards.targets import Goal
from verifier.derive.problem import condition_paths, or_paths, reads_clock
from verifier.derive.promtool import Question
from verifier.derive.series.leaves import Layout, plan_series
from verifier.derive.series.rounding import KEEPING_OFF, order_counts
from verifier.derive.series.worlds import Phase, input_series

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from verifier.derive.backwards.targets import Mode, Path
    from verifier.derive.problem import AlertProblem
    from verifier.derive.promtool import Answers, TestAnswer
    from verifier.derive.series.leaves import LeafSeries
    from verifier.derive.series.levels import Level

Levels: TypeAlias = "Mapping[str, Level]"


FIRE_SHARES: Final = (0.02, 0.001, 0.05, 0.25, 1.0, 9.0)
"""How far beyond its threshold a value is put so that the alert fires; the first that does."""
NEAR_SHARES: Final = (0.0, 0.005, 0.02, 0.1, 0.5)
"""How far on the silent side of it; the first that is silent."""
BASES: Final = (100.0, 0.0)
"""What is taken away, where nothing else says how much."""
LEADS_S: Final = (0.0, 9.5 * 3600, 3.5 * 3600, 14.5 * 3600, 20.5 * 3600)
"""At which times of promtool's first day an alert that reads the clock is tried."""
CONDITIONS_MAX: Final = 6
VARIANTS_MAX: Final = 4
COUNTS: Final = (3, 10, 20)
"""How many series there are where they are counted."""
GRID: Final = (
    *(0.0, 0.5, 1.0, 2.0, 3.0, 5.0),
    *(sign * 10.0**power for power in range(-4, 13) for sign in (1, -1)),
)
BISECTIONS: Final = 4
LEAVES_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Near:
    """Worlds in which one condition just does not hold, the nearest first."""

    condition: Path
    worlds: tuple[Levels, ...]


@dataclass(frozen=True, slots=True)
class Worlds:
    """How an alert fires, and how it just does not; `deep` is far from it."""

    series: Mapping[str, LeafSeries]
    fire: Levels
    nears: tuple[Near, ...]
    deep: Levels


@dataclass(frozen=True, slots=True)
class NoWorld:
    """Why there is no world in which the alert fires."""

    reason: str


@dataclass(slots=True)
class WorldSearch:
    """The search for one alert's worlds, one for each way in which it can fire."""

    problem: AlertProblem
    last_error: str = ""

    def run(self) -> Generator[list[Question], list[Answers], list[Worlds] | NoWorld]:
        """Return a world for each side of every `or`, at least one."""
        problem = self.problem
        if not problem.leaves:
            return NoWorld("it reads no series")
        paths = tuple(or_paths(problem.tree))[: VARIANTS_MAX - 1]
        variants = [frozenset[tuple[int, ...]](), *(frozenset({path}) for path in paths)]
        results: list[Worlds] = []
        for lead_s in LEADS_S if reads_clock(problem.tree) else LEADS_S[:1]:
            self.problem = replace(problem, lead_s=lead_s)
            for variant in variants:
                worlds = yield from self._variant(variant)
                if worlds is not None:
                    results.append(worlds)
            if results:
                break
        if not results:
            return NoWorld(self.last_error or "no values were found with which it fires")
        return results

    def _variant(
        self, second: frozenset[Path]
    ) -> Generator[list[Question], list[Answers], Worlds | None]:
        partial: Worlds | None = None
        for layout in self._layouts():
            series = plan_series(self.problem.leaves, layout)
            if not series:
                self.last_error = "its matchers leave no series that it could read"
                return None
            for base in BASES:
                hunt = _Hunt(self, series, second, {}, base)
                count = layout.counted_rows
                worlds = yield from (hunt.counted(count) if _is_counted(series) else hunt.aimed())
                if worlds is not None and worlds.nears:
                    return worlds
                partial = partial or worlds
        for layout in (Layout(), Layout(3, 3)):
            hunt = _Hunt(self, plan_series(self.problem.leaves, layout), second, {})
            hunted = yield from hunt.bisected(layout.rows)
            if hunted is not None:
                return hunted
        return partial

    def _layouts(self) -> Iterator[Layout]:
        """Yield how the series may be laid out, the most telling first."""
        series = plan_series(self.problem.leaves, Layout())
        for count in COUNTS if _is_counted(series) else (1,):
            for rows in (2, 1):
                yield Layout(rows, count)
            yield Layout(2, count, lean=True)


def _is_counted(series: Mapping[str, LeafSeries]) -> bool:
    return any(each.counted for each in series.values())


@dataclass(slots=True)
class _Hunt:
    """One try: with these series, and these sides of each `or`."""

    search: WorldSearch
    series: Mapping[str, LeafSeries]
    second: frozenset[Path]
    anchors: dict[str, float]
    base: float = BASES[0]

    def aimed(self) -> Generator[list[Question], list[Answers], Worlds | None]:
        """Goal at every condition's threshold, at its silent side and at both."""
        conditions = self._conditions()
        if not self.anchors:  # a histogram's bounds lie about its threshold, not beside it
            self._levels(dict.fromkeys(conditions, "near"))
        fires = [self._levels({}, fire_share=share) for share in FIRE_SHARES[:1]]
        answers = yield from self._ask(fires)
        if not answers[0].vector:
            self._note(answers[0])
            fires = [self._levels({}, fire_share=share) for share in FIRE_SHARES[1:]]
            answers = yield from self._ask(fires)
        fire = next((w for w, a in zip(fires, answers, strict=True) if a.vector), None)
        if fire is None:
            return None
        return (yield from self._nears(fire, conditions, 1))

    def counted(self, count: int) -> Generator[list[Question], list[Answers], Worlds | None]:
        """Try each number of series that pass what they are counted by."""
        sweep = [self._levels({}, hot=number) for number in range(count + 1)]
        answers = yield from self._ask(sweep)
        fires = [bool(answer.vector) for answer in answers]
        for number, answer in enumerate(answers):
            other = next(
                (n for n in (number - 1, number + 1) if 0 <= n <= count and not fires[n]), None
            )
            self._note(answer)
            if not fires[number] or other is None or answers[other].error:
                continue
            deep = sweep[0] if other < number else sweep[count]
            if fires[0 if other < number else count]:
                deep = sweep[other]
            near = Near((), (sweep[other],))
            more = yield from self._nears(sweep[number], self._conditions(), number)
            return replace(more, nears=(near, *more.nears), deep=deep)
        return None

    def bisected(self, rows: int) -> Generator[list[Question], list[Answers], Worlds | None]:
        """Search one selector's value, all others as they are aimed at.

        Of several `rows` only the first is moved.
        """
        base = self._levels({})
        if rows > 1:
            base = {
                key: replace(level, hot=1, cold=level.value, weights=(1.0,))
                for key, level in base.items()
            }
        for key in list(self.series)[:LEAVES_MAX]:
            if base[key].kind == "absent":
                continue
            is_growing = base[key].kind in ("counter", "stairs")
            values = sorted(v for v in {*GRID, base[key].value} if v >= 0 or not is_growing)
            answers = yield from self._ask([_with_value(base, key, value) for value in values])
            # An answer that is an error is neither: no neighbour is silent because of it.
            fires = [None if answer.error else bool(answer.vector) for answer in answers]
            pair = next(
                (
                    (values[n], values[n + 1]) if fires[n + 1] else (values[n + 1], values[n])
                    for n in range(len(values) - 1)
                    if {fires[n], fires[n + 1]} == {True, False}
                ),
                None,
            )
            if pair is None:
                continue
            silent, firing = pair
            for _ in range(BISECTIONS):
                points = [silent + (firing - silent) * part / 8 for part in range(1, 8)]
                answers = yield from self._ask([_with_value(base, key, each) for each in points])
                ladder = [
                    (silent, False),
                    *(
                        (p, bool(a.vector))
                        for p, a in zip(points, answers, strict=True)
                        if not a.error
                    ),
                    (firing, True),
                ]
                at = next(n for n, (_, fired) in enumerate(ladder) if fired)
                silent, firing = ladder[at - 1][0], ladder[at][0]
            near = _with_value(base, key, silent)
            far = _with_value(base, key, pair[0])
            return Worlds(
                self.series, _with_value(base, key, firing), (Near((), (near, far)),), far
            )
        return None

    def _nears(
        self, fire: Levels, conditions: Sequence[Path], hot: int
    ) -> Generator[list[Question], list[Answers], Worlds]:
        """Return the worlds beside `fire`: for each condition those that are silent."""
        candidates = [
            (path, self._levels({path: "near"}, near_share=share, hot=hot))
            for path in conditions
            for share in NEAR_SHARES
        ]
        candidates += [(path, self._levels({path: "deep"}, hot=hot)) for path in conditions]
        together = self._levels(dict.fromkeys(conditions, "deep"), hot=hot)
        answers = yield from self._ask([*(world for _, world in candidates), together])
        nears = []
        for path in conditions:
            silent = tuple(
                world
                for (each, world), answer in zip(candidates, answers, strict=False)
                if each == path and not answer.vector and not answer.error
            )
            if silent:
                nears.append(Near(path, silent))
        deep_is_silent = not answers[-1].vector and not answers[-1].error
        deep = together if deep_is_silent else nears[0].worlds[-1] if nears else {}
        return Worlds(self.series, fire, tuple(nears), deep)

    def _conditions(self) -> list[Path]:
        problem = self.search.problem
        return list(condition_paths(problem.tree, problem.recordings))[:CONDITIONS_MAX]

    def _levels(
        self,
        modes: Mapping[Path, Mode],
        *,
        fire_share: float = FIRE_SHARES[0],
        near_share: float = 0.0,
        hot: int = 1,
    ) -> Levels:
        goal = Goal(modes, fire_share, near_share, self.second, hot, self.base)
        levels = self._solved(goal)
        if order_counts(self.search.problem.leaves, self.series, levels):
            return self._solved(replace(goal, off=KEEPING_OFF))
        return levels

    def _solved(self, goal: Goal) -> Levels:
        problem = self.search.problem
        return Aiming(goal, self.series, problem.recordings, self.anchors).solve(problem.tree)

    def _ask(
        self, worlds: Sequence[Levels]
    ) -> Generator[list[Question], list[Answers], list[TestAnswer]]:
        """Return what the alert's expression is at the end of each world."""
        problem = self.search.problem
        steps = problem.start_steps + 1
        questions = [
            Question(
                problem.timing,
                input_series(self.series, [Phase(steps, levels)], problem.timing, {}),
                ((problem.rule.expr, (steps - 1) * problem.timing.evaluation_s),),
            )
            for levels in worlds
        ]
        answers = yield questions
        return [each[0] for each in answers]

    def _note(self, answer: TestAnswer) -> None:
        if answer.error:
            self.search.last_error = f"the engine says: {answer.error}"


def _with_value(base: Levels, key: str, value: float) -> Levels:
    return {**base, key: replace(base[key], value=value)}
