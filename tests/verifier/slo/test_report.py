"""The compliance report: what the budget allows, and everything that the check found."""

from __future__ import annotations

import pytest

from tests.verifier.slo.packs import NOW, edit
from verifier.slo.check import check
from verifier.slo.compliance import Compliance, Step
from verifier.slo.report import budget_of, document, markdown


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


@pytest.mark.parametrize(
    ("statuses", "passed"),
    [
        (("ok", "ok"), True),
        (("ok", "not seen"), True),
        (("not seen", "ok"), True),
        (("ok", "skipped"), False),
        (("skipped", "not seen"), False),
        (("fail", "ok"), False),
        (("ok", "fail"), False),
        (("skipped", "fail"), False),
    ],
)
def test_a_check_passes_when_all_that_can_be_seen_was_compared(statuses, passed):
    """What had to be skipped was not: no failure stands there, and no pass either."""
    steps = tuple(Step(name, status, ("why",)) for name, status in zip("ab", statuses, strict=True))
    outcome = Compliance(
        pack="p",
        checked_at=NOW,
        engine="",
        steps=steps,
        policy=None,
        objectives=(),
        alert_panels=(),
        findings=(),
    )
    assert outcome.passed is passed
    assert document(outcome)["verdict"] == ("pass" if passed else "fail")
    stated = markdown(outcome).partition("\n")[0]
    assert stated.endswith(": pass" if passed else ": FAIL")


def test_the_report_has_every_part_and_is_the_same_for_the_same_pack(pack):
    """Steps, budget, objectives, panels, findings; the time is an argument."""
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
