"""A whole run in real time, with stand-ins for its stack: what is reported of it and judged."""

from __future__ import annotations

from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.verifier.simulations import scenario_of
from verifier.judge.verdict import Engine, ScenarioOutcome
from verifier.real_time import run as module
from verifier.real_time.run import RealTimeRun, RealTimeSetup
from verifier.scenario_clock import ScenarioClock
from verifier.time_compression import TimeCompression

START_S = 1000.0
OUTCOME = ScenarioOutcome(
    name="s", seed=1, engine=Engine(name="e", version="1"), duration_s=1.0, exact_s=1.0,
    resampled_s=0.0, wall_s=1.0, invalid=("doubt",),
)  # fmt: skip


def run_of(factor, *, both=False):
    """Return a run whose reports are in `reports`."""
    setup = RealTimeSetup((), (), None, TimeCompression(factor), both=both)
    reports = []
    run = RealTimeRun(scenario_of("duration: 5m\n"), setup, reports.append)
    run.reports = reports
    return run


async def test_what_is_reported_of_a_lead_is_no_second_of_the_scenario(monkeypatch):
    """Nor is one after the end that is waited for."""
    run = run_of(10.0)
    now = SimpleNamespace(time=lambda: now.at_s, at_s=START_S - 2.0)
    monkeypatch.setattr(module, "time", now)

    async def sleep(seconds):
        now.at_s += seconds + 0.125

    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=sleep, to_thread=to_thread))
    stack = SimpleNamespace(check=lambda: None)
    observer = SimpleNamespace(clock=ScenarioClock(START_S, 10.0), stack=stack)
    exposition = SimpleNamespace(pacer=SimpleNamespace(drift_s=0.0))
    await run._watch(observer, exposition, until_s=6.0)
    assert [(each.phase, each.virtual_s) for each in run.reports] == [
        ("settling", 0.0), ("settling", 0.0), ("settling", 0.0), ("running", 5.0),
        ("running", 6.0),
    ]  # fmt: skip


async def to_thread(call, *arguments):
    """Call it here and now."""
    return call(*arguments)


@asynccontextmanager
async def served(*_):
    """Serve nothing."""
    yield


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("now", [(), ("now",)])
async def test_a_run_is_judged_by_what_its_faults_did_and_replayed_from_its_beginning(
    monkeypatch, both, now
):
    """What had no effect makes it invalid, and is looked at again with that in mind."""
    run = run_of(1.0, both=both)
    world = SimpleNamespace(fork=lambda: "the world as it began")
    past = SimpleNamespace(without_effect=("before",) if now else ())
    prepared = SimpleNamespace(world=world, past=past, rules="rules", history="past")
    exposition = SimpleNamespace(pacer=SimpleNamespace(run=None), effects=lambda: ["effects"])
    environment = SimpleNamespace(start=lambda: None)
    started = SimpleNamespace(
        exposition=exposition, environment=environment, world=world, started_s=900.0
    )
    seen = SimpleNamespace(ended_s=30.0)
    observer = SimpleNamespace(
        clock=ScenarioClock(START_S, 1.0), observe=lambda *asked, effects: (*asked, *effects)
    )

    async def run_scenario(*_):
        return seen

    judged = []
    for name, value in (
        ("prepare_run", lambda *_: prepared), ("build_stack", lambda *_: nullcontext("stack")),
        ("start_on_stack", lambda *_: started), ("describe_address", str), ("build_app", str),
        ("serve_world", served), ("faults_without_effect", lambda *_: now),
        ("measured_effects", dict.fromkeys), ("in_real_time", lambda *asked: asked),
        ("_with_both_clocks", lambda *asked: asked),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(run, "_listener", nullcontext)
    monkeypatch.setattr(run, "_observer", lambda *_: observer)
    monkeypatch.setattr(run, "_run_scenario", run_scenario)
    monkeypatch.setattr(run, "_explainer", lambda *_: "explainer")
    monkeypatch.setattr(run, "_outcome", lambda *asked: judged.append(asked) or OUTCOME)
    result = await run.judge()
    observation = (run.scenario, START_S + 30.0, "effects") if now else seen
    assert judged == [(observer, prepared, observation, "explainer")]
    expected = replace(OUTCOME, invalid=("doubt", *past.without_effect, *now))
    if both:
        assert result[:3] == (expected, observer, observation)
        origin = module.ReplayOrigin("the world as it began", ("past", 900.0, 1.0))
        assert result[3] == origin
    else:
        assert result == expected
