"""The SLO check: it holds for the pack, and fails by name on one mutation of it after another."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from documents.mistakes import InputError
from verifier.slo.check import STEPS, check
from verifier.slo.report import budget_of, document, markdown

PACK = Path(__file__).resolve().parents[3] / "observability"
NOW = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
WORKFLOW = """\
on: push
jobs:
  slo:
    steps:
      - run: agentaskit-sim slo check
      - uses: actions/upload-artifact@v4
        with:
          retention-days: 30
"""


@pytest.fixture
def pack(tmp_path):
    """Return a copy of the pack, outside any checkout."""
    for name in ("alerts", "dashboards", "slo"):
        shutil.copytree(PACK / name, tmp_path / "pack" / name)
    return tmp_path / "pack"


def edit(path, right, wrong):
    """Replace `right` by `wrong` in a file; it must be there."""
    text = path.read_text()
    assert right in text, (path, right)
    path.write_text(text.replace(right, wrong, 1))


def failed(pack):
    """Return {step: reasons} of the steps that fail."""
    steps = check(pack, checked_at=NOW).steps
    return {step.name: "\n".join(step.reasons) for step in steps if step.status == "fail"}


def statuses(pack):
    """Return {step: status} of all steps."""
    return {step.name: step.status for step in check(pack, checked_at=NOW).steps}


def test_the_pack_holds_and_what_cannot_be_seen_is_said(pack):
    """Ten steps in their order; a copy outside git has neither commit nor workflow to see."""
    outcome = check(pack, checked_at=NOW)
    assert [step.name for step in outcome.steps] == list(STEPS)
    assert len(STEPS) == 10
    found = {step.name: step.status for step in outcome.steps}
    assert failed(pack) == {}
    assert found["checkout"] == found["report kept 30 days"] == "not seen"
    assert found["compliance report"] == "skipped"
    others = set(STEPS) - {"checkout", "report kept 30 days", "compliance report"}
    assert {found[name] for name in others} == {"ok"}


POLICY_MUTATIONS = [
    ("service: agentaskit", "", "completeness", "service is missing"),
    ("  target: 99.9", "  target: 99.5", "completeness", "target must be at least 99.9, got 99.5"),
    ("  target: 99.9", "  target: 100", "policy syntax", "target must be below 100 per cent"),
    ("  target: 99.9", "  targt: 99.9", "completeness", "availability.target is missing, is it 't"),
    ("    - name: slow", "    - name: slowly", "completeness", "window 'slow' is missing"),
    ("      lookback: 6h\n", "", "completeness", "window 'slow': lookback is missing"),
    ("      lookback: 6h\n", "      lookback: six\n", "policy syntax", "duration must be written"),
    ("burn_rate: 14.4", "burn_rate: -1", "policy syntax", "burn_rate must be a number above 0"),
    ("  p95_ms: 50\n", "", "completeness", "latency.p95_ms is missing"),
    ("  p95_ms: 50\n", "  p95_ms: fast\n", "policy syntax", "latency.p95_ms must be a number"),
    ("  p99_ms: 100\n", "  p99_ms: 40\n", "policy syntax", "p99_ms must be at least p95_ms (50)"),
    ("startup_time:", "startup:", "completeness", "startup_time is missing, is it 'startup'?"),
    ("  windows:", "  windows: none\n  others:", "policy syntax", "windows must be a list"),
    ("availability:\n", "availability: [\n", "policy syntax", "this is not YAML"),
    ("latency: ", "service: x\nlatency: ", "policy syntax", "duplicate key 'service'"),
]


@pytest.mark.parametrize(("right", "wrong", "step", "reason"), POLICY_MUTATIONS)
def test_a_policy_that_lacks_or_weakens_something_fails_by_name(pack, right, wrong, step, reason):
    """With file, line and column."""
    edit(pack / "slo" / "policies.yaml", right, wrong)
    found = failed(pack)
    assert reason in found[step]
    assert found[step].startswith(f"{pack / 'slo' / 'policies.yaml'}:")


def test_a_missing_policy_fails_by_name_and_what_needs_it_is_skipped(pack):
    """One failure, not five."""
    (pack / "slo" / "policies.yaml").unlink()
    found = failed(pack)
    assert found == {"policy exists": f"{pack / 'slo' / 'policies.yaml'}: no such file"}
    assert statuses(pack)["burn-rate thresholds"] == "skipped"
    assert not check(pack, checked_at=NOW).passed


BURN, ALIGN = "burn-rate thresholds", "dashboard/alert alignment"
RULE_MUTATIONS = [
    ("slo", "> 14.4", "> 10", BURN, "FastBurnRateHigh fires at > 10, it must be > 14.4"),
    ("slo", "> 6.0", "> 0.6e1 + 1", BURN, "SlowBurnRateHigh fires at > 7, it must be > 6"),
    ("slo", "0.001 > 14.4", "0.002 > 14.4", BURN, "fires at > 14.4, it must be > 7.2"),
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
    ("slo", "> 14.4", "> > 14.4", "alert syntax", "expr is not PromQL"),
    ("slo", "groups:", "groups: [", "alert syntax", "this is not YAML"),
    ("slo", "        for: 5m", "        four: 5m", "alert syntax", "unknown key 'four', did you m"),
    ("slo", "{{ printf", "{{ prontf", "alert syntax", 'function "prontf" not defined'),
]


@pytest.mark.parametrize(("name", "right", "wrong", "step", "reason"), RULE_MUTATIONS)
def test_a_rule_that_differs_from_the_policy_fails_by_name(
    pack, name, right, wrong, *, step, reason
):
    """Threshold, direction, window, quantile, divisor, labels, syntax; with its place."""
    edit(pack / "alerts" / f"{name}.yaml", right, wrong)
    found = failed(pack)
    assert reason in found[step]
    assert found[step].startswith(f"{pack}/")


PANEL_MUTATIONS = [
    (
        "sla",
        '"value": 14.4',
        '"value": 10',
        "'Burn rate 1h' of 'AgentAsKit / SLA' has the threshol",
    ),
    ("sla", '"value": 99.9', '"value": 99.99', "AvailabilitySLOBreach fires at 99.9"),
    ("sla", '"value": 50\n', '"value": 55\n', "ErrorBudgetExhausted"),
    ("throughput", '"value": 10000\n', '"value": 9000\n', "TaskThroughputBelowTarget fires at 10"),
    ("capacity", '"value": 90\n', '"value": 95\n', "AgentCapacityNearLimit fires at 90"),
    ("capacity", '"value": 5000\n', '"value": 4000\n', "CriticalTaskQueueDepth fires at 5000"),
    ("capacity", "10737.41824", "10000", "HighMemoryUsage fires at 10737.41824"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "reason"), PANEL_MUTATIONS)
def test_a_panel_whose_threshold_differs_from_the_alerts_fails_by_name(
    pack, name, right, wrong, reason
):
    """In the panel's own unit. A threshold beside the alert's is no difference."""
    edit(pack / "dashboards" / f"{name}.json", right, wrong)
    if reason == "ErrorBudgetExhausted":
        assert failed(pack) == {}
        return
    found = failed(pack)
    assert reason in found[ALIGN]
    assert f"{name}.json:" in found[ALIGN]


def test_a_stricter_policy_names_every_rule_that_no_longer_agrees(pack):
    """Changing the objective first, then following the names, is how the pack is changed."""
    edit(pack / "slo" / "policies.yaml", "target: 99.9 ", "target: 99.95 ")
    found = failed(pack)
    assert "FastBurnRateHigh" in found[BURN]
    assert "SlowBurnRateHigh" in found[BURN]
    assert "AvailabilitySLOBreach fires at < 99.9, it must be < 99.95" in found[ALIGN]
    assert "ErrorBudgetExhausted reckons with an error budget of 0.1 %" in found[ALIGN]


@pytest.mark.parametrize(
    ("folder", "step"), [("alerts", "alert syntax"), ("dashboards", "dashboard/alert alignment")]
)
def test_a_pack_without_alerts_or_dashboards_fails_by_name(pack, folder, step):
    """Nothing to compare is no agreement."""
    shutil.rmtree(pack / folder)
    assert f"{pack / folder}: no " in failed(pack)[step]


def test_a_dashboard_that_is_no_json_fails_with_its_place(pack):
    """As every other file."""
    edit(pack / "dashboards" / "sla.json", '"panels": [', '"panels": [,')
    assert "sla.json:" in failed(pack)["dashboard/alert alignment"]


def test_windows_may_be_a_mapping_by_name(pack):
    """`fast: {window: 1h, burn_rate: 14.4}` says the same as the list."""
    path = pack / "slo" / "policies.yaml"
    head, tail = path.read_text().split("  windows:")
    windows = "\n    fast: {window: 1h, burn_rate: 14.4}\n    slow: {window: 6h, burn_rate: 6}\n"
    path.write_text(f"{head}  windows:{windows}\nlatency:{tail.split('latency:')[1]}")
    assert failed(pack) == {}


def test_a_pack_that_is_no_directory_is_bad_input(tmp_path):
    """That is no defect of a pack but of the question."""
    with pytest.raises(InputError, match="must be a directory that is there"):
        check(tmp_path / "nowhere", checked_at=NOW)


OLDER_RULES = r"""---
groups:
  - name: slo
    rules:
      - alert: AvailabilitySLOBreach
        expr: |
          100 * (1 - (sum(rate(http_requests_total{status=~"5.."}[5m]))
          / sum(rate(http_requests_total[5m])))) < 99.9
        labels: {severity: critical, slo: availability}
        annotations: {summary: "{% raw %}{{ $value | humanizePercentage }}{% endraw %}"}
      - alert: ErrorBudgetExhausted
        expr: |
          100 * ((1 - 0.999) - (sum(rate(http_requests_total{status=~"5.."}[30d]))
          / sum(rate(http_requests_total[30d])))) / (1 - 0.999) < 10
        labels: {severity: warning, slo: error_budget}
        annotations: {summary: budget}
      - alert: FastBurnRateHigh
        expr: |
          (sum(rate(http_requests_total{status=~"5.."}[1h]))
          / sum(rate(http_requests_total[1h]))) / (1 - 0.999) > 14.4
        labels: {severity: critical, slo: burn_rate, window: fast}
        annotations: {summary: fast}
      - alert: SlowBurnRateHigh
        expr: |
          (sum(rate(http_requests_total{status=~"5.."}[6h]))
          / sum(rate(http_requests_total[6h]))) / (1 - 0.999) > 6.0
        labels: {severity: warning, slo: burn_rate, window: slow}
        annotations: {summary: slow}
      - alert: P95LatencySLOBreach
        expr: histogram_quantile(0.95, rate(agentaskit_response_duration_seconds_bucket[5m])) > 0.05
        labels: {severity: warning, slo: latency, percentile: p95}
        annotations: {summary: p95}
      - alert: P99LatencySLOBreach
        expr: 0.1 < histogram_quantile(0.99, rate(agentaskit_response_duration_seconds_bucket[5m]))
        labels: {severity: warning, slo: latency, percentile: p99}
        annotations: {summary: p99}
      - alert: AgentStartupTimeSLOBreach
        expr: histogram_quantile(0.95, rate(agentaskit_agent_startup_duration_seconds_bucket[5m]))
          * 1000 > 100
        labels: {severity: warning, slo: startup_time}
        annotations: {summary: startup}
      - alert: TaskThroughputBelowTarget
        expr: sum(rate(agentaskit_tasks_processed_total[1m])) < 10000
        labels: {severity: warning}
        annotations: {summary: tasks}
      - alert: HighMemoryUsage
        expr: sum(agentaskit_memory_bytes) / 1024 / 1024 / 1024 > 10
        labels: {severity: warning}
        annotations: {summary: memory}
"""


def older_dashboard(throughput=10000, memory=10240, burn_rate=14.4):
    """Return a dashboard as Grafana 5 to 7 wrote them: `graph`, no datasource, rows."""
    errors = (
        'sum(rate(http_requests_total{status=~"5.."}[1h])) / sum(rate(http_requests_total[1h]))'
    )
    graphs = [
        {
            "title": "Tasks",
            "type": "graph",
            "targets": [{"expr": "sum(rate(agentaskit_tasks_processed_total[1m]))"}],
            "alert": {"conditions": [{"evaluator": {"type": "lt", "params": [throughput]}}]},
        },
        {
            "title": "Memory",
            "type": "graph",
            "targets": [{"expr": "sum by (tier) (agentaskit_memory_bytes) / 1024 / 1024"}],
            "thresholds": [{"value": memory, "op": "gt"}],
        },
        {
            "title": "Burn",
            "type": "singlestat",
            "targets": [{"expr": f"({errors}) / (1 - 0.999)"}],
            "thresholds": f"1,{burn_rate}",
        },
    ]
    return json.dumps({"title": "Older", "rows": [{"panels": graphs}]})


@pytest.fixture
def older(tmp_path):
    """Return a pack in the form that users have had for years."""
    for name in ("alerts", "slo", "dashboards"):
        (tmp_path / name).mkdir()
    shutil.copy(PACK / "slo" / "policies.yaml", tmp_path / "slo")
    (tmp_path / "alerts" / "slo.yaml").write_text(OLDER_RULES)
    (tmp_path / "dashboards" / "older.json").write_text(older_dashboard())
    return tmp_path


def test_a_pack_in_older_form_holds_and_its_traps_are_told(older):
    """Other forms of the same conditions, legacy panels; unwise is told, not failed."""
    outcome = check(older, checked_at=NOW)
    assert failed(older) == {}
    assert sum(bool(own) for one in outcome.drawn for _, _, own in one.panels) == 3
    said = "\n".join(map(str, outcome.findings))
    for trap in (
        "holds Jinja residue",
        "AvailabilitySLOBreach: humanizePercentage multiplies by 100",
        "it would read 9990%",
        "P95LatencySLOBreach: histogram_quantile without `sum by (le)`",
        "FastBurnRateHigh: a burn rate over a single window",
        "TaskThroughputBelowTarget: a sum of nothing is nothing",
    ):
        assert trap in said


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"throughput": 9000}, "TaskThroughputBelowTarget fires at 10000"),
        ({"memory": 10000}, "HighMemoryUsage fires at 10240"),
        ({"burn_rate": 14}, "FastBurnRateHigh fires at 14.4"),
    ],
)
def test_a_threshold_that_differs_is_seen_in_older_panels_too(older, wrong, reason):
    """In an embedded alert, in the thresholds of a graph, of a singlestat."""
    (older / "dashboards" / "older.json").write_text(older_dashboard(**wrong))
    assert reason in failed(older)["dashboard/alert alignment"]


def test_the_traps_that_the_pack_mended_are_not_told(pack):
    """No residue, no split quantile, and the extras guard the throughput alerts."""
    said = "\n".join(map(str, check(pack, checked_at=NOW).findings))
    assert "a burn rate over a single window" in said
    assert "the same condition as AgentStartupSlow" in said
    assert "they must tell the same story" in said
    for mended in ("Jinja", "humanizePercentage", "sum by (le)", "a sum of nothing"):
        assert mended not in said
    (pack / "alerts" / "extras.yaml").unlink()
    said = "\n".join(map(str, check(pack, checked_at=NOW).findings))
    assert "TaskThroughputBelowTarget: a sum of nothing" in said


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
    assert check(pack, checked_at=NOW).steps[0].reasons == (f"commit {commit}, pack unchanged",)
    edit(pack / "alerts" / "extras.yaml", "30s", "31s")
    [reason] = check(pack, checked_at=NOW).steps[0].reasons
    assert reason == f"commit {commit}, 1 files of the pack changed since"


@pytest.mark.parametrize(
    ("right", "wrong", "status", "reason"),
    [
        ("days: 30", "days: 30", "ok", "slo.yml keeps it 30 days or longer"),
        ("days: 30", "days: 90", "ok", "slo.yml keeps it 30 days or longer"),
        ("days: 30", "days: 7", "fail", "slo.yml:8:27: retention-days must be at least 30, got 7"),
        (
            "retention-days: 30",
            "name: report",
            "fail",
            "retention-days must be at least 30, got No",
        ),
        ("actions/upload-artifact@v4", "actions/cache@v4", "fail", "never uploads its report"),
        ("slo check", "doctor", "not seen", "no workflow in"),
        ("jobs:", "jobs: [", "fail", "this is not YAML"),
    ],
)
def test_the_workflow_that_runs_the_check_must_keep_its_report(
    pack, right, wrong, *, status, reason
):
    """Read from the workflow beside the pack."""
    folder = pack.parent / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "slo.yml").write_text(WORKFLOW.replace(right, wrong))
    step = check(pack, checked_at=NOW).steps[9]
    assert step.status == status
    assert reason in step.reasons[0]


def test_this_repository_keeps_its_own_report_30_days():
    """Its workflow runs every 30 minutes and on every change of what is checked."""
    step = check(PACK, checked_at=NOW).steps[9]
    assert step.status == "ok"
    text = (PACK.parent / ".github" / "workflows" / "slo-check.yml").read_text()
    assert 'cron: "*/30 * * * *"' in text
    for watched in ("slo", "alerts", "dashboards"):
        assert text.count(f"- observability/{watched}/**") == 2


def test_budget_and_times_to_exhaustion_follow_from_the_policy(pack):
    """30 days are 43200 minutes: 0.1 % of them are 43.2; at 14.4 times 50 h, at 6 times 5 days."""
    budget = budget_of(check(pack, checked_at=NOW).policy)
    assert budget["allowed_share"] == pytest.approx(0.001)
    assert budget["full_outage_exhaustion_s"] == pytest.approx(43.2 * 60)
    fast, slow = budget["windows"]
    assert fast["exhaustion_s"] == pytest.approx(50 * 3600)
    assert slow["exhaustion_s"] == pytest.approx(5 * 86400)
    assert (fast["budget_spent_share"], slow["budget_spent_share"]) == pytest.approx((0.02, 0.05))
    assert (fast["outage_s"], slow["outage_s"]) == pytest.approx((51.84, 129.6))
    edit(pack / "slo" / "policies.yaml", "target: 99.9 ", "target: 99.99 ")
    stricter = budget_of(check(pack, checked_at=NOW).policy)
    assert stricter["full_outage_exhaustion_s"] == pytest.approx(4.32 * 60)
    assert stricter["windows"][0]["exhaustion_s"] == pytest.approx(50 * 3600)


def test_the_report_tells_everything_and_is_the_same_for_the_same_pack(pack):
    """Steps, budget, objectives, panels, findings; the time is given, not taken."""
    outcome = check(pack, checked_at=NOW)
    report = markdown(outcome)
    assert report == markdown(check(pack, checked_at=NOW))
    assert report.startswith("# SLO compliance of agentaskit: ")
    assert "checked 2026-01-05 12:30:00 UTC" in report
    for line in (
        "| 7 | burn-rate thresholds | ok | rules and policy agree: fast 14.4 over 1h, slow 6 ov",
        "- full outage: the budget is exhausted in 43m12s",
        "| latency p95 | 50 ms | P95LatencySLOBreach | yes |",
        "| FastBurnRateHigh | 14.4 | Burn rate 1h (AgentAsKit / SLA) | 14.4 |",
        "| HighAgentChurnRate | 100 | no panel | - |",
        "## Findings",
    ):
        assert line in report
    edit(pack / "alerts" / "slo.yaml", "> 14.4", "> 10")
    broken = check(pack, checked_at=NOW)
    assert "agentaskit: FAIL" in markdown(broken)
    assert "| burn rate, window fast | 14.4 over 1h | ErrorBudgetBurnFast" in markdown(broken)
    assert "FastBurnRateHigh | NO |" in markdown(broken)
    assert document(broken)["verdict"] == "fail"
