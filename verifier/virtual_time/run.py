"""The judge of virtual time: a scenario is simulated, its history is given to a real Prometheus.

Called by the suite, once per scenario. What follows a change is always simulated exactly; steady
states are resampled unless the caller wants everything exact. The verdict states how
much of it was resampled.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from exporter.history.samples import EPOCH_S
from exporter.target import SCRAPE_S
from simulator.cells.system import build_system
from simulator.load import Load
from verifier.alert_texts.fired_texts import fired_texts
from verifier.alert_texts.text_mistakes import text_findings
from verifier.drawing.panel_rows import PanelAnswers
from verifier.drawing.scenario_chart import DrawnScenario
from verifier.evaluation.engine import evaluate
from verifier.evidence.silence import WatchedRun, emptiness_check
from verifier.judge.alert_verdicts import judge, missing_history
from verifier.judge.failures.explanation import FailureExplainer
from verifier.judge.fault_effects import faults_without_effect, measured_effects
from verifier.judge.panel_verdicts import panel_verdicts, verdicts_on_unasked
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.pack.spread import spread
from verifier.panels.answers import PanelWindow, answer_panels
from verifier.panels.emptiness import explained
from verifier.servers.prometheus import Prometheus
from verifier.truth.comparison import TruthOfRun
from verifier.truth.judged_panels import compared
from verifier.virtual_time.delayed_plan import delayed, lead_s
from verifier.virtual_time.past import simulate_past, start_changed
from verifier.virtual_time.progress import ProgressReporter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from exporter.history.samples import History
    from exporter.history.stream import HistoryStream
    from exporter.mapping.metric_mapping import MetricMapping
    from scenarios.scenario import Scenario
    from verifier.judge.verdict import PanelVerdict
    from verifier.pack.panels import LeftOutPanel, Panel
    from verifier.pack.rules import RuleFiles
    from verifier.truth.declared import PanelTruth
    from verifier.truth.ledger import WorldRecord
    from verifier.virtual_time.healthy_world import HealthyWorlds
    from verifier.virtual_time.past import Needs
    from verifier.virtual_time.progress import Report


PROMETHEUS: Final = "prometheus"
"""The engine whose rates are compared with the world: others read a window otherwise."""


@dataclass(frozen=True, slots=True)
class VirtualTimeSetup:
    """Everything that runs in virtual time share: what is evaluated, and the worlds to start from.

    With `exact` nothing but the past is resampled. `longest` is the name and duration of the
    longest scenario of the run; None: the scenario itself. `bundled` are the rule files of the
    pack, which a rule that failed is compared with. `left_out` are panels that nobody asks,
    `truths` is what panels must show. `start_engine` makes the server that judges; where that is a
    Prometheus, the history may be `sparing`: others guess how often was scraped.
    """

    rules: RuleFiles
    panels: Sequence[Panel]
    healthy_worlds: HealthyWorlds
    exact: bool = False
    longest: tuple[str, float] | None = None
    bundled: tuple[Path, ...] = ()
    left_out: Sequence[LeftOutPanel] = ()
    start_engine: Callable[[], Prometheus] = Prometheus
    truths: Sequence[PanelTruth] = ()
    sparing: bool = False


@dataclass(frozen=True, slots=True)
class SimulatedScenario:
    """A scenario simulated to its end: what to push and how it came about.

    `without_effect` are sentences on faults and incidents that had no effect, `effects` is what was
    measured of each fault, by its name; `resampled` are stretches of the scenario (from, to).
    `truth` is what the world itself counted.
    """

    history: History
    exact_s: float
    resampled_s: float
    without_effect: tuple[str, ...]
    effects: Mapping[str, str] = field(default_factory=dict)
    resampled: tuple[tuple[float, float], ...] = ()
    truth: WorldRecord | None = None


def simulate(  # noqa: PLR0913 - what to simulate, and how
    scenario: Scenario,
    needed: Needs,
    healthy_worlds: HealthyWorlds,
    *,
    exact: bool = False,
    scrape_offset_s: float = 0.0,
    mapping: MetricMapping | None = None,
    report: Report | None = None,
    stream: HistoryStream | None = None,
    sparing: bool = False,
) -> SimulatedScenario:
    """Simulate `scenario`, its past included, and record what rules and panels will read.

    Its scrapes come `scrape_offset_s` after every multiple of their interval. With a `mapping` the
    exporter shows what it makes. With a `stream` the history goes there, and is not returned.
    `sparing` as in `simulate_past`: for a Prometheus that is asked what was `needed`.
    """
    delay_s = lead_s(scrape_offset_s)
    past = simulate_past(
        scenario, needed, healthy_worlds, delay_s=delay_s, mapping=mapping, report=report,
        stream=stream, sparing=sparing,
    )  # fmt: skip
    world, pool, simulation = past.world, past.pool, past.simulation
    plan = delayed(scenario.plan, delay_s)
    load = scenario.plan.load
    simulation.exact = exact or load.trace_s is not None
    if load.trace_s is not None:
        # A trace is read when a world is built; a fork would go on with random arrivals.
        world = build_system(scenario.topology, plan, scenario.seed)
        simulation.recorder.continue_from(simulation.recorder.read(world.snapshot()))
        simulation.truth.continue_from(world.snapshot())
    else:
        world = world.fork(plan)
    if load != Load(rate=load.rate) or start_changed(plan.faults):
        pool = None
    simulation.advance(world, 0.0, scenario.duration_s + delay_s, pool)
    if stream is not None:
        stream.flush(simulation.recorder)
    effects = simulation.recorder.effects(world)
    without_effect = (*past.without_effect, *faults_without_effect(world, effects))
    return SimulatedScenario(
        simulation.recorder.history(epoch_s_of(scenario) - delay_s),
        simulation.exact_s,
        simulation.resampled_s,
        without_effect,
        measured_effects(effects),
        tuple((from_s - delay_s, to_s - delay_s) for from_s, to_s in simulation.resampled_spans),
        simulation.truth.world_record(delay_s),
    )


def verify_scenario(scenario: Scenario, setup: VirtualTimeSetup, report: Report) -> ScenarioOutcome:
    """Simulate, push, evaluate, judge. Raises `JudgeError` and `InputError` as its parts do."""
    started_s = time.monotonic()
    rules = setup.rules
    needed = depths(rules, setup.panels)
    offsets = spread(scenario.seed, rules)
    simulated = simulate(
        scenario, needed, setup.healthy_worlds, exact=setup.exact, sparing=setup.sparing,
        scrape_offset_s=offsets.scrape_s, mapping=rules.mapping, report=report,
    )  # fmt: skip
    ProgressReporter(scenario, report).judging(simulated.history.size)
    end_s, epoch_s = scenario.duration_s, epoch_s_of(scenario)
    with setup.start_engine() as server:
        server.push(simulated.history)
        evaluation = evaluate(
            server, rules, start_s=0.0, end_s=end_s, spread=offsets, needed=needed, epoch_s=epoch_s
        )
        watched = WatchedRun(server, rules, epoch_s, end_s, spread=offsets, scrape_s=SCRAPE_S)
        panels = _panels(watched, setup, scenario, simulated.truth)
        names = [rule.alert for _, rule in rules.alerts]
        verdicts = judge(scenario, names, evaluation.timelines)
        drawing = DrawnScenario(watched, scenario, simulated.effects, simulated.resampled, panels)
        drawing.ask(verdicts, evaluation.timelines)
        longest = setup.longest or (scenario.name, scenario.duration_s)
        about_rules = setup.bundled, evaluation.not_judged
        explainer = FailureExplainer(watched, scenario, simulated.effects, longest, *about_rules)
        alerts, findings = explainer.complete(verdicts, evaluation.timelines)
        chart, undrawn = drawing.document(alerts, evaluation.timelines)
        texts = text_findings(rules, fired_texts(server, rules, evaluation.timelines, epoch_s))
    return ScenarioOutcome(
        name=scenario.name,
        seed=scenario.seed,
        engine=Engine(name=server.name, version=evaluation.engine),
        duration_s=scenario.duration_s,
        exact_s=simulated.exact_s,
        resampled_s=simulated.resampled_s,
        wall_s=time.monotonic() - started_s,
        alerts=alerts,
        panels=_panel_verdicts(panels, setup),
        invalid=(*_missing(scenario, setup), *simulated.without_effect),
        findings=(*map(str, evaluation.findings), *findings, *texts, *undrawn),
        not_judged=evaluation.not_judged,
        offsets=offsets,
        chart=chart,
        fault_effects=simulated.effects,
    )


def epoch_s_of(scenario: Scenario) -> float:
    """Return the Unix time of the scenario's start."""
    return EPOCH_S if scenario.starts_at_s is None else scenario.starts_at_s


def _panels(
    watched: WatchedRun, setup: VirtualTimeSetup, scenario: Scenario, truth: WorldRecord | None
) -> PanelAnswers:
    """Ask the panels over the whole scenario: why some show nothing, whether others are true."""
    start_s, end_s = watched.epoch_s, watched.epoch_s + watched.end_s
    window = PanelWindow(start_s, end_s, scrape_s=watched.scrape_s)
    answers = answer_panels(watched.server, setup.panels, window)
    answers = explained(answers, emptiness_check(watched), window)
    if truth is not None and setup.truths and watched.server.name == PROMETHEUS:
        run = TruthOfRun(truth, scenario, watched.epoch_s, window)
        answers = compared(answers, setup.truths, run)
    return PanelAnswers(answers, setup.left_out, scenario.accepted)


def _panel_verdicts(panels: PanelAnswers, setup: VirtualTimeSetup) -> tuple[PanelVerdict, ...]:
    unasked = verdicts_on_unasked(setup.truths, panels.answers, panels.accepted)
    return (*panel_verdicts(panels.answers, panels.accepted), *unasked)


def _missing(scenario: Scenario, setup: VirtualTimeSetup) -> tuple[str, ...]:
    """Why windows are not full, when the scenario asks for less past than they read."""
    depth_s = scenario.past.depth_s
    if depth_s is None:
        return ()
    needed = depths(setup.rules, setup.panels, remembered=False)
    names = {metric.name for metric in setup.rules.metrics}
    # Rules read the series of a histogram, the catalogue lists its name alone.
    names |= {f"{name}_{part}" for name in names for part in ("bucket", "count", "sum")}
    read_s = {name: needed.depth_s(name) for name in names if needed.depth_s(name) > 0}
    return (
        *missing_history(read_s, dict.fromkeys(read_s, depth_s)),
        *(
            f"alert {rule.alert}: its memory (`for` and `keep_firing_for`) of"
            f" {format_duration(rule.for_s + rule.keep_firing_for_s)} needs as much history before"
            f" the start, there is {format_duration(depth_s)}"
            for _, rule in setup.rules.alerts
            if rule.for_s + rule.keep_firing_for_s > depth_s
        ),
    )
