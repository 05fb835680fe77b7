"""`--engine` and its kin: what is refused, with a way out, before anything runs."""

from __future__ import annotations

import json

import pytest

from agentaskit_sim import suite_runs
from agentaskit_sim.engines.reading import read_engines
from documents.mistakes import InputError
from tests.verifier.engines.test_comparison import FIRES, LATER, reading
from tests.verifier.outcomes import outcome, unjudged
from verifier.engines.choice import EngineChoice
from verifier.engines.judge import ComparedScenario

URL = "http://127.0.0.1:9/prometheus"
BOTH = ("--engine", "prometheus", "--engine", "victoria-metrics")


@pytest.mark.parametrize(
    ("engines", "options", "said"),
    [
        (["thanos"], {}, "--engine must be prometheus, victoria-metrics, the path of"),
        ([URL], {}, "needs --remote-write URL"),
        ([URL], {"write_url": URL}, "stored on top of each other"),
        ([URL], {"write_url": "127.0.0.1"}, "must be like http://127.0.0.1:9090"),
        (None, {"write_url": URL}, "--remote-write needs an --engine that is a URL"),
        (None, {"headers": ["a=b"]}, "--engine-header needs an --engine that is a URL"),
        ([URL, URL], {"write_url": URL}, "only one --engine can be a URL"),
        (["prometheus"] * 3, {}, "--engine can be given once or twice"),
        ([URL], {"write_url": URL, "headers": ["team"]}, "--engine-header must be NAME=VALUE"),
    ],
)
def test_what_is_no_engine_is_refused(engines, options, said):
    """Each with what to do instead."""
    chosen = {"write_url": None, "headers": None} | options
    with pytest.raises(InputError) as refused:
        read_engines(engines, **chosen, scenarios=2)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--engine", "victoria-metrics", "--live"), "--engine judges in virtual time"),
        ((*BOTH, "--junit", "a.xml"), "--junit cannot be used with two engines"),
    ],
)
def test_a_mistake_is_status_2(command, arguments, said):
    """Before anything runs."""
    done = command("verify", "traffic-drop", *arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


@pytest.fixture
def compared(command, monkeypatch):
    """Return a function that compares engines which read the scenario so."""

    def run(*outcomes, arguments=()):
        monkeypatch.setattr(suite_runs, "run_suite", lambda *_, **__: list(outcomes))
        monkeypatch.setattr(suite_runs.HealthyWorlds, "prepare", lambda *_, **__: None)
        monkeypatch.setattr(EngineChoice, "check", lambda _: None)
        return command("verify", "traffic-drop", *BOTH, *arguments)

    return run


def both(before, after):
    """Return the outcome of a scenario that two engines read so."""
    values = {name: getattr(outcome(), name) for name in outcome().__dataclass_fields__}
    return ComparedScenario(**values, readings=(before, after))


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([both(reading("1", FIRES), reading("2", FIRES))], 0),
        ([both(reading("1", FIRES), reading("2", LATER))], 1),
        ([both(reading("1", FIRES), reading("2", FIRES)), unjudged()], 3),
        ([unjudged()], 3),
    ],
)
def test_a_difference_is_status_1_and_what_was_not_judged_3(compared, tmp_path, outcomes, status):
    """Nothing agrees that was not judged."""
    done = compared(*outcomes, arguments=("--report", tmp_path / "engines.html"))
    assert done.status == status
    assert "ENGINES: " in done.out.splitlines()[-1]
    word = {0: "same", 1: "different", 3: "invalid"}[status]
    assert f"<title>{word}: agentaskit-sim verify" in (tmp_path / "engines.html").read_text()


def test_json_is_one_document(compared):
    """With both timelines of every alert."""
    done = compared(both(reading("1", FIRES), reading("2", LATER)), arguments=("--json",))
    document = json.loads(done.out)
    assert document["engines"] == ["engine 1", "engine 2"]
    assert document["scenarios"][0]["alerts"][0]["fires_later_s"] == [15]
