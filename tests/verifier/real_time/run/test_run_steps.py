"""Each step of a run in real time, with stand-ins for its stack."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from documents.mistakes import InputError
from tests.verifier.simulations import scenario_of
from verifier.judge.verdict import Engine, Progress, ScenarioOutcome
from verifier.pack.spread import WHOLE
from verifier.real_time import run as module
from verifier.real_time.run import RealTimeRun, RealTimeSetup
from verifier.scenario_clock import ScenarioClock
from verifier.time_compression import TimeCompression

PLAIN = scenario_of(
    "duration: 5m\nload: {rate: 100}\n"
    "expectations:\n"
    "- {alert: A, fires_within: 2m}\n"
    "- {alert: B, fires_within: 2m, resolves_within: 40s}\n"
    "- {alert: C, fires_within: 2m, resolves_within: 60s}\n"
)
RULES, PANELS, LEFT_OUT = object(), object(), object()
START_S = 1000.0


def run_of(scenario=PLAIN, *, factor=1.0, **options):
    """Return a run whose reports are in `reports`."""
    setup = RealTimeSetup(RULES, PANELS, None, TimeCompression(factor), **options)
    reports = []
    run = RealTimeRun(scenario, setup, reports.append)
    run.reports = reports
    return run


@pytest.mark.parametrize(
    ("factor", "limit_s", "until_s", "cut"),
    [
        (1.0, math.inf, 300.0, False),
        (1.0, 300.0, 300.0, False),
        (1.0, 299.0, 299.0, True),
        (30.0, 10.0, 300.0, False),
        (30.0, 9.0, 270.0, True),
    ],
)
def test_a_run_ends_with_its_scenario_or_at_its_limit(factor, limit_s, until_s, cut):
    """The limit is in real seconds; reports are in those of the scenario."""
    run = run_of(factor=factor, limit_s=limit_s)
    assert (run.until_s, run.cut) == (until_s, cut)
    assert run.scenario.duration_s == until_s
    run._report("running", 12.0)
    assert run.reports == [
        Progress(scenario="written", phase="running", virtual_s=12.0, of_s=until_s,
                 times_real_time=factor)
    ]  # fmt: skip


def test_both_clocks_are_not_compared_of_several_cells():
    """Refused before anything starts; one clock may judge them."""
    cells = replace(PLAIN, topology=replace(PLAIN.topology, cells=2))
    with pytest.raises(InputError):
        run_of(cells, both=True)
    assert run_of(cells).scenario.topology.cells == 2


NO_WORD = {"ok": False, "must_resolve": False, "must_notify": False}
RIGHT = {**NO_WORD, "ok": True}
LATE = {**NO_WORD, "must_resolve": True}
OWED = {**RIGHT, "must_notify": True}


@pytest.mark.parametrize(
    ("factor", "limit_s", "seen", "observed_s"),
    [
        (1.0, math.inf, [RIGHT], [0.0]),
        (1.0, math.inf, [OWED, OWED, RIGHT], [0.0, 0.5, 1.0]),
        (1.0, math.inf, [NO_WORD] * 9, [0.0, 0.5]),
        (1.0, math.inf, [OWED, {**NO_WORD, "must_notify": True}, NO_WORD], [0.0, 0.5, 1.0]),
        (1.0, math.inf, [LATE] * 200, [each / 2 for each in range(122)]),
        (10.0, math.inf, [LATE] * 99, [each / 2 for each in range(41)]),
        (100.0, math.inf, [NO_WORD] * 99, [each / 2 for each in range(32)]),
        (1.0, 299.0, [{**LATE, "must_notify": True}], [0.0]),
    ],
    ids=[
        "right",
        "owed",
        "wrong",
        "owed and wrong",
        "must resolve",
        "compressed",
        "inertia",
        "cut",
    ],
)
async def test_after_its_end_a_run_waits_for_what_is_still_due(
    monkeypatch, factor, limit_s, seen, observed_s
):
    """Half a second at a time: what must resolve, the world's inertia, notifications."""
    run = run_of(factor=factor, limit_s=limit_s)
    clock = ScenarioClock(START_S, factor)
    end_s = clock.unix_s(run.until_s)
    now = SimpleNamespace(time=lambda: now.at_s, at_s=end_s - 0.1)
    monkeypatch.setattr(module, "time", now)
    answers = iter([SimpleNamespace(**each) for each in seen])
    asked_s, observations = [], []

    def observe(scenario, at_s):
        assert scenario is run.scenario
        asked_s.append(at_s - end_s)
        observations.append(next(answers, None))
        assert observations[-1] is not None, "it waits for longer than it should"
        return observations[-1]

    async def watch(_, exposition, *, until_s):
        assert exposition == "exposition"
        now.at_s = clock.unix_s(until_s)

    monkeypatch.setattr(run, "_watch", watch)
    observer = SimpleNamespace(clock=clock, observe=observe)
    assert await run._await_end(observer, "exposition") is observations[-1]
    assert asked_s == pytest.approx(observed_s)


async def test_a_run_is_watched_through_its_lead_checked_and_watched_to_its_end(monkeypatch):
    """In this order; what it has come to is what there is at the end."""
    run, steps = run_of(limit_s=200.0), []

    async def watch(*_, until_s):
        steps.append(until_s)

    async def await_end(*arguments):
        steps.append(arguments)
        return "observation"

    monkeypatch.setattr(run, "_watch", watch)
    monkeypatch.setattr(run, "_check_start", lambda *arguments: steps.append(("check", *arguments)))
    monkeypatch.setattr(run, "_await_end", await_end)
    assert await run._run_scenario("observer", "exposition") == "observation"
    both = ("observer", "exposition")
    assert steps == [0.0, ("check", *both), 200.0, both]


def test_at_the_start_the_stack_of_the_lead_and_the_lag_of_the_world_are_checked(monkeypatch):
    """Of the run's own Prometheus."""
    run, checked = run_of(), []
    monkeypatch.setattr(
        run, "validity", SimpleNamespace(check_start=lambda *a, **k: checked.append((a, k)))
    )
    observer = SimpleNamespace(
        stack=SimpleNamespace(prometheus="prometheus"), clock=ScenarioClock(START_S, 1), lead_s=97.0
    )
    exposition = SimpleNamespace(pacer=SimpleNamespace(drift_s=0.25))
    run._check_start(observer, exposition)
    assert checked == [(("prometheus",), {"start_s": START_S, "lead_s": 97.0, "behind_s": 0.25})]


def test_what_observes_a_run_counts_from_the_end_of_its_lead():
    """With the rules as they are written and as they are evaluated."""
    run = run_of(replace(PLAIN, starts_at_s=5000.0), factor=10.0)
    started = SimpleNamespace(started_s=900.0, lead_s=100.0)
    observer = run._observer("stack", SimpleNamespace(rules="compressed"), started)
    assert (observer.stack, observer.rules, observer.compressed) == ("stack", RULES, "compressed")
    assert observer.clock == ScenarioClock(1000.0, 10.0)
    assert (observer.lead_s, observer.started_s, observer.date_s) == (100.0, 900.0, 5000.0)
    assert (observer.compression, observer.routing) == (TimeCompression(10.0), None)


@pytest.mark.parametrize(
    ("longest", "limit_s", "expected"),
    [
        (None, math.inf, ("written", 300.0)),
        (("other", 900.0), math.inf, ("other", 900.0)),
        (("other", 900.0), 50.0, ("other", 500.0)),
        (None, 20.0, ("written", 200.0)),
    ],
)
def test_what_explains_a_run_watches_it_as_it_was_compressed(longest, limit_s, expected):
    """In real seconds from its start; the longest scenario of all is cut as this one is."""
    run = run_of(factor=10.0, longest=longest, limit_s=limit_s, bundled=("pack",))
    observer = SimpleNamespace(
        stack=SimpleNamespace(prometheus="prometheus"),
        compressed="compressed",
        clock=ScenarioClock(START_S, 10.0),
    )
    explainer = run._explainer(observer, SimpleNamespace(ended_s=250.0), {"f": "x"})
    assert (explainer.scenario, explainer.fault_effects) == (run.scenario, {"f": "x"})
    assert (explainer.longest, explainer.bundled) == (expected, ("pack",))
    watched = explainer.run
    assert (watched.server, watched.rules, watched.spread) == ("prometheus", "compressed", WHOLE)
    assert (watched.epoch_s, watched.end_s) == (START_S, 25.0)
    assert (watched.scrape_s, watched.factor) == (1.5, 10.0)


def test_panels_are_asked_over_the_whole_run_and_explained(monkeypatch):
    """Their ranges are compressed as the rules are."""
    asked = []

    def answer_panels(server, panels, window, *, adapt):
        asked.append((server, panels, window, adapt("query")))
        return ("answer",)

    monkeypatch.setattr(module, "answer_panels", answer_panels)
    monkeypatch.setattr(module, "compress_query", lambda query, *, factor: (query, factor))
    monkeypatch.setattr(module, "emptiness_check", lambda watched: ("check", watched))
    monkeypatch.setattr(module, "explained", lambda *arguments: arguments)
    watched = SimpleNamespace(server="s", epoch_s=START_S, end_s=25.0, scrape_s=1.5, factor=10.0)
    answers = run_of(factor=10.0)._panels(watched)
    ((server, panels, window, query),) = asked
    assert (server, panels) == ("s", PANELS)
    assert window == module.PanelWindow(START_S, START_S + 25.0, 1.5, 10.0)
    assert query == ("query", 10.0)
    assert answers == (("answer",), ("check", watched), window)


def test_a_comparison_of_both_clocks_is_added_to_what_a_run_came_to(monkeypatch):
    """Its doubts after those that there were."""
    monkeypatch.setattr(
        module, "compare_clocks", lambda *arguments: (("difference", *arguments), "scrapes")
    )
    monkeypatch.setattr(module, "comparison_doubts", lambda *arguments: arguments)
    outcome = ScenarioOutcome(
        name="s", seed=1, engine=Engine(name="e", version="1"), duration_s=1.0, exact_s=1.0,
        resampled_s=0.0, wall_s=1.0, invalid=("before",),
    )  # fmt: skip
    both = module._with_both_clocks(outcome, "observer", "observation", "origin")
    differences = ("difference", "observer", "observation", "origin")
    assert both == replace(outcome, clocks=differences, invalid=("before", differences, "scrapes"))


class NotedDrawing:
    """A drawing: notes what it is made of and asked in `log`."""

    def __init__(self, log, *arguments, answers):
        """Note what it is made of."""
        self.log = log
        self.log.append((*arguments, answers))

    def ask(self, *arguments):
        """Note what it is asked."""
        self.log.append(arguments)

    def document(self, *arguments):
        """Note what is drawn, and draw it but for something."""
        self.log.append(arguments)
        return b"chart", ("not drawn",)


@pytest.fixture
def noted(monkeypatch):
    """Let every part that an outcome is made of say what it got; return the log of some."""
    log = SimpleNamespace(drawn=[], explained=[])

    def complete(explainer, *arguments):
        log.explained.append((explainer.refused, *arguments))
        return ("explained",), ("finding",)

    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 100.0))
    monkeypatch.setattr(module, "refused_rules", lambda *arguments: ("refused", *arguments))
    monkeypatch.setattr(module, "panel_verdicts", lambda *arguments: ("panels", *arguments))
    monkeypatch.setattr(module, "PanelAnswers", lambda *arguments: ("shown", *arguments))
    monkeypatch.setattr(RealTimeRun, "_panels", lambda _, watched: ("answers", watched.server))
    monkeypatch.setattr(module, "DrawnScenario", partial(NotedDrawing, log.drawn))
    monkeypatch.setattr(module.FailureExplainer, "complete", complete)
    return log


STACK = SimpleNamespace(
    prometheus=SimpleNamespace(version="3.1"), restarts=["restarted"],
    notifications=lambda: ("notified",),
)  # fmt: skip
OBSERVER = SimpleNamespace(
    stack=STACK, clock=ScenarioClock(START_S, 10.0), compressed="rules",
    with_latency=lambda alerts: ("timed", alerts), findings=lambda scenario: (scenario.name,),
)  # fmt: skip


def test_an_outcome_holds_what_each_part_said_of_the_run(noted):
    """The whole record: of the stack, the observation, the world and whoever explains it."""
    run = run_of(factor=10.0, limit_s=20.0, left_out=LEFT_OUT)
    run.began_s, run.behind_s, run.notes = 70.0, 0.75, ("cut short",)
    run.scenario = replace(run.scenario, accepted=("accepted",))
    run.validity = SimpleNamespace(doubts=lambda *arguments, **named: (arguments, named))
    observation = SimpleNamespace(ended_s=250.0, alerts="alerts", timelines="lines")
    past = SimpleNamespace(simulation=SimpleNamespace(exact_s=1000.0, resampled_s=2000.0))
    explainer = run._explainer(OBSERVER, observation, {"f": "x"})
    outcome = run._outcome(OBSERVER, SimpleNamespace(past=past), observation, explainer)
    server = STACK.prometheus
    refused = ("refused", server, "rules", START_S, START_S + 25.0)
    assert outcome == ScenarioOutcome(
        name="written", seed=42, engine=Engine(name="prometheus", version="3.1"),
        duration_s=250.0, exact_s=1250.0, resampled_s=2000.0, wall_s=30.0, alerts=("explained",),
        panels=("panels", ("answers", server), ("accepted",)), clock="real", compress=10.0,
        notes=("cut short", "restarted"), notifications=("notified",),
        findings=("finding", "written", "not drawn"),
        invalid=((STACK, OBSERVER.clock, observation), {"behind_s": 0.75}), chart=b"chart",
        fault_effects={"f": "x"}, not_judged=refused,
    )  # fmt: skip
    assert noted.explained == [(refused, ("timed", "alerts"), "lines")]
    shown = ("shown", ("answers", server), LEFT_OUT, ("accepted",))
    assert noted.drawn == [
        (explainer.run, run.scenario, {"f": "x"}, shown),
        ("alerts", "lines"),
        (("explained",), "lines"),
    ]
