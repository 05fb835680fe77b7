"""What the world counts: of which kind each quantity is, by which labels, and in what unit."""

from __future__ import annotations

from tests.verifier.truth.records import LAYOUT
from verifier.truth.quantities import QUANTITIES

BY_PRIORITY = ("tasks arrived", "tasks rejected", "tasks timed out", "tasks retried")
EXPECTED = {
    "requests": ("counter", ("status",), "", 1.0),
    **dict.fromkeys(BY_PRIORITY, ("counter", ("priority",), "", 1.0)),
    "tasks processed": ("counter", ("priority", "outcome"), "", 1.0),
    "tasks in flight": ("gauge", ("priority",), "", 1.0),
    "tasks waiting": ("gauge", ("priority",), "", 1.0),
    "active agents": ("gauge", ("tier",), "", 1.0),
    "agents": ("gauge", ("tier",), "", 1.0),
    "agents started": ("counter", (), "", 1.0),
    "agents crashed": ("counter", (), "", 1.0),
    "messages delivered": ("counter", ("tier",), "", 1.0),
    "messages sent": ("counter", (), "", 1.0),
    "messages dropped": ("counter", (), "", 1.0),
    "messages waiting": ("gauge", (), "", 1.0),
    "bytes sent": ("counter", ("traffic",), "bytes", 1.0),
    "bytes received": ("counter", ("traffic",), "bytes", 1.0),
    "memory": ("gauge", ("tier",), "bytes", 1.0),
    "CPU time": ("counter", ("cpu", "mode"), "s", 1e-9),
    "sandbox slots": ("gauge", ("sandbox_type",), "", 1.0),
    "free sandbox slots": ("gauge", ("sandbox_type",), "", 1.0),
    "sandbox executions": ("counter", ("sandbox_type",), "", 1.0),
    "request durations": ("durations", (), "s", 1.0),
    "response durations": ("durations", (), "s", 1.0),
    "task durations": ("durations", (), "s", 1.0),
    "start-up durations": ("durations", (), "s", 1.0),
}


def test_every_quantity_has_its_kind_labels_and_unit():
    """A file of panel truths names them so."""
    read = {
        name: (each.kind, tuple(axis for axis, _ in each.axes), each.unit, each.scale)
        for name, each in QUANTITIES.items()
    }
    assert read == EXPECTED
    assert {name: tuple(labels) for name, labels in LAYOUT.labels.items()} == {
        name: axes for name, (_, axes, _, _) in EXPECTED.items()
    }


def test_the_values_of_labels_are_those_of_the_world():
    """Tiers, pools and cores of the topology; words that never change."""
    labels = {axis: values for each in LAYOUT.labels.values() for axis, values in each.items()}
    assert labels["status"] == ("200", "429", "500", "503", "504")
    assert labels["priority"] == ("critical", "high", "normal", "low")
    assert labels["traffic"] == ("message", "request")
    assert labels["cpu"] == tuple(map(str, range(len(labels["cpu"]))))
    assert {*labels} == {
        "status", "priority", "outcome", "tier", "traffic", "cpu", "mode", "sandbox_type",
    }  # fmt: skip
    for name, slice_ in LAYOUT.slices.items():
        grows = LAYOUT.growing[slice_]
        assert grows.all() == (EXPECTED[name][0] != "gauge")
        assert grows.any() == grows.all()
