"""What two machines have in common, and what tells them apart."""

from __future__ import annotations

import pytest

from verifier.cluster import machine
from verifier.errors import JudgeError


def test_the_checksum_is_of_the_code_wherever_it_is_installed(tmp_path, monkeypatch):
    """The same files in two folders are the same code; one other byte is other code."""
    sums = []
    for folder, text in (("a", "x = 1"), ("b/c", "x = 1"), ("d", "x = 2")):
        room = tmp_path / folder / "verifier"
        room.mkdir(parents=True)
        (room / "module.py").write_text(text)
        monkeypatch.setattr(machine, "PROJECT", tmp_path / folder)
        sums.append(machine.code_checksum())
    assert sums[0] == sums[1] != sums[2]


@pytest.mark.parametrize(
    ("here", "worker", "said"),
    [
        ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, None),
        ({"a": "1", "b": "2"}, {"a": "1", "b": "3"}, "b is 3 there and 2 here"),
        ({"a": "1", "b": "2"}, {"a": "2", "b": "3"}, "a is 2 there and 1 here"),
        ({"a": "1"}, {}, "a is nothing there and 1 here"),
        ({}, {"a": "1"}, "a is 1 there and nothing here"),
    ],
)
def test_the_first_thing_that_differs_is_said(here, worker, said):
    """What only one of them has differs, too."""
    assert machine.difference(here, worker) == said


def test_a_machine_is_all_that_decides_a_verdict(monkeypatch):
    """Twelve digits of its code; a Prometheus that is missing or does not run is said."""
    own = machine.this_machine()
    assert list(own) == [
        "agentaskit-sim", "its code", "Python", "numpy", "numba", "promql-parser", "google-re2",
        "processor", "prometheus",
    ]  # fmt: skip
    assert len(own["its code"]) == 12
    assert own["Python"].count(".") == 1
    monkeypatch.setattr(machine, "describe", lambda _: None)
    assert machine.this_machine()["prometheus"] == "not installed"
    monkeypatch.setattr(machine, "describe", lambda _: (_ for _ in ()).throw(JudgeError("no")))
    assert machine.this_machine() == {"prometheus": "no"}
