"""The benchmark of scrapes: its limits bite, and a few seconds of it run through."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from benchmarks import scrape_load
from benchmarks.scrape_clients import Tally
from benchmarks.scrape_load import check_latencies, compare
from benchmarks.scrape_peers import Usage

QUICK = Tally(latencies_s=[0.010] * 100, lateness_s=[0.001] * 100)


def failed(checks):
    """Return the names of the lines that exceed their limit."""
    return [check.name for check in checks if not check.ok]


def test_what_is_quick_and_without_errors_passes():
    """30 ms at the 99th percentile are allowed; a single slow scrape in a thousand is."""
    assert failed(check_latencies(QUICK)) == []
    assert failed(check_latencies(Tally(latencies_s=[0.03] * 999 + [9.0]))) == []


@pytest.mark.parametrize(
    ("name", "tally"),
    [
        ("errors", Tally(latencies_s=[0.01] * 99, errors=1)),
        ("p99", Tally(latencies_s=[0.01] * 97 + [0.04] * 3)),
        ("p99", Tally()),
    ],
)
def test_an_error_and_a_slow_hundredth_are_noticed(name, tally):
    """So is a run in which nothing was answered."""
    assert failed(check_latencies(tally)) == [name]


def test_the_plain_exporter_is_set_beside_ours_and_has_no_limit():
    """Its ratios are those of medians, of 99th percentiles and of processor time."""
    ours, peer = Usage(QUICK, 0.1, 100), Usage(Tally(latencies_s=[0.05] * 100), 0.4, 100)
    lines = {check.name: check.measured for check in compare(ours, peer)}
    assert lines["plain / ours: median, p99"] == "5.0, 5.0"
    assert lines["CPU of a scrape"] == "1.00 ms"
    assert lines["plain / ours: CPU"] == "4.0"


@pytest.mark.parametrize(("arguments", "times"), [((), 1), (("--times", "3"), 3)])
def test_hostile_clients_come_as_often_as_asked(monkeypatch, capsys, arguments, times):
    """A slow hundredth shows in one run of a few, so one run says little."""
    monkeypatch.setattr(scrape_load, "Serve", lambda *_: nullcontext())
    monkeypatch.setattr(scrape_load, "loaded", lambda _: None)
    monkeypatch.setattr(scrape_load, "SETTLE_S", 0.0)
    monkeypatch.setattr(scrape_load, "check_hostile", lambda *_: check_latencies(QUICK))
    assert scrape_load.main([*arguments, "hostile"]) == 0
    assert capsys.readouterr().out.count("hostile clients, others meanwhile") == times


def test_a_part_that_does_not_exist_is_refused(capsys):
    """Before anything is started."""
    with pytest.raises(SystemExit):
        scrape_load.main(["shorter"])
    assert "no part is called shorter" in capsys.readouterr().err


@pytest.mark.long
def test_a_few_seconds_of_each_part_run_through(capsys):
    """Nobody meets an error, hostile clients are all cut; nothing else is a matter of this test."""
    scrape_load.main(["--seconds", "3", "--each", "2", "--series", "3000"])
    out = capsys.readouterr().out
    errors = [line for line in out.splitlines() if line.startswith("  errors ")]
    cuts = [line for line in out.splitlines() if "cut, latest after" in line]
    assert len(errors) == 5
    assert len(cuts) == 10
    assert all(line.endswith(" ok") for line in (*errors, *cuts)), out
