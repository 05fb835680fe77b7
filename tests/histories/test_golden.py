"""The bundled scenarios are as they were recorded, and so are their histories, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.world import World
from tests.histories.golden import history, long_of, names, path_of, recorded, scenario_of, start_of
from tests.simulator.worlds import make

CHANGED = "another scenario: if that is meant, judge it in full and `make golden`"
HINT = "another world: if that is meant, `make golden` and say it in CHANGELOG.md"


def test_every_bundled_scenario_is_recorded_and_each_differs():
    """None is missing, none is left over, and no two are the same."""
    hashes = recorded()
    assert sorted(hashes) == names()
    for which in ("scenario", "start", "long"):
        assert len({entry[which] for entry in hashes.values()}) == len(hashes)


@pytest.mark.parametrize("name", names())
def test_a_scenario_says_what_was_recorded(name):
    """What is judged of it is long: that it is still the same is not."""
    assert scenario_of(path_of(name)) == recorded()[name]["scenario"], CHANGED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("duration: 40m", "duration: 39m"),
        ("seed: 42", "seed: 43"),
        ("start: 3m", "start: 4m"),
        ("ramp: 30s", "ramp: 31s"),
        ("factor: 2", "factor: 2.1"),
        ("fires_after: 13m", "fires_after: 12m"),
        ("receivers: [pagerduty-critical]", "receivers: [slack-warnings]"),
        ("P95LatencySLOBreach", "FastBurnRateHigh"),
        ("seed: 42", "seed: 42\npending: forbidden"),
    ],
)
def test_each_number_limit_and_name_of_a_scenario_counts(old, new, tmp_path):
    """Its story, comments and the lines on which things stand do not."""
    text = path_of("traffic-surge").read_text(encoding="utf-8")
    path = tmp_path / "traffic-surge.yaml"
    path.write_text("# A comment.\n" + text.replace("Twice", "Again twice"), encoding="utf-8")
    assert scenario_of(path) == recorded()["traffic-surge"]["scenario"]
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert scenario_of(path) != recorded()["traffic-surge"]["scenario"]


@pytest.mark.sampled(10)
@pytest.mark.parametrize("name", names())
def test_a_scenario_starts_as_recorded(name):
    """The first seconds, with all its faults in effect."""
    assert start_of(name) == recorded()[name]["start"], HINT


@pytest.mark.long
@pytest.mark.parametrize("name", names())
def test_twenty_minutes_of_a_scenario_are_as_recorded(name):
    """From its plan's start on, as it is."""
    assert long_of(name) == recorded()[name]["long"], HINT


def test_the_smallest_difference_is_another_history():
    """A byte of one agent, or one message more, is noticed."""
    histories = set()
    for table, column in ((None, 0), ("inbox", k.TAKEN), ("agent", k.LEAKED_BYTES)):
        world = make()
        if table is not None:
            getattr(world._state, table)[3, column] += 1
        histories.add(history(world, 1.0, 0.25))
    assert len(histories) == 3


@pytest.mark.parametrize(
    "change",
    [{"now_ns": 1}, {"saturation": np.nextafter(0.0, 1.0)}, {"exporter_up": False}, {"seed": 8}],
)
def test_every_column_of_a_snapshot_counts(change, monkeypatch):
    """Counts, reals and flags alike."""
    plain = history(make(), 0.5, 0.25)
    read = World.snapshot
    monkeypatch.setattr(World, "snapshot", lambda world: replace(read(world), **change))
    assert history(make(), 0.5, 0.25) != plain
