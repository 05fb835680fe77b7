"""The whole search: the boundary on one seed, a safe margin on all, and the scenario to save.

Called by the front door, which holds the files and shows the progress. Nothing is taken on trust:
what is returned was judged once more as it will be read, by every rule, on every seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from documents.amounts import amount
from documents.mistakes import InputError
from scenarios.loader import parse_scenario
from verifier.coverage.observing import CoverageJudge
from verifier.errors import JudgeError
from verifier.near_miss.choice import threshold_refusal
from verifier.near_miss.margin import SafeValue, margins, safe_value, seed_result
from verifier.near_miss.probing import ProbedScenario, ProbeJudge, has_fired_in, rules_of
from verifier.near_miss.scenario_text import moved, scenario_text
from verifier.near_miss.search import BoundarySearch, NoNearMissError, Probe
from verifier.suite import run_suite
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenarios.scenario import Scenario
    from verifier.coverage.cells import MissedCell
    from verifier.judge.verdict import Progress, ScenarioOutcome
    from verifier.near_miss.knobs import Knob
    from verifier.near_miss.margin import SeedResult
    from verifier.near_miss.search import Boundary
    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import RuleFiles
    from verifier.suite import Judge

COMPLETE_MAX: Final = 3
"""How many values are judged by every rule: one that holds alone rarely fails there."""
OF: Final[dict[MissedCell, str]] = {"near_threshold": "threshold", "near_for": "`for`"}


class SearchWatcher(Protocol):
    """Shows how a search goes."""

    def say(self, message: str) -> None:
        """Print a line."""

    def progress(self, progress: Progress) -> None:
        """Show the progress of a run."""

    def done(self, outcome: ScenarioOutcome) -> None:
        """Note that a run is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What is searched: the near miss `cell` of `alert`, by `knob` of a scenario.

    `document` is the scenario as its file has it; `target` is where the result is to stand.
    """

    scenario: Scenario
    document: Mapping[str, Any]
    target: Path
    schema: str | None
    rules: RuleFiles
    routing: Routing
    alert: str
    knob: Knob
    cell: MissedCell
    seeds: tuple[int, ...]
    low: float | None = None
    high: float | None = None
    probes_max: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A near miss that holds: its boundary, its value, what each seed showed, and its file.

    `explained` are other alerts that fire in it as well.
    """

    request: SearchRequest
    boundary: Boundary
    safe: SafeValue
    results: tuple[SeedResult, ...]
    text: str
    explained: tuple[str, ...]


@dataclass(slots=True)
class NearMissSearch:
    """One search; healthy worlds are simulated once for each seed."""

    request: SearchRequest
    watcher: SearchWatcher
    jobs: int
    healthy_worlds: HealthyWorlds = field(default_factory=HealthyWorlds)

    def run(self) -> NearMiss:
        """Return the near miss; raise `NoNearMissError` where there is none."""
        request = self.request
        search = BoundarySearch(request.knob, self._probe, request.probes_max)
        boundary = search.between(request.low, request.high)
        edge = boundary.silent
        if request.cell == "near_threshold":
            edge = search.never_held(boundary)
        values = margins(request.knob, edge.value, self._step(), upwards=boundary.upwards)
        restricted = rules_of(request.rules, request.alert)
        results: tuple[SeedResult, ...] = ()
        for _ in range(COMPLETE_MAX):
            safe = safe_value(values, partial(self._judged_alone, restricted))
            if not isinstance(safe, SafeValue):
                raise NoNearMissError(self._no_margin(boundary, safe or results))
            text, results, explained = self._complete(safe.value)
            if all(each.complaint is None for each in results):
                return NearMiss(
                    request=request, boundary=boundary, safe=safe, results=results, text=text,
                    explained=explained,
                )  # fmt: skip
        raise NoNearMissError(self._no_margin(boundary, results))

    def _step(self) -> float:
        """Return the least difference that counts: half an evaluation of a time, else nothing."""
        request = self.request
        if request.knob.unit != "time" or request.cell != "near_for":
            return 0.0
        return max(g.interval_s for g, r in request.rules.alerts if r.alert == request.alert) / 2

    def _probe(self, value: float) -> Probe:
        """Probe one value, on the scenario's own seed."""
        request, knob = self.request, self.request.knob
        scenario = self._scenario(knob.turned({**request.document, "expectations": []}, value))
        (outcome,) = self._run([scenario], ProbeJudge(request.rules, request.alert))
        at = f"{knob.subject} {knob.text(value)}"
        if not isinstance(outcome, ProbedScenario) or outcome.not_judged:
            reasons = [*outcome.invalid, *(each.reason for each in outcome.not_judged)]
            raise JudgeError(f"{at}: {'; '.join(reasons)}")
        nearness = outcome.nearness
        if request.cell == "near_threshold" and (nearness is None or nearness.threshold is None):
            refusal = threshold_refusal(request.rules, request.alert)
            no_value = f"the condition of {request.alert} has no value at {at}: nothing is near"
            raise NoNearMissError(refusal or no_value)
        came = f": {nearness.words}" if nearness else ""
        self.watcher.say(f"{at}: {'fires' if outcome.fired else 'silent'}{came}")
        return Probe(value, outcome.fired, nearness, outcome.held)

    def _judged_alone(self, rules: RuleFiles, value: float) -> tuple[SeedResult, ...]:
        """Return what each seed shows of a value, with no rules but those of the alert."""
        request = self.request
        silent = [{"alert": request.alert, "silent": True}]
        document = request.knob.turned({**request.document, "expectations": silent}, value)
        results, _ = self._on_seeds(self._scenario(document), rules)
        holding = sum(each.complaint is None for each in results)
        wrong = next((f": seed {e.seed}: {e.complaint}" for e in results if e.complaint), "")
        at = f"{request.knob.subject} {request.knob.text(value)}"
        seeds = amount(len(results), "seeds")
        self.watcher.say(f"{at}: a near miss on {holding} of {seeds}{wrong}")
        return results

    def _complete(self, value: float) -> tuple[str, tuple[SeedResult, ...], tuple[str, ...]]:
        """Return the text of the scenario, what every rule makes of it, and what is explained."""
        request = self.request
        names = {rule.alert for _, rule in request.rules.alerts}
        expected = [
            each
            for each in request.document.get("expectations", [])
            if each["alert"] in names - {request.alert}
        ]
        explained: tuple[str, ...] = ()
        for _ in range(2):
            text, scenario = self._written(value, expected, explained)
            results, outcomes = self._on_seeds(scenario, request.rules)
            others = {
                verdict.alert
                for outcome in outcomes
                for verdict in outcome.alerts
                if not verdict.ok and verdict.alert != request.alert
            }
            if not others:
                break
            # What merely happens as well is no expectation of this scenario.
            expected = [each for each in expected if each["alert"] not in others]
            fired = {n for n in others if any(has_fired_in(each, n) for each in outcomes)}
            explained = tuple(sorted({*explained, *fired}))
        return text, results, explained

    def _written(
        self, value: float, expected: Sequence[dict[str, Any]], explained: Sequence[str]
    ) -> tuple[str, Scenario]:
        """Return the text of the scenario with these expectations, and what it is read as."""
        request = self.request
        source = Path(request.scenario.path)
        document = moved(request.knob.turned(request.document, value), source, request.target)
        document |= {"name": request.target.stem, "seed": request.scenario.seed}
        document["story"] = self._story(value)
        silent = {"alert": request.alert, "silent": True}
        why = f"it fires as well; this scenario is about {request.alert}"
        also = [{"alert": name, "explained": why} for name in explained]
        for kept in (expected, ()):
            document["expectations"] = [silent, *kept, *also]
            text = scenario_text(document, request.schema)
            try:
                return text, parse_scenario(text, str(request.target))
            except InputError:
                if not kept:
                    raise
        raise AssertionError("the last round returns or raises")

    def _story(self, value: float) -> str:
        request, knob = self.request, self.request.knob
        return (
            f"As {request.scenario.name}, but with {knob.subject} at {knob.text(value)}:"
            f" {request.alert} comes near to its {OF[request.cell]}, and must not fire."
            " The value was searched, not chosen, and holds on seeds"
            f" {', '.join(map(str, request.seeds))}."
        )

    def _scenario(self, document: Mapping[str, Any]) -> Scenario:
        return parse_scenario(scenario_text(document), self.request.scenario.path)

    def _on_seeds(
        self, scenario: Scenario, rules: RuleFiles
    ) -> tuple[tuple[SeedResult, ...], list[ScenarioOutcome]]:
        """Return what coverage makes of a scenario on each seed, and the outcomes."""
        request = self.request
        seeded = [replace(scenario, seed=seed) for seed in request.seeds]
        judge = CoverageJudge(rules, request.routing)
        outcomes = self._run(seeded, judge)
        numbers = [n for n, (_, r) in enumerate(rules.alerts) if r.alert == request.alert]
        return tuple(seed_result(each, numbers, request.cell) for each in outcomes), outcomes

    def _run(
        self, scenarios: Sequence[Scenario], judge: ProbeJudge | CoverageJudge
    ) -> list[ScenarioOutcome]:
        # Simulated here and not in the workers, which would each do it again for every value.
        self.healthy_worlds.prepare(scenarios)
        for scenario in scenarios:
            self.healthy_worlds.start_of(scenario)
        bound: Judge = partial(judge, self.healthy_worlds)
        return run_suite(scenarios, bound, self.watcher, jobs=self.jobs)

    def _no_margin(self, boundary: Boundary, results: Sequence[SeedResult]) -> str:
        """Say that no margin makes a near miss, and why."""
        knob, request = self.request.knob, self.request
        silent, firing = (knob.text(p.value) for p in (boundary.silent, boundary.firing))
        wrong = next((f": seed {e.seed}: {e.complaint}" for e in results if e.complaint), "")
        return (
            f"{knob.subject} is silent at {silent} and fires at {firing}, but no value beside that"
            f" is a near miss of the {OF[request.cell]} on every seed{wrong}; a longer fault keeps"
            " the value near for longer, --parameter duration searches the `for`"
        )
