"""The swarm's first seeds, what they reach, and the command as a developer runs it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from documents.yaml_reader import load
from scenarios.loader import load_scenario
from tests.swarm import run
from tests.swarm.__main__ import main
from tests.swarm.coverage import EXPECTED, count_reached, rarely
from tests.swarm.drawing import draw_trial
from tests.swarm.run import carry_out
from tests.swarm.scenario_text import write_scenario

SEEDS = 200


@pytest.fixture(scope="module")
def outcomes():
    """Return what came of the first seeds."""
    return [carry_out(draw_trial(seed)) for seed in range(SEEDS)]


def test_no_law_breaks_in_two_hundred_seeds(outcomes):
    """Every law at every snapshot; healed, each world drains and agrees with its control run."""
    broken = {each.seed: (each.at_s, each.laws, each.log) for each in outcomes if each.laws}
    assert broken == {}, "replay: make swarm SEED=<the seed> N=1"


def test_two_hundred_seeds_are_two_hundred_histories(outcomes):
    """No two seeds simulate the same world."""
    assert len({outcome.history for outcome in outcomes}) == SEEDS


def test_two_hundred_seeds_reach_almost_everything(outcomes):
    """What one seed in a hundred reaches is seen at least once, but for a few by chance."""
    reached = frozenset().union(*(outcome.reached for outcome in outcomes))
    assert len(EXPECTED - reached) <= 5, EXPECTED - reached


def test_what_is_reached_too_rarely_is_named():
    """Nine of a thousand are too few, ten are enough."""
    all_but_one = EXPECTED - {"fault: agent_hang"}
    counts = count_reached([EXPECTED] * 9 + [all_but_one] * 991)
    assert rarely(counts, 1000) == ["fault: agent_hang"]
    assert rarely(count_reached([EXPECTED] * 10 + [all_but_one] * 990), 1000) == []


@pytest.mark.sampled(8)
@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_a_trial_is_written_as_a_scenario_that_means_the_same(seed, tmp_path):
    """The scenario loader reads the same system, load and faults."""
    trial = draw_trial(seed)
    text = write_scenario(trial)
    path = tmp_path / f"swarm-{seed}.yaml"
    path.write_text(text)
    assert isinstance(load(path).data, dict)
    scenario = load_scenario(path)
    assert scenario.topology == trial.topology
    if trial.shape.trace_s is None:
        assert scenario.plan.load == trial.load
    assert [planned.parameters for planned in scenario.plan.faults] == [
        planned.parameters for planned in trial.faults
    ]
    assert text.count("# by hand after") == len(trial.actions)


@pytest.mark.ci
def test_a_failure_says_how_to_replay_it_and_is_shrunk(monkeypatch, capsys):
    """Seed, virtual time, law, last events, the command, and a scenario that is smaller."""
    laws = run.broken_laws
    monkeypatch.setattr(
        run, "broken_laws",
        lambda s, topology, **rest: [*laws(s, topology, **rest), *(["no slot leaks: planted"]
                                     if s.sandbox_leaked.any() else [])],
    )  # fmt: skip
    kinds = {seed: [fault.kind for fault in draw_trial(seed).faults] for seed in range(200)}
    few = (seed for seed in kinds if 1 < len(kinds[seed]) < 4)
    leaking = (seed for seed in few if "sandbox_leak" in kinds[seed])
    seed = next(seed for seed in leaking if carry_out(draw_trial(seed)).laws)
    assert main(["--seed", str(seed), "--count", "1", "--shrink", "40"]) == 1
    printed = capsys.readouterr().out
    assert re.search(rf"seed {seed}: broken at \d+\.\d{{9}} s of virtual time", printed)
    assert "broken: no slot leaks: planted" in printed
    assert f"replay: make swarm SEED={seed} N=1" in printed
    assert re.search(r"s: arrived \d+, queued \d+", printed)
    assert "1 seeds" in printed
    assert f"1 broke a law ({seed})" in printed
    shrunk = printed.partition("shrunk")[2]
    assert "sandbox_leak" in shrunk
    assert shrunk.count('"fault":') + shrunk.count("by hand") == 1


def test_any_exception_is_a_failure_with_its_seed(monkeypatch, capsys):
    """A stray exception does not end the swarm."""

    def fail(*_, **__):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(run, "broken_ties", fail)
    assert main(["--seed", "5", "--count", "2", "--jobs", "1", "--shrink", "0"]) == 1
    printed = capsys.readouterr().out
    assert "no exception is raised: ZeroDivisionError: planted (test_swarm.py" in printed
    assert "2 broke a law (5, 6)" in printed


def test_a_refusal_that_changes_the_plan_would_be_noticed(monkeypatch):
    """What the fault API refuses must leave no trace."""
    inject = run.FaultControl.inject

    def inject_twice(control, make):
        """Inject, and then refuse."""
        inject(control, make)
        raise run.InputError("planted")

    monkeypatch.setattr(run.FaultControl, "inject", inject_twice)
    trials = map(draw_trial, range(100))
    trial = next(each for each in trials if any(a.what == "inject" for a in each.actions))
    assert carry_out(replace(trial, faults=())).laws == ("what is refused changes no plan",)


def test_the_hashes_are_those_of_this_process(capsys):
    """`--hashes` prints a line for each seed, in order."""
    assert main(["--seed", "3", "--count", "3", "--hashes"]) == 0
    lines = capsys.readouterr().out.split("\n")[:3]
    assert lines == [f"{seed} {carry_out(draw_trial(seed)).history}" for seed in (3, 4, 5)]
