"""What is read of two engines, and when it is asked why they differ."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from verifier.engines import judge
from verifier.engines.judge import EngineReading, EnginesJudge, _reading
from verifier.evaluation.timeline import Episode, Timeline
from verifier.judge.verdict import Engine

FIRES = Timeline("High", (), (Episode(0.0, 60.0, 300.0),))
LATER = Timeline("High", (), (Episode(0.0, 75.0, 300.0),))


def test_a_reading_names_the_alerts_that_fail_once_and_an_engine_without_a_version():
    """In the order of the verdicts."""
    verdicts = [
        SimpleNamespace(alert=alert, ok=ok)
        for alert, ok in (("b", False), ("a", True), ("b", False), ("c", False))
    ]
    evaluation = SimpleNamespace(timelines=(FIRES,), not_judged=("n",))
    for version, stated in (("2.1", "2.1"), ("", "unknown"), (None, "unknown")):
        server = SimpleNamespace(name="engine", version=version)
        assert _reading(server, evaluation, verdicts) == EngineReading(
            Engine(name="engine", version=stated), (FIRES,), ("b", "c"), ("n",)
        )


class NotedReckoning:
    """Notes on what it recomputes."""

    made: list[object] = []  # noqa: RUF012 - emptied by each test

    def __init__(self, histories):
        """Note it."""
        self.made.append(histories)

    def __enter__(self):
        """Begin."""
        return self

    def __exit__(self, *exception):
        """End."""


@pytest.mark.parametrize(
    ("timelines", "asked"),
    [
        ([(FIRES,), (LATER,)], True),
        ([(FIRES,), (FIRES,)], False),
        ([(FIRES,)], False),
        ([(FIRES,), (LATER,), (FIRES,)], False),
        ([(), ()], False),
    ],
)
def test_it_is_explained_of_two_engines_that_differ(monkeypatch, timelines, asked):
    """By what each may be, on what each holds; of the alerts that differ alone."""
    explained = []
    monkeypatch.setattr(judge, "Reckoning", NotedReckoning)
    monkeypatch.setattr(
        judge, "explain", lambda *given_over: explained.append(given_over) or ("x",)
    )
    NotedReckoning.made.clear()
    names = ("prometheus", "victoria-metrics", "third")
    readings = [
        EngineReading(Engine(name=name, version="3.0"), lines, ())
        for name, lines in zip(names, timelines, strict=False)
    ]
    servers = [SimpleNamespace(histories=[number]) for number in range(len(timelines))]
    own = EnginesJudge("rules", ())
    result = own._explained(readings, servers, "schedule")
    assert result == (("x",) if asked else ())
    assert NotedReckoning.made == ([((0,), (1,))] if asked else [])
    if asked:
        ((pair, _, changes),) = explained
        assert (pair.names, pair.servers) == (names[:2], tuple(servers))
        assert (pair.rules, pair.schedule) == ("rules", "schedule")
        assert [len(traits) for traits in pair.traits] == [2, 1]
        assert [change.alert for change in changes] == ["High"]
