"""The cost of many cells: measured, put together, written beside the other figures."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rich.console import Console

from benchmarks.scale import cost, store
from tests.verifier.stores.pieces import piece
from tests.verifier.stores.scripted_store import ScriptedStore


def test_the_figures_of_a_system_are_its_own(monkeypatch):
    """Two cells for a moment: a cost, a speed and a size that can be."""
    monkeypatch.setattr(cost, "CELL_DRAWS", 2)
    monkeypatch.setattr(cost, "DRAW_S", 0.05)
    monkeypatch.setattr(cost, "WARM_UP_S", 0.2)
    monkeypatch.setattr(cost, "stay_on_one_core", lambda: False)
    figures = cost.measure_here(2)
    assert figures["cells"] == 2
    assert 5 < figures["ns_per_event"] < 5_000
    assert figures["times_real_time"] > 0.5
    # In a process that has run other tests there is memory to be used again.
    assert 0 <= figures["bytes_per_cell"] < 100e6


def test_medians_are_taken_and_the_smallest_comes_first(monkeypatch, tmp_path, capsys):
    """What was measured before by others stays in the file."""
    latest = tmp_path / "latest.json"
    latest.write_text('{"ratio": 80.0}')
    costs = iter([30.0, 10.0, 31.0, 20.0, 90.0, 11.0])

    def run(command, **_):
        each = {"cells": int(command[-1]), "ns_per_event": next(costs)}
        each |= {"times_real_time": 2.0, "bytes_per_cell": 7e6}
        return type("Done", (), {"stdout": json.dumps(each)})

    monkeypatch.setattr(cost.subprocess, "run", run)
    monkeypatch.setattr(cost, "LATEST", latest)
    monkeypatch.setattr("sys.argv", ["cost", "--cells", "10", "1"])
    cost.main()
    document = json.loads(latest.read_text())
    assert document["ratio"] == 80.0
    assert [each["cells"] for each in document["scale"]] == [1, 10]
    assert [each["ns_per_event"] for each in document["scale"]] == [11.0, 31.0]
    assert "2.82" in capsys.readouterr().out
    cost.print_table(document["scale"], Console())


class ListeningStore(ScriptedStore):
    """Stands in for a store that is killed and starts again."""

    pid = None

    def __hash__(self):
        """Be one of its kind."""
        return id(self)


@pytest.mark.parametrize("lost", [False, True])
def test_stores_are_measured_by_turns_and_a_sample_that_is_missing_is_status_1(
    monkeypatch, tmp_path, capsys, lost
):
    """Every contender in each round; what is not found again is said, saved, and the status."""
    monkeypatch.setattr(store, "LATEST", tmp_path / "latest.json")
    monkeypatch.setattr(store, "find", lambda _: "there")
    monkeypatch.setattr(store, "make_history", lambda *_: [piece(0)])
    monkeypatch.setattr(store, "VictoriaMetrics", ListeningStore)
    monkeypatch.setattr(store, "kill_in_the_middle", lambda *_: None)
    contenders = {name: (ListeningStore, n) for name, (_, n) in store.CONTENDERS.items()}
    monkeypatch.setattr(store, "CONTENDERS", contenders)
    quick = store.SendingSetup(safe_s=0.0, readable_s=0.1)
    monkeypatch.setattr(store, "SendingSetup", lambda **_: quick)
    if lost:
        monkeypatch.setattr(store.Sender, "finish", missing_one(store.Sender.finish))
    monkeypatch.setattr("sys.argv", ["store", "--rounds", "2"])
    with pytest.raises(SystemExit) as ended:
        store.main()
    assert ended.value.code == lost
    document = json.loads((tmp_path / "latest.json").read_text())["store"]
    assert [each["whole"] for each in document["stores"]] == [not lost] * 3
    assert document["killed"]["missing"] == lost
    assert capsys.readouterr().out.count("round 2 of 2") == 3


def missing_one(finish):
    """Return a `finish` that says that a sample is missing."""
    return lambda way: replace(finish(way), missing=1)
