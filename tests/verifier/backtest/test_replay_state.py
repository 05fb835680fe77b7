"""How far a replay is, what failed of it and what it is refused, with servers that are planted."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.verifier.backtest.test_asking import FROM_S, PlantedServer, replayed
from tests.verifier.histories import rules
from verifier.backtest import slices
from verifier.backtest.replay import Replay, ReplayRequest, Stream, _go_through
from verifier.backtest.silence import SilenceCheck
from verifier.backtest.slices import Slice
from verifier.evaluation.timeline import Grid
from verifier.servers.prometheus import QueryError, RefusedQueryError, Series


def noting(parts):
    """Return an alert that notes the parts that it is evaluated on."""
    run = SimpleNamespace(states=None, evaluate_part=lambda *part: parts.append(part) or len(parts))
    return SimpleNamespace(run=run, record=SimpleNamespace(count_states=lambda _: None))


def test_each_alert_of_a_stream_counts_its_own_evaluations():
    """Those that failed among them; one that begins later has none of what lies before."""
    parts = []
    alerts = [noting(parts) for _ in range(4)]
    stream = Stream("x", Grid(0.0, 150.0, 15.0), 0.0, alerts, [0, 2, 4, 9])
    answer = [Series({}, (), ())]
    _go_through(stream, Slice(range(3, 7), answer, {3: "first", 5: "second"}))
    assert [(steps, failed) for steps, _, failed in parts] == [
        (range(3, 7), {3: "first", 5: "second"}),
        (range(1, 5), {1: "first", 3: "second"}),
        (range(3), {-1: "first", 1: "second"}),
        (range(0), {-6: "first", -4: "second"}),
    ]
    assert all(own is answer for _, own, _ in parts)
    assert (stream.done, stream.left) == (7, 4)


@pytest.mark.parametrize("is_given_up", [False, True])
def test_what_is_refused_is_done_and_stays_refused_when_it_goes_on(
    tmp_path, monkeypatch, is_given_up
):
    """It is not asked again, and the others are."""
    monkeypatch.setattr(slices, "FAILURES_MAX", 2)
    monkeypatch.setattr(slices, "POINTS_FIRST", 1)

    def reply(_):
        raise QueryError("many-to-many") if is_given_up else RefusedQueryError("unknown function")

    request, _ = replayed(tmp_path, "level > 5", hours=0.05)
    replay, watched = Replay(PlantedServer(reply), request), []
    replay.run(lambda stream: watched.append((stream.done, stream.left)))
    why = "2 evaluations in a row fail: many-to-many" if is_given_up else "unknown function"
    (alert,) = replay.alerts
    assert alert.refused == why
    assert watched[-1] == (replay.streams[0].grid.count, 0)
    assert len(watched) == 1 + is_given_up
    server = PlantedServer(reply)
    resumed = Replay(server, request)
    resumed.resume(json.loads(json.dumps(replay.saved())))
    resumed.run()
    (own,) = resumed.alerts
    assert (own.refused, server.asked) == (why, [])
    assert own.run.failures.count == alert.run.failures.count
    assert [stream.left for stream in resumed.streams] == [0]
    resumed.finish()
    assert SilenceCheck(server, request).findings(own, request.rules) == []


def test_a_replay_that_goes_on_begins_with_the_first_evaluation_that_is_left(tmp_path, monkeypatch):
    """Its failures and their first reason are counted on."""
    monkeypatch.setattr(slices, "POINTS_FIRST", 4)

    def reply(times_s):
        failing = [at_s for at_s in times_s if at_s - FROM_S in (15.0, 105.0)]
        if failing:
            raise QueryError(f"at {failing[0] - FROM_S:g}")
        return []

    request, _ = replayed(tmp_path, "level > 5", hours=0.05)
    first = Replay(PlantedServer(reply), request)

    class StoppedError(Exception):
        """The run was ended."""

    def end(stream):
        if stream.done >= 5:
            raise StoppedError

    with pytest.raises(StoppedError):
        first.run(end)
    (saved,) = first.saved()
    server = PlantedServer(reply)
    second = Replay(server, request)
    second.resume([saved])
    second.run()
    assert server.asked[0][1] == FROM_S + second.streams[0].grid.times_s[saved["done"]]
    (alert,) = second.alerts
    assert (alert.run.failures.count, alert.run.failures.reason) == (2, "at 15")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_condition_is_asked_about_at_the_evaluations_of_each_interval(tmp_path, order):
    """What has a value every minute only has none at others; each question is asked once."""
    files = rules(tmp_path, {"alert": "A", "expr": "level > 5"})
    (group,) = files.groups
    groups = (
        replace(group, interval_s=30.0, query_offset_s=0.0),
        replace(group, name="h", interval_s=15.0),
        replace(group, name="i", interval_s=15.0),
    )
    request = ReplayRequest(
        rules=replace(files, groups=groups), against=None, from_s=FROM_S, to_s=FROM_S + 300.0
    )

    def reply(times_s):
        there = [at_s for at_s in times_s if (at_s - FROM_S) % 30.0]
        return [Series({}, there, there)] if there else []

    server = PlantedServer(reply, stored=("level",))
    check = SilenceCheck(server, request)
    coarse, fine, same = Replay(None, request).alerts
    said = {}
    for each in [(coarse, fine)[number] for number in order]:
        said[each.group.interval_s] = len(check.findings(each, request.rules))
    assert said == {15.0: 0, 30.0: 1}
    asked = len(server.asked)
    assert check.findings(same, request.rules) == []
    assert len(server.asked) == asked
