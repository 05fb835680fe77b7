"""Mistakes planted in scenario, rules, dashboards or faults fail the verdict, by their names.

Each test runs the command line in this process, with a real Prometheus. The simulation of a bundled
scenario is shared by the tests: only rules and dashboards differ. Other worlds run at a tenth of
the load, with the rules that a test needs.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from agentaskit_sim import suite_runs
from agentaskit_sim.front.pack_files import PACK
from tests.schemas.validation import validate
from tests.simulator.faults.injectors import disarm
from tests.verifier.simulations import HEALTHY, simulate_once
from verifier.judge.verdict_document import verdict_schema
from verifier.virtual_time import run as virtual_time

OLDER = Path(__file__).parent / "older"
HEAD, QUIET = "story: x\nseed: 42\n", "duration: 8m\nload: {rate: 1000}\n"
LEAK = """\
load: {rate: 1000}
faults:
  - name: leak
    fault: sandbox_leak
    start: 1m
    duration: %s
    targets: {sandboxes: [B]}
    parameters: {share: %s}
"""


@pytest.fixture
def verify(command, monkeypatch):
    """Return a function that verifies scenarios and returns status, document and report."""
    monkeypatch.setattr(virtual_time, "simulate", simulate_once)

    def run(*arguments):
        finished = command("verify", *arguments, "--jobs", "1", "--json")
        validate(document := json.loads(finished.out), verdict_schema())
        return finished.status, document, finished.err

    return run


@pytest.fixture
def written(tmp_path):
    """Return a function that writes a scenario file and returns its path."""

    def write(name, text):
        (path := tmp_path / f"{name}.yaml").write_text(f"name: {name}\n{HEAD}{text}")
        return path

    return write


@pytest.fixture
def copied(tmp_path):
    """Return a function that copies a file of the pack, changed, and returns its path."""

    def copy(name, old="", new=""):
        path, text = tmp_path / Path(name).name, (PACK / name).read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return path

    return copy


@pytest.fixture
def dropped(written, copied):
    """Return a function that writes a drop of traffic and its rules, for a tenth of the load."""

    def write(name, old="", new="", *, faults=DROPPED):
        path = copied(PERFORMANCE, old, new)
        rules = TARGET.sub(lambda m: f"{m[1]}{int(m[2]) * 9 // 100}", path.read_text())
        path.write_text(rules)
        return written(name, DROP % faults), "--rules", path, *NEAR_PANELS

    return write


def failures(document):
    """Return alert, expectation and reason of each failing alert."""
    (scenario,) = document["scenarios"]
    return [(a["alert"], a["expected"], a["reason"]) for a in scenario["alerts"] if not a["ok"]]


def never_fired(document):
    """Return alert and expectation of each failing alert, all of which never fired, and say why."""
    reasons = [reason for _, _, reason in failures(document)]
    assert all(reason.startswith("never fired; its value came nearest") for reason in reasons)
    return [failure[:2] for failure in failures(document)]


PERFORMANCE = "alerts/performance.yaml"
BACKPRESSURE = "alerts/backpressure.yaml"
NEAR_PANELS = "--dashboards", PACK / "dashboards" / "capacity.json"
"""Panels that read back a few minutes: the month before costs nothing."""
EXPECTED = "TaskThroughputBelowTarget", "MessageThroughputBelowTarget"
DROP = "duration: 15m\nload: {rate: 1000}\n%sexpectations:\n" + "".join(
    f"  - {{alert: {alert}, fires_within: 10m, resolves_within: 1m50s}}\n" for alert in EXPECTED
)
DROPPED = """\
faults: [{name: gone, fault: traffic_drop, start: 3m, duration: 9m, parameters: {share: 0.4}}]
"""
"""So few requests waver more: the targets are a tenth and not three hundredths below them."""
TARGET = re.compile(r"(\[1m\]\)\) < )(\d+)$", re.MULTILINE)


@pytest.mark.ci
def test_a_scenario_without_its_fault_fails(verify, dropped):
    """Nothing fires, and the report names each alert; with its fault it passes."""
    assert verify(*dropped("whole"))[0] == 0
    status, document, report = verify(*dropped("no-fault", faults=""))
    assert (status, document["verdict"]) == (1, "fail")
    assert never_fired(document) == [(alert, "fires") for alert in EXPECTED]
    assert all(alert in report for alert in EXPECTED)


def test_a_scenario_whose_fault_is_too_weak_fails(verify, written, copied):
    """Four fifths of a pool lost leave more than a tenth; 95 % do not."""
    text = "duration: 8m\n" + LEAK + "expectations:\n"
    text += "  - {alert: SandboxPoolExhaustion, fires_within: 4m, resolves_within: 2m}\n"
    verdicts = [
        verify(written(name, text % ("5m", share)), "--rules", copied(BACKPRESSURE), *NEAR_PANELS)
        for name, share in (("strong", 0.95), ("weak", 0.8))
    ]
    assert [(status, never_fired(document)) for status, document, _ in verdicts] == [
        (0, []),
        (1, [("SandboxPoolExhaustion", "fires")]),
    ]


def test_an_always_true_rule_fails_the_closed_verdict_by_name(verify, written, copied):
    """The scenario does not expect it, so it must not fire."""
    planted = "    rules:\n      - {alert: AlwaysOn, expr: vector(1), labels: {severity: info}}\n"
    path = copied(BACKPRESSURE, "    rules:\n", planted)
    status, document, report = verify(written("quiet", QUIET), "--rules", path, *NEAR_PANELS)
    assert status == 1
    assert failures(document) == [
        (
            "AlwaysOn",
            "unexpected",
            (
                "unexpected: it fired before the start; likely culprit: the rule, since its"
                " condition held before any fault began, in a healthy system"
            ),
        )
    ]
    assert "AlwaysOn" in report
    text = QUIET + "expectations: [{alert: AlwaysOn, explained: it is planted}]\n"
    status, _, _ = verify(written("explained", text), "--rules", path, *NEAR_PANELS)
    assert status == 0


def test_an_expected_alert_that_no_rule_defines_is_an_error(command, written, copied):
    """Neither a pass nor a failure that could be taken for a silent alert."""
    text = QUIET + "expectations:\n  - {alert: HighTaskQueueDepht, silent: true}\n"
    scenario = written("typo", text)
    finished = command("verify", scenario, "--rules", copied(BACKPRESSURE), "--json")
    assert (finished.status, finished.out) == (2, "")
    assert finished.err == (
        f"{scenario}:7:13: no rule is called 'HighTaskQueueDepht',"
        " did you mean 'HighTaskQueueDepth'?\n"
    )


def test_burn_rates_on_an_empty_past_are_invalid(verify, written, copied):
    """Every window would read the same few minutes: the windows are named."""
    text = QUIET + "history: {depth: 0s}\n"
    text += "expectations: [{alert: FastBurnRateHigh, silent: true}]\n"
    status, document, report = verify(written("young", text), "--rules", copied("alerts/slo.yaml"))
    assert (status, document["verdict"]) == (3, "invalid")
    (scenario,) = document["scenarios"]
    assert (
        "http_requests_total: a window of 30d needs as much history before the start,"
        " there is 0s" in scenario["reasons"]
    )
    assert "a window of 30d" in report


@pytest.mark.ci
@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("old", "new", "because"),
    [
        pytest.param(
            *("< 10000\n        for: 5m", "< 1000\n        for: 5m", "never fired"),
            marks=pytest.mark.long,
        ),
        ("[1m])) < 10000", "[1m])) < 100000", "before its cause began"),
        ("        for: 5m\n", "        for: 10m\n", "only pending"),
        ("agentaskit_tasks_processed_total", "agentaskit_tasks_procesed_total", "never fired"),
    ],
    ids=["threshold / 10", "threshold x 10", "for x 2", "typo"],
)
def test_a_rule_that_was_changed_fails_the_scenario_that_covers_it(
    verify, dropped, old, new, because
):
    """The first rule of the file, the throughput of tasks, in a drop of traffic."""
    status, document, _ = verify(*dropped("changed", old, new))
    assert status == 1
    ((alert, _, reason),) = failures(document)
    assert alert == "TaskThroughputBelowTarget"
    assert because in reason


@pytest.mark.ci
def test_a_rule_without_its_for_fails_a_fault_that_is_shorter_than_it(verify, written, copied):
    """A pool that is empty for 75 seconds must not alert: `for` is two minutes."""
    scenario = written("blip", "duration: 8m\n" + LEAK % ("75s", 0.95))
    status, document, _ = verify(scenario, "--rules", copied(BACKPRESSURE), *NEAR_PANELS)
    assert (status, failures(document)) == (0, [])
    pending = [a for a in document["scenarios"][0]["alerts"] if a["pending_s"] is not None]
    assert {alert["alert"] for alert in pending} == {"SandboxPoolExhaustion"}
    hasty = copied(BACKPRESSURE, "total < 0.1\n        for: 2m", "total < 0.1")
    status, document, _ = verify(scenario, "--rules", hasty, *NEAR_PANELS)
    assert status == 1
    assert {failure[:2] for failure in failures(document)} == {
        ("SandboxPoolExhaustion", "unexpected")
    }


@pytest.mark.ci
@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (
            "sum(agentaskit_activ_agents)",
            (
                "query returns nothing: no metric agentaskit_activ_agents exists, did you mean"
                " agentaskit_active_agents?"
            ),
        ),
        ("0 / vector(0)", "query returns NaN only"),
    ],
    ids=["typo", "NaN"],
)
def test_a_panel_that_shows_nothing_fails_the_healthy_scenario(
    verify, written, copied, new, reason
):
    """By dashboard, panel and query; the other panels pass."""
    board = copied("dashboards/capacity.json", "sum(agentaskit_active_agents)", new)
    status, document, report = verify(
        written("quiet", QUIET), "--rules", copied(BACKPRESSURE), "--dashboards", board
    )
    (scenario,) = document["scenarios"]
    failed = [panel for panel in scenario["panels"] if not panel["ok"]]
    assert len(scenario["panels"]) == 9
    assert status == 1
    assert [(panel["panel"], panel["reason"]) for panel in failed] == [("Agents running", reason)]
    assert "Agents running" in report


@pytest.mark.long
def test_older_files_of_the_same_contract_get_the_same_verdicts(verify):
    """Jinja residue, no interval, quoted durations; rows, `graph` panels, no datasource."""
    rules = [OLDER / f"{name}.yaml" for name in ("slo", "performance", "backpressure")]
    verdicts = [
        verify("sandbox-leak"),
        verify("sandbox-leak", "--rules", *rules, "--dashboards", OLDER / "dashboards"),
    ]
    for status, document, _ in verdicts:
        assert (status, document["verdict"]) == (0, "pass")
        assert all(len(scenario["panels"]) == 21 for scenario in document["scenarios"])
    packs, others = (
        [
            {(a["alert"], a["expected"], a["ok"]) for a in scenario["alerts"]}
            for scenario in document["scenarios"]
        ]
        for _, document, _ in verdicts
    )
    assert packs == others
    assert [len(scenario) for scenario in others] == [19]
    findings = verdicts[1][1]["scenarios"][0]["findings"]
    assert sum("Jinja residue" in finding for finding in findings) == 12


@pytest.mark.long
def test_an_older_file_that_differs_gets_another_verdict(verify, tmp_path):
    """Planted: a threshold of the older sandbox rule, a tenth of what it was."""
    path = tmp_path / "backpressure.yaml"
    shutil.copy(OLDER / "backpressure.yaml", path)
    path.write_text(path.read_text().replace("< 0.1\n", "< 0.01\n"))
    status, document, _ = verify("sandbox-leak", "--rules", path)
    assert status == 1
    assert [alert for alert, _, _ in failures(document)] == ["SandboxPoolExhaustion"]


DISARMED = """\
name: disarmed
story: x
seed: 42
duration: 4m
load: {rate: 1000}
faults:
  - {name: it, fault: %s, start: 1m, duration: 2m, parameters: %s}
expectations:
  - {alert: %s, fires_within: 3m}
"""
EFFECTS = {
    "traffic_drop": ("{share: 0.4}", "arrivals per second measured, 600 declared"),
    "sandbox_leak": ("{share: 0.5}", "0 leaked slots measured, 600 declared"),
    "counter_reset": ("{}", "0 restarts seen measured, 1 declared"),
}


@pytest.fixture
def verify_disarmed(command, tmp_path, monkeypatch):
    """Return a function that verifies a scenario with one fault and returns status and scenario."""
    # These commands start from the same world, simulated once.
    monkeypatch.setattr(suite_runs, "HealthyWorlds", lambda *_: HEALTHY)

    def run(kind, alert):
        path = tmp_path / "disarmed.yaml"
        path.write_text(DISARMED % (kind, EFFECTS[kind][0], alert))
        rules = PACK / "alerts" / "backpressure.yaml"
        arguments = (path, "--rules", rules, *NEAR_PANELS)
        finished = command("verify", *arguments, "--jobs", "1", "--json")
        document = json.loads(finished.out)
        validate(document, verdict_schema())
        return finished.status, document["scenarios"][0]

    return run


@pytest.mark.parametrize(
    "kind",
    [
        "traffic_drop",
        *(pytest.param(k, marks=pytest.mark.long) for k in ("counter_reset", "sandbox_leak")),
    ],
)
def test_a_disarmed_fault_is_neither_pass_nor_fail(verify_disarmed, kind, monkeypatch):
    """That the alert never fired is no failure of the rule: there was nothing to alert on."""
    status, scenario = verify_disarmed(kind, "SandboxPoolExhaustion")
    assert (status, scenario["verdict"]) == (1, "fail")
    disarm(monkeypatch, kind)
    status, scenario = verify_disarmed(kind, "SandboxPoolExhaustion")
    assert (status, scenario["verdict"]) == (3, "invalid")
    (reason,) = scenario["reasons"]
    assert reason.startswith(f"fault it ({kind}) had no effect: ")
    assert reason.endswith(EFFECTS[kind][1])
