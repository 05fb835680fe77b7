"""The benchmark of the report: a run is measured, and each limit can be exceeded."""

from __future__ import annotations

import subprocess

import pytest

from benchmarks.report import cost
from benchmarks.report.cost import RunCost, checks, timed

DRAWN = RunCost(cpu_s=102.0, wall_s=55.0, size_bytes=1_100_000, made_s=0.01)
UNDRAWN = RunCost(cpu_s=100.0, wall_s=54.0, size_bytes=200_000, made_s=0.01)


def exceeded(**changes: float) -> list[str]:
    """Return the checks that fail when the run that draws is changed so; the other stays."""
    drawn = {name: getattr(DRAWN, name) for name in DRAWN.__slots__} | changes
    return [check.name for check in checks([(RunCost(**drawn), UNDRAWN)] * 3) if not check.ok]


def test_each_limit_can_be_exceeded():
    """Too large, too slow to make, too dear to draw; nothing else is a failure."""
    assert exceeded() == []
    assert exceeded(size_bytes=2_000_001) == ["report of the library"]
    assert exceeded(made_s=3.1) == ["put together, with the other results"]
    assert exceeded(cpu_s=105.1) == ["processor time that drawing adds"]


def test_the_median_of_the_pairs_counts():
    """One pair that something disturbed changes nothing; the largest report does."""
    odd = RunCost(cpu_s=150.0, wall_s=90.0, size_bytes=3_000_000, made_s=9.0)
    result = checks([(DRAWN, UNDRAWN), (odd, UNDRAWN), (DRAWN, UNDRAWN)])
    assert [check.name for check in result if not check.ok] == ["report of the library"]


@pytest.mark.long
@pytest.mark.parametrize("draws", [True, False])
def test_a_run_without_drawing_has_a_report_without_charts(tmp_path, draws):
    """The very process that is measured, on one scenario; its processor time is counted."""
    measured = cost.measure(tmp_path, draws=draws, arguments=("exporter-restart",))
    report = (tmp_path / "report.html").read_bytes()
    assert (b'id="chart-scenario-exporter-restart"' in report) == draws
    assert measured.size_bytes == len(report)
    assert measured.cpu_s > 0.5
    assert 0 < measured.made_s < measured.wall_s


def test_what_makes_the_results_is_timed(tmp_path):
    """The texts are the same."""
    files = timed(lambda outcomes, _: {"report.html": str(len(outcomes))}, tmp_path / "seconds")
    assert files([]) == {"report.html": "0"}
    assert float((tmp_path / "seconds").read_text()) > 0


@pytest.mark.ci
def test_a_run_that_fails_is_no_measurement(tmp_path):
    """A scenario that does not exist."""
    with pytest.raises(subprocess.CalledProcessError):
        cost.measure(tmp_path, draws=True, arguments=("no-such-scenario",))
