"""The SLO check: the pack passes, and each mutation of it fails by name."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from documents.mistakes import InputError
from tests.verifier.slo.packs import NOW, edit, failed, statuses
from verifier.slo.check import check
from verifier.slo.compliance import STEPS


def test_the_pack_passes_and_what_cannot_be_checked_is_named(pack):
    """Ten steps in their order; a copy outside git has neither commit nor workflow to see."""
    outcome = check(pack, checked_at=NOW)
    assert [step.name for step in outcome.steps] == list(STEPS)
    assert len(STEPS) == 10
    status_of = {step.name: step.status for step in outcome.steps}
    assert failed(pack) == {}
    assert status_of["checkout"] == status_of["report kept 30 days"] == "not seen"
    assert status_of["compliance report"] == "skipped"
    others = set(STEPS) - {"checkout", "report kept 30 days", "compliance report"}
    assert {status_of[name] for name in others} == {"ok"}


POLICY_MUTATIONS = [
    ("service: agentaskit", "", "completeness", "the key 'service' is missing"),
    ("  target: 99.9", "  target: 99.5", "completeness", "target must be at least 99.9, got 99.5"),
    ("  target: 99.9", "  target: 100", "policy syntax", "target must be below 100 per cent"),
    (
        "  target: 99.9",
        "  targt: 99.9",
        "completeness",
        "the key 'target' is missing in availability, did y",
    ),
    (
        "    - name: slow",
        "    - name: slowly",
        "completeness",
        "no alert has the labels slo=burn_rate, window=slowly",
    ),
    ("      lookback: 6h\n", "", "completeness", "the key 'lookback' is missing in window 'slow'"),
    (
        "      lookback: 6h\n",
        "      lookback: six\n",
        "policy syntax",
        "lookback must be a duration",
    ),
    ("      lookback: 6h\n", "      lookback: 0s\n", "policy syntax", "a duration above 0"),
    (
        "burn_rate: 14.4",
        "burn_rate: -1",
        "policy syntax",
        "window 'fast': burn_rate must be a number above 0",
    ),
    ("  p95_ms: 50\n", "", "completeness", "the key 'p95_ms' is missing in latency"),
    ("  p95_ms: 50\n", "  p95_ms: fast\n", "policy syntax", "latency.p95_ms must be a number"),
    (
        "  p99_ms: 100\n",
        "  p99_ms: 40\n",
        "policy syntax",
        "p99_ms must be at least p95_ms (50), got 40",
    ),
    (
        "startup_time:",
        "startup:",
        "completeness",
        "the key 'startup_time' is missing, did you mean 'startup'?",
    ),
    ("  windows:", "  windows: none\n  others:", "policy syntax", "windows must be a list"),
    ("availability:\n", "availability: [\n", "policy syntax", "this is not YAML"),
    ("latency: ", "service: x\nlatency: ", "policy syntax", "duplicate key 'service'"),
]


@pytest.mark.sampled(6)
@pytest.mark.parametrize(("right", "wrong", "step", "reason"), POLICY_MUTATIONS)
def test_a_policy_that_lacks_or_weakens_something_fails_by_name(pack, right, wrong, step, reason):
    """With file, line and column."""
    edit(pack / "slo" / "policies.yaml", right, wrong)
    failures = failed(pack)
    assert reason in failures[step]
    assert failures[step].startswith(f"{pack / 'slo' / 'policies.yaml'}:")


def test_a_missing_policy_fails_by_name_and_what_needs_it_is_skipped(pack):
    """One failure, not five."""
    (pack / "slo" / "policies.yaml").unlink()
    failures = failed(pack)
    assert failures == {"policy exists": f"{pack / 'slo' / 'policies.yaml'}: no such file"}
    assert statuses(pack)["burn-rate thresholds"] == "skipped"
    assert not check(pack, checked_at=NOW).passed


def test_a_step_that_compared_nothing_is_skipped_with_its_reason(pack):
    """Alerts as another tool writes them carry none of the labels by which they are found."""
    for path in (pack / "alerts").iterdir():
        path.unlink()
    (pack / "alerts" / "other.yaml").write_text(
        "groups: [{name: g, rules: [{alert: A, expr: up == 0, labels: {severity: page},"
        " annotations: {summary: s}}]}]"
    )
    steps = {step.name: step for step in check(pack, checked_at=NOW).steps}
    assert steps["completeness"].status == "fail"
    assert steps[BURN].status == steps[ALIGN].status == "skipped"
    assert (
        steps[BURN].reasons[0].startswith("no alert has the labels of a window: slo=burn_rate, w")
    )
    assert steps[ALIGN].reasons[0].startswith("nothing to compare: no alert has the labels of an")


def test_a_window_without_an_alert_is_not_said_to_agree(pack):
    """Only what was compared agrees."""
    (pack / "alerts" / "extras.yaml").unlink()
    edit(pack / "alerts" / "slo.yaml", "window: slow", "window: long")
    steps = {step.name: step for step in check(pack, checked_at=NOW).steps}
    (reason,) = steps[BURN].reasons
    assert reason.startswith("rules and policy agree: fast 14.4 over 1h; not compared, for no")
    assert reason.endswith("slo=burn_rate, window=slow")


BURN, ALIGN = "burn-rate thresholds", "dashboard/alert alignment"
RULE_MUTATIONS = [
    ("slo", "> 14.4", "> 10", BURN, "FastBurnRateHigh fires at > 10, it must be > 14.4"),
    ("slo", "> 6.0", "> 0.6e1 + 1", BURN, "SlowBurnRateHigh fires at > 7, it must be > 6"),
    ("slo", "0.001 > 14.4", "0.002 > 14.4", BURN, "divides by 0.002, it must divide by 0.001"),
    ("slo", "> 14.4", "< 14.4", BURN, "FastBurnRateHigh fires at < 14.4"),
    ("slo", '"5.."}[1h]', '"5.."}[2h]', BURN, "FastBurnRateHigh reads 1h and 2h"),
    ("slo", "< 99.9\n", "< 99.5\n", ALIGN, "AvailabilitySLOBreach fires at < 99.5, it must be < 9"),
    ("slo", "* 1000 > 50", "* 1000 > 60", ALIGN, "P95LatencySLOBreach fires at > 60, it must be"),
    ("slo", "* 1000 > 50", "> 50", ALIGN, "P95LatencySLOBreach fires at > 50, it must be > 0.05"),
    ("slo", "quantile(0.99,", "quantile(0.9,", ALIGN, "P99LatencySLOBreach reads the 0.9 quantile"),
    ("slo", ") / 0.001 < 10", ") / 0.002 < 10", ALIGN, "must read 1 or 100 per cent of the budget"),
    ("slo", "(0.001 - sum", "(0.002 - sum", ALIGN, "while nothing fails, it reads 200"),
    ("slo", '"5.."}[30d]', '"5.."}[28d]', ALIGN, "ErrorBudgetExhausted reads 28d and 30d"),
    ("slo", "slo: startup_time", "slo: startup", "completeness", "no alert has the labels slo=st"),
    ("slo", "slo: error_budget", "slo: budget", "completeness", "error budget: no alert has the"),
    ("slo", "window: slow", "window: long", "completeness", "window slow: no alert has the label"),
    ("backpressure", "severity: critical", "team: sre", "completeness", "lacks severity"),
    ("backpressure", "summary:", "title:", "completeness", "lacks summary"),
    ("slo", "> 14.4", "> > 14.4", "alert syntax", "could not parse expression"),
    ("slo", "groups:", "groups: [", "alert syntax", "this is not YAML"),
    ("slo", "        for: 5m", "        four: 5m", "alert syntax", "unknown key 'four', did you m"),
    ("slo", "{{ printf", "{{ prontf", "alert syntax", 'function "prontf" not defined'),
]


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("name", "right", "wrong", "step", "reason"), RULE_MUTATIONS)
def test_a_rule_that_differs_from_the_policy_fails_by_name(
    pack, name, right, wrong, *, step, reason
):
    """Threshold, direction, window, quantile, divisor, labels, syntax; with its place."""
    edit(pack / "alerts" / f"{name}.yaml", right, wrong)
    failures = failed(pack)
    assert reason in failures[step]
    assert failures[step].startswith(f"{pack}/")


def test_a_stricter_policy_names_every_rule_that_no_longer_agrees(pack):
    """Changing the objective first, then following the names, is how the pack is changed."""
    edit(pack / "slo" / "policies.yaml", "target: 99.9 ", "target: 99.95 ")
    failures = failed(pack)
    assert "FastBurnRateHigh" in failures[BURN]
    assert "SlowBurnRateHigh" in failures[BURN]
    assert "AvailabilitySLOBreach fires at < 99.9, it must be < 99.95" in failures[ALIGN]
    assert "ErrorBudgetExhausted uses an error budget of 0.1 %" in failures[ALIGN]


@pytest.mark.parametrize(
    ("folder", "step"), [("alerts", "alert syntax"), ("dashboards", "dashboard/alert alignment")]
)
def test_a_pack_without_alerts_or_dashboards_fails_by_name(pack, folder, step):
    """Nothing to compare is no agreement."""
    shutil.rmtree(pack / folder)
    assert f"{pack / folder}: contains no " in failed(pack)[step]


def test_a_dashboard_that_is_no_json_fails_with_its_place(pack):
    """As every other file."""
    edit(pack / "dashboards" / "sla.json", '"panels": [', '"panels": [,')
    assert "sla.json:" in failed(pack)["dashboard/alert alignment"]


def test_windows_may_be_a_mapping_by_name(pack):
    """`fast: {window: 1h, burn_rate: 14.4}` means the same as the list."""
    path = pack / "slo" / "policies.yaml"
    head, tail = path.read_text().split("  windows:")
    windows = "\n    fast: {window: 1h, burn_rate: 14.4}\n    slow: {window: 6h, burn_rate: 6}\n"
    path.write_text(f"{head}  windows:{windows}\nlatency:{tail.split('latency:')[1]}")
    assert failed(pack) == {}


def test_a_pack_that_is_no_directory_is_bad_input(tmp_path):
    """That is no defect of a pack but of the argument."""
    with pytest.raises(InputError, match="must be an existing directory"):
        check(tmp_path / "nowhere", checked_at=NOW)


def test_the_checkout_names_the_commit_and_what_changed_since(pack):
    """A throwaway repository around the pack."""

    def git(*arguments):
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        command = ["git", "-C", str(pack.parent), *identity, *arguments]
        run = subprocess.run(command, check=True, capture_output=True, text=True)
        return run.stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "the pack")
    commit = git("rev-parse", "--short", "HEAD")
    (pack.parent / "beside").write_text("no part of the pack")
    assert check(pack, checked_at=NOW).steps[0].reasons == (f"commit {commit}, pack unchanged",)
    edit(pack / "alerts" / "extras.yaml", "30s", "31s")
    [reason] = check(pack, checked_at=NOW).steps[0].reasons
    assert reason == f"commit {commit}, 1 file of the pack changed since"


def test_the_windows_that_rules_and_policy_agree_on_are_named(pack):
    """All of them, and those that no alert has the labels of."""

    def burn_rates():
        (step,) = [each for each in check(pack, checked_at=NOW).steps if each.name == BURN]
        return step.status, step.reasons

    both = "fast 14.4 over 1h, slow 6 over 6h"
    assert burn_rates() == ("ok", (f"rules and policy agree: {both}",))
    for name in ("slo.yaml", "extras.yaml"):
        edit(pack / "alerts" / name, "window: fast", "window: faster")
    unseen = "; not compared, for no alert has its labels: slo=burn_rate, window=fast"
    assert burn_rates() == ("ok", (f"rules and policy agree: slow 6 over 6h{unseen}",))
    for name in ("slo.yaml", "extras.yaml"):
        edit(pack / "alerts" / name, "window: slow", "window: slowly")
    labels = "slo=burn_rate, window=fast or slo=burn_rate, window=slow"
    assert burn_rates() == ("skipped", (f"no alert has the labels of a window: {labels}",))
