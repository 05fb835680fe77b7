"""A signal in the middle of `verify`: what was judged is kept, marked as partial, never a pass."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.schemas.validation import validate
from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.outcomes import failing, outcome
from verifier.cluster.connection import SchedulerLostError
from verifier.judge.verdict import overall
from verifier.judge.verdict_document import document, verdict_schema
from verifier.report.tally import verdict_line
from verifier.suite import with_interrupted

SLOW = """\
import sys, time
from dataclasses import replace
from agentaskit_sim.__main__ import main
from agentaskit_sim import suite_runs
from agentaskit_sim.commands import verify
from agentaskit_sim.judges import VirtualTimeJudge
from tests.verifier.outcomes import outcome

def judge(self, worlds, scenario, report):
    if scenario.name == "slow":
        for _ in range(600):  # a signal that comes just before a long sleep would wait it out
            time.sleep(0.1)
    return outcome(scenario.name)

VirtualTimeJudge.__call__ = judge
suite_runs.HealthyWorlds.prepare = lambda *_, **__: None
verify._check_machine = lambda *_, **__: None
main(["verify", *sys.argv[1:]])
"""
"""`verify` with a judge that passes every scenario at once, but for the one called slow."""


@pytest.fixture
def scenarios(tmp_path):
    """Return a folder of three scenarios, the slow one started last or beside another."""
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name, minutes in (("first", 30), ("slow", 20), ("third", 10)):
        text = f"name: {name}\nstory: x\nseed: 1\nduration: {minutes}m\n"
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("number", "judged"),
    [(signal.SIGINT, ["first"]), (signal.SIGINT, ["first", "third"]), (signal.SIGTERM, ["first"])],
)
def test_what_was_judged_is_saved_and_printed(repository, tmp_path, scenarios, number, judged):
    """The status is that of the signal; folder, table and JUnit name what is missing."""
    running = subprocess.Popen(
        [sys.executable, "-c", SLOW, str(scenarios), "--jobs", str(len(judged)),
         "--out", str(tmp_path / "here"), "--junit", str(tmp_path / "junit.xml")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=repository,
    )  # fmt: skip
    lines = iter(running.stderr.readline, "")
    assert any(line.startswith(f"[{len(judged)}/3]") for line in lines)
    running.send_signal(number)
    printed, complaints = running.communicate(timeout=30)
    assert running.returncode == 128 + number
    assert "Traceback" not in complaints
    verdict = json.loads((tmp_path / "here" / "verdict.json").read_text())
    validate(verdict, verdict_schema())
    assert (verdict["verdict"], verdict["partial"]) == ("invalid", True)
    verdicts = {each["name"]: each["verdict"] for each in verdict["scenarios"]}
    assert [name for name, each in verdicts.items() if each == "pass"] == judged
    for name in verdicts.keys() - set(judged):
        assert f"{name}: not judged: the run was interrupted" in printed
    left = f"the run was interrupted: {3 - len(judged)} of 3 not judged"
    assert f"INVALID: {len(judged)} of 3 scenarios pass; {left}; " in printed
    assert (tmp_path / "junit.xml").read_text().count("the run was interrupted") == 3 - len(judged)


@pytest.mark.parametrize("judged", [["first"], []])
def test_a_lost_cluster_keeps_what_was_judged(command, tmp_path, monkeypatch, scenarios, judged):
    """Status 3 and its sentence at the end; before the first verdict there is nothing to keep."""

    def run_on_cluster(_scenarios, _judge, watcher, address):
        for name in judged:
            watcher.done(outcome(name))
        raise SchedulerLostError(address)

    monkeypatch.setattr("verifier.cluster.running.run_on_cluster", run_on_cluster)
    monkeypatch.setattr("agentaskit_sim.commands.verify._check_machine", lambda *_, **__: None)
    out = tmp_path / "here"
    done = command("verify", scenarios, "--cluster", "tcp://a:1", "--out", out)
    assert done.status == 3
    assert done.err.splitlines()[-1].startswith("the scheduler at tcp://a:1 is gone")
    assert "Interrupted" not in done.err
    assert out.exists() == bool(judged)
    if judged:
        verdict = json.loads((out / "verdict.json").read_text())
        assert (verdict["verdict"], verdict["partial"]) == ("invalid", True)
        assert "INVALID: 1 of 3 scenarios pass; the run was interrupted: 2 of 3" in done.out


def test_a_failure_stays_one_and_a_whole_run_is_not_partial():
    """What failed has failed, whatever came of the others."""
    rest = [replace(scenario_with(), name=name) for name in ("drop", "bad", "late")]
    cut = with_interrupted(rest, [failing(), outcome("drop")])
    assert [each.name for each in cut] == ["drop", "bad", "late"]
    assert (overall(cut), document(cut)["partial"]) == ("fail", True)
    assert document([outcome(), failing()])["partial"] is False
    assert "; the run was interrupted: 1 of 3 not judged; " in verdict_line(cut)
    assert "interrupted" not in verdict_line([outcome(), failing()])
