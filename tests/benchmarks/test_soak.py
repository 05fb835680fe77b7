"""`make soak`: what it says of figures that are known, and a minute of it on a real world."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from benchmarks import soak
from benchmarks.soak import Sample, judge

STEADY = [
    Sample(at_s, 200 << 20, 40, 8, 300 if at_s % 60 >= 45 else 1300, 0.001)
    for at_s in range(0, 3600, 5)
]
"""An hour at rest, in which a fault adds a thousand series for a while in each minute."""


def failed(samples):
    """Return the names of the figures that exceed their limit."""
    return [figure.name for figure in judge(samples) if not figure.ok]


def test_an_hour_that_stays_as_it_was_passes():
    """What a fault holds while it lasts is no growth."""
    assert failed(STEADY) == []
    assert soak.growth_bytes_per_h(STEADY) == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("memory, growth in an hour", lambda s: {"rss_bytes": s.rss_bytes + int(s.at_s * 700)}),
        ("open files", lambda s: {"descriptors": 40 + int(s.at_s > 2000)}),
        ("threads", lambda s: {"threads": 8 + int(s.at_s > 2000)}),
        ("series", lambda s: {"series": 300 + int(s.at_s / 200)}),
        ("series", lambda _: {"series": None}),
    ],
)
def test_what_grows_is_found(name, change):
    """2.4 MB of memory in an hour, one more descriptor or thread, a series every minute."""
    assert failed([replace(sample, **change(sample)) for sample in STEADY]) == [name]


def test_growth_within_the_limit_and_in_the_warm_up_passes():
    """1.8 MB in an hour; and whatever is allocated in the first quarter."""
    slow = [replace(s, rss_bytes=s.rss_bytes + int(s.at_s * 520)) for s in STEADY]
    early = [replace(s, rss_bytes=s.rss_bytes - (50 << 20) * (s.at_s < 800)) for s in STEADY]
    assert failed(slow) == failed(early) == []


@pytest.mark.long
def test_a_minute_of_it_has_a_fault_and_every_figure(tmp_path, capsys):
    """Real server, real Prometheus; a minute is too short for its slope to say anything."""
    status = soak.main(["--minutes", "1.2", "--json", str(tmp_path / "soak.json")])
    document = json.loads((tmp_path / "soak.json").read_text())
    wrong = {f["name"] for f in document["findings"] if not f["ok"]}
    assert wrong <= {"memory, growth in an hour"}, capsys.readouterr().out
    assert status == int(bool(wrong))
    assert sum(document["faults"].values()) == 2
    assert len(document["samples"]) >= 12
    assert {"rss_bytes", "descriptors", "threads", "series", "loop_lag_s"} <= set(
        document["samples"][0]
    )
