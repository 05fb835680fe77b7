"""`verify --seeds`: every scenario on every seed, what is said of them, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentaskit_sim.commands import verify as verify_module
from agentaskit_sim.seeds.seed_runs import CHARTS_MAX
from tests.verifier.outcomes import alert, outcome
from verifier.judge.verdict_document import document
from verifier.servers.binaries import PROJECT

BOUNDARY = "benchmarks/scale/near-boundary"
TIMES = ("wall_s", "times_real_time")


@pytest.fixture
def judged(monkeypatch):
    """Replace the suite: seeds that are not `silent` pass; return the runs that were judged."""
    asked = []

    def judge_as(*silent):
        def judge_all(scenarios, judge, *_, **__):
            asked.extend(scenarios)
            monkeypatch.setattr(
                type(judge.judge), "__call__", lambda _, __, each, ___: outcome_of(each, silent)
            )
            return [judge(None, each, None) for each in scenarios]

        monkeypatch.setattr(verify_module, "judge_all", judge_all)
        monkeypatch.setattr(verify_module, "require", lambda _: None)
        return asked

    return judge_as


def outcome_of(scenario, silent):
    """Return the outcome of a run, with a chart."""
    changes = {"seed": scenario.seed, "chart": b"drawn"}
    if scenario.seed in silent:
        changes["alerts"] = (alert("Throughput", ok=False),)
    return outcome(scenario.name, **changes)


def test_every_scenario_is_judged_on_every_seed(command, judged):
    """The summary says how many pass, names the others, and how to judge one of them again."""
    asked = judged(5, 6)
    done = command("verify", "traffic-drop", "memory-leak", "--seeds", "4..7", "--exact")
    names = [f"{name}@{seed}" for seed in (4, 5, 6, 7) for name in ("traffic-drop", "memory-leak")]
    assert [run.name for run in asked] == names
    assert [run.seed for run in asked] == [4, 4, 5, 5, 6, 6, 7, 7]
    assert done.status == 1
    assert "FAIL: 4 of 8 runs pass" in done.out
    assert "traffic-drop: 2 of 4 seeds pass (4..7); fails in 5,6" in done.out
    again = "agentaskit-sim verify traffic-drop --seed 5 --exact"
    assert f"traffic-drop: to judge one of them again: {again}" in done.out


def test_few_charts_are_kept(command, judged):
    """Of the first seed, and of the first that do not pass: a verdict of many seeds stays small."""
    judged(*range(10, 200))
    done = command("verify", "traffic-drop", "--seeds", "1..99", "--json", "--out", "here")
    assert len(json.loads(done.out)["scenarios"]) == 99
    report = Path("here/report.html").read_text(encoding="utf-8")
    assert 1 < report.count('id="chart-') <= CHARTS_MAX


def test_the_command_for_one_seed_has_the_files_of_the_run(command, judged):
    """Whatever was read once is read again."""
    judged(2)
    files = [PROJECT / f"{BOUNDARY}{suffix}" for suffix in (".yaml", ".rules.yaml", ".board.json")]
    scenario, rules, board = map(str, files)
    options = (
        "--rules",
        rules,
        "--dashboards",
        board,
        "--accept",
        "TooFewTasks=not of interest",
    )
    done = command("verify", scenario, "--seeds", "1,2", *options, "--json")
    (drop,) = json.loads(done.out)["seeds"]
    assert drop["replay"] == (
        f"agentaskit-sim verify {scenario} --seed 2 --rules {rules} --dashboards {board}"
        " --accept 'TooFewTasks=not of interest'"
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--seeds", "1..3", "--seed", "1"], "--seed cannot be used with --seeds"),
        (["--seeds", "1..3", "--live"], "--seeds cannot be used with --live"),
        (["--seeds", "1..3", "--both"], "--seeds cannot be used with --live"),
        (
            ["--seeds", "2", "--engine", "prometheus", "--engine", "victoria-metrics"],
            "--seeds cannot be used with two --engine",
        ),
        (["--seeds", "2..1"], "--seeds must be ranges that rise"),
        (["--seeds", "5000"], "2 scenarios on 5000 seeds are 10,000 runs"),
    ],
)
def test_what_has_no_room_for_seeds_is_refused(command, options, reason):
    """In one line, before anything runs; status 2."""
    done = command("verify", "traffic-drop", "memory-leak", *options)
    assert (done.status, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert reason in line


@pytest.mark.ci
def test_a_run_on_one_of_many_seeds_is_the_run_on_that_seed(command):
    """A real one: nothing but its name, its chart and its times differ; and it is a small one."""
    files = [PROJECT / f"{BOUNDARY}{suffix}" for suffix in (".yaml", ".rules.yaml", ".board.json")]
    read = (files[0], "--rules", files[1], "--dashboards", files[2], "--json")
    many = json.loads(command("verify", *read, "--seeds", "3,2", "--jobs", "1").out)
    alone = json.loads(command("verify", *read, "--seed", "2").out)
    (run,) = (each for each in many["scenarios"] if each["seed"] == 2)
    (same,) = alone["scenarios"]
    for each in (run, same):
        for name in (*TIMES, "name", "replay"):
            del each[name]
    assert run == same
    assert document([])["seeds"] == alone["seeds"] == []
