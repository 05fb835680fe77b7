"""Traps are found in packs that have them, and only there."""

from __future__ import annotations

from tests.verifier.slo.packs import NOW, failed
from verifier.slo.check import check


def test_a_pack_in_older_form_passes_and_its_traps_are_findings(older):
    """Other forms of the same conditions, legacy panels; what is unwise is a finding only."""
    outcome = check(older, checked_at=NOW)
    assert failed(older) == {}
    assert sum(bool(p.thresholds) for alert in outcome.alert_panels for p in alert.panels) == 3
    findings = "\n".join(map(str, outcome.findings))
    for trap in (
        "holds Jinja residue",
        "AvailabilitySLOBreach: humanizePercentage multiplies by 100",
        "it would show 9990%",
        "P95LatencySLOBreach: histogram_quantile without `sum by (le)`",
        "FastBurnRateHigh: a burn rate over a single window",
        "TaskThroughputBelowTarget: without series a sum has no value",
    ):
        assert trap in findings


def test_the_traps_that_the_pack_avoids_are_no_findings(pack):
    """No residue, no split quantile; the extras ask whether the throughput metrics are there."""
    findings = "\n".join(map(str, check(pack, checked_at=NOW).findings))
    assert "a burn rate over a single window" in findings
    assert "the same condition as AgentStartupSlow" in findings
    assert "they should show the same" in findings
    for avoided in ("Jinja", "humanizePercentage", "sum by (le)", "a sum has no value"):
        assert avoided not in findings
    (pack / "alerts" / "extras.yaml").unlink()
    findings = "\n".join(map(str, check(pack, checked_at=NOW).findings))
    assert "TaskThroughputBelowTarget: without series a sum has no value" in findings
