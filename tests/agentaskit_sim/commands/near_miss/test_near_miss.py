"""`scenarios near-miss`: what it prints and writes, its exit status, and how it refuses."""

from __future__ import annotations

import json

import pytest

from agentaskit_sim.commands.near_miss import searching
from agentaskit_sim.inputs import read_inputs
from tests.schemas.validation import validate
from verifier.errors import JudgeError
from verifier.near_miss.margin import SafeValue, SeedResult
from verifier.near_miss.probing import Nearness
from verifier.near_miss.result import SCHEMA
from verifier.near_miss.search import Boundary, NoNearMissError, Probe
from verifier.near_miss.searching import NearMiss

ALERT = ("--alert", "TaskThroughputBelowTarget")
COMMAND = ("scenarios", "near-miss", "traffic-drop", *ALERT)


class PlannedSearch:
    """A search whose outcome a test decides; it keeps what was asked."""

    outcome: BaseException | None = None
    asked = None

    def __init__(self, request, watcher, jobs):
        """Search nothing."""
        PlannedSearch.asked = self.request = request
        assert jobs >= 1
        watcher.say("share of upstream-gone 0.4: fires")

    def run(self):
        """Return a near miss, or raise what was planned."""
        if self.outcome is not None:
            raise self.outcome
        silent = Probe(0.028, fired=False, nearness=Nearness(10012.0, 10000.0, 60.0, 300.0))
        firing = Probe(0.029, fired=True, nearness=Nearness(9990.0, 10000.0, 300.0, 300.0))
        return NearMiss(
            request=self.request, boundary=Boundary(silent, firing, (silent, firing)),
            safe=SafeValue(0.026, 0.027, ()), results=(SeedResult(1, ("10,030 from 4m for 9m",)),),
            text="name: planned\n", explained=("Other",),
        )  # fmt: skip


READ = {}


def read_once(paths):
    """Read the same files only once: an engine checks all rules each time."""
    if repr(paths) not in READ:
        READ[repr(paths)] = read_inputs(paths)
    return READ[repr(paths)]


@pytest.fixture
def planned(monkeypatch):
    """Replace the search by a planned one."""
    monkeypatch.setattr(searching, "read_inputs", read_once)

    def plan(outcome=None):
        monkeypatch.setattr(PlannedSearch, "outcome", outcome)
        monkeypatch.setattr(searching, "NearMissSearch", PlannedSearch)

    return plan


def test_the_boundary_the_near_miss_and_its_scenario_are_printed(command, planned):
    """Progress goes to standard error."""
    planned()
    done = command(*COMMAND, "--seeds", "1")
    assert (done.status, done.err) == (0, "share of upstream-gone 0.4: fires\n")
    assert done.out.splitlines() == [
        f"{ALERT[1]}: a near miss of its threshold by share of upstream-gone in traffic-drop",
        "  largest silent       0.028  10012, 100.1 % of the threshold 10000, held for 1m of 5m",
        "  smallest firing      0.029  9990, 99.9 % of the threshold 10000, held for 5m of 5m",
        "  near miss            0.026  on seeds 1; so is 0.027",
        "    seed 1: 10,030 from 4m for 9m",
        "  Other fires as well: it is explained in the scenario",
        "  2 probes for the boundary",
        "",
        "name: planned",
    ]


def test_the_scenario_is_saved_and_json_is_by_the_published_schema(command, planned, tmp_path):
    """A file that is there is never replaced."""
    planned()
    document = json.loads(command(*COMMAND, "--json", "--save", "near.yaml").out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert document["near_miss"]["value"] == 0.026
    assert (tmp_path / "near.yaml").read_text() == "name: planned\n"
    done = command(*COMMAND, "--save", "near.yaml")
    assert (done.status, "exists already" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (NoNearMissError("it never fires"), 1),
        (JudgeError("no engine"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_nothing_is_written_where_there_is_no_near_miss(
    command, planned, tmp_path, outcome, status
):
    """None to be had, a run that cannot be judged, and Ctrl-C."""
    planned(outcome)
    done = command(*COMMAND, "--save", "near.yaml")
    assert done.status == status
    assert not (tmp_path / "near.yaml").exists()
    if status == 1:
        assert done.out == "it never fires\n"
        document = json.loads(command(*COMMAND, "--json").out)
        validate(document, json.loads(SCHEMA.read_text()))
        assert (document["near_miss"], document["reason"]) == (None, "it never fires")


def test_options_decide_what_is_searched(command, planned):
    """The duration is for the `for`; limits are read as the parameter is written."""
    planned()
    command(*COMMAND, "--parameter", "duration", "--low", "1m", "--high", "9m", "--seeds", "1-2,9")
    asked = PlannedSearch.asked
    assert (asked.cell, asked.low, asked.high, asked.seeds) == ("near_for", 60.0, 540.0, (1, 2, 9))
    command(*COMMAND, "--parameter", "load.rate", "--seed", "5", "--probes", "9")
    asked = PlannedSearch.asked
    assert (asked.cell, asked.knob.value, asked.scenario.seed) == ("near_threshold", 10300.0, 5)
    assert (asked.probes_max, asked.document["seed"]) == (9, 5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scenarios", "near-miss", "trafic-drop", *ALERT), "did you mean 'traffic-drop'?"),
        ((*COMMAND[:3], "--alert", "TaskThroughputBelow"), "'TaskThroughputBelowTarget'?"),
        ((*COMMAND, "--parameter", "fault"), "is not a number to search"),
        ((*COMMAND, "--low", "much"), "--low must be a number, got much"),
        ((*COMMAND, "--high", "1.5"), "--high must be within above 0 to 1 for share"),
        ((*COMMAND, "--low", "0.5", "--high", "0.4"), "--low must be below --high"),
        ((*COMMAND, "--seeds", "5-1"), "--seeds must be whole numbers as 1-5"),
        ((*COMMAND, "--save", "Near.yaml"), "--save must be NAME.yaml"),
    ],
)
def test_a_mistake_is_status_2_before_anything_runs(command, planned, arguments, said):
    """With a way out."""
    planned(AssertionError("it ran"))
    done = command(*arguments)
    assert done.status == 2
    assert said in done.err


def test_the_duration_of_a_fault_needs_an_alert_that_waits(command, planned, tmp_path):
    """An alert without `for` has none to nearly miss."""
    planned()
    rules = {"groups": [{"name": "g", "rules": [{"alert": "Now", "expr": "up == 0"}]}]}
    (tmp_path / "rules.yaml").write_text(json.dumps(rules))
    done = command(
        "scenarios", "near-miss", "traffic-drop", "--rules", "rules.yaml", "--alert", "Now",
        "--parameter", "duration",
    )  # fmt: skip
    assert (done.status, "Now has no `for` to nearly miss" in done.err) == (2, True)


@pytest.mark.parametrize("expr", ["absent(up)", "vector(1)", "up == 0", "up > 0 and up > 1"])
def test_a_condition_without_a_threshold_is_refused_before_anything_runs(
    command, planned, tmp_path, expr
):
    """The rule alone says so; which number would be turned is no question then."""
    planned(AssertionError("it ran"))
    rule = {"alert": "Now", "expr": expr, "for": "2m"}
    rules = {"groups": [{"name": "g", "rules": [rule]}]}
    (tmp_path / "rules.yaml").write_text(json.dumps(rules))
    for scenario in ("exporter-down", "dependency-outage"):
        done = command(
            "scenarios", "near-miss", scenario, "--rules", "rules.yaml", "--alert", "Now"
        )
        assert done.status == 2
        assert "the condition of Now is not one comparison with a number" in done.err
        assert "--parameter duration searches the `for`" in done.err
