"""`selftest`: what must fail does so for its own reason, and a judge that is wrong is noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest

from agentaskit_sim.commands.selftest import running as selftest_module
from agentaskit_sim.judges import VirtualTimeJudge
from tests.schemas.validation import validate
from tests.verifier.simulations import HEALTHY, simulate
from verifier.controls.control import FILES, read_controls
from verifier.controls.control_result import SCHEMA
from verifier.errors import JudgeError
from verifier.virtual_time import run as virtual_time

FEW = ("unspoilt", "unknown-alert", "wrong-data-source", "shadowed", "never-reached")


@cache
def simulated(scenario):
    """Simulate what controls have in common once; a name and expectations change no world."""
    return simulate(scenario)


def simulate_once(scenario, *_, **__):
    """Be `run.simulate`, five minutes of every metric before the start."""
    return simulated(replace(scenario, name="control", path="", expectations=()))


@pytest.fixture
def selftest(command, monkeypatch):
    """Return a function that runs these controls in this process, on shared simulations."""
    monkeypatch.setattr(virtual_time, "simulate", simulate_once)
    monkeypatch.setattr(selftest_module, "HealthyWorlds", lambda *_: HEALTHY)

    def run(*names, options=()):
        controls = [each for each in read_controls() if each.name in names]
        monkeypatch.setattr(selftest_module, "read_controls", lambda: controls)
        return command("selftest", "--jobs", "1", *options)

    return run


def test_each_fails_for_its_own_reason(selftest, tmp_path):
    """And the unspoilt one passes; the document follows its schema."""
    done = selftest(*FEW, options=("--json", "--report", tmp_path / "s.html"))
    document = json.loads(done.out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert {each["name"]: each["result"] for each in document["controls"]} == dict.fromkeys(
        FEW, "ok"
    )
    assert [each["status"] for each in document["controls"]] == [0, 2, 3, 1, 1]
    assert (done.status, document["verdict"]) == (0, "pass")
    assert document["engine"].startswith("prometheus ")
    assert "5 of 5 controls end as they must" in (tmp_path / "s.html").read_text()


@pytest.mark.long
def test_every_shipped_control_ends_as_it_must(command):
    """All of them, as a user runs them."""
    done = command("selftest")
    assert done.status == 0, done.out
    assert (
        done.out.splitlines()[-1]
        == "PASS: 21 of 21 controls end as they must, 0 passed that must fail"
    )


def judge_as(monkeypatch, change):
    """Let the judge of `verify` hand on what `change` makes of its outcomes."""
    judge = VirtualTimeJudge.__call__
    monkeypatch.setattr(VirtualTimeJudge, "__call__", lambda *each: change(judge(*each)))


def passed(outcome):
    """Return an outcome in which everything is well."""
    alerts = tuple(replace(each, ok=True) for each in outcome.alerts)
    return replace(outcome, alerts=alerts, panels=(), invalid=(), not_judged=())


def test_a_judge_that_passes_everything_is_a_false_pass(selftest, monkeypatch):
    """Of every control that it judges; the unspoilt one is ok."""
    judge_as(monkeypatch, passed)
    done = selftest("unspoilt", "wrong-data-source", "never-reached")
    lines = done.out.splitlines()
    assert [line.split(":")[0].split()[-1] for line in lines if line.startswith("FALSE PASS")] == [
        "wrong-data-source",
        "never-reached",
    ]
    assert (done.status, lines[-1]) == (
        1,
        "FAIL: 1 of 3 controls end as they must, 2 passed that must fail",
    )
    assert "by hand: agentaskit-sim verify traffic-gone.yaml --rules few-tasks.rules.yaml" in (
        done.out
    )


def test_a_judge_that_gives_wrong_reasons_is_noticed(selftest, monkeypatch):
    """It fails all of them with the same words."""

    def wrongly(outcome):
        alerts = tuple(replace(each, reason="something failed") for each in outcome.alerts)
        return replace(outcome, alerts=alerts)

    judge_as(monkeypatch, wrongly)
    done = selftest("never-reached")
    assert done.status == 1
    assert done.out.startswith("other reason  never-reached")
    assert "must be status 1: never fired; its value came nearest" in done.out


def test_a_judge_that_fails_everything_is_noticed_by_the_one_that_must_pass(selftest, monkeypatch):
    """Or every control would be worth nothing."""
    judge_as(monkeypatch, lambda outcome: replace(outcome, invalid=("no reason",)))
    done = selftest("unspoilt")
    assert (done.status, done.out.splitlines()[0].split(" unspoilt")[0].strip()) == (1, "MUST PASS")


def test_a_reader_that_takes_everything_is_noticed(selftest, monkeypatch):
    """A scenario with an alert that is not there would be judged by its silence."""
    read = selftest_module.read_inputs
    other = str(FILES / "traffic-gone.yaml")
    monkeypatch.setattr(
        selftest_module, "read_inputs", lambda paths: read(replace(paths, scenarios=(other,)))
    )
    done = selftest("unknown-alert")
    assert (done.status, done.out.splitlines()[-1]) == (
        1,
        "FAIL: 0 of 1 controls end as they must, 1 passed that must fail",
    )


def test_without_an_engine_nothing_is_judged(command, monkeypatch):
    """Status 3, before anything runs."""

    def absent(name):
        raise JudgeError(f"{name} is not installed")

    monkeypatch.setattr(selftest_module, "require", absent)
    done = command("selftest")
    assert (done.status, done.out) == (3, "")
