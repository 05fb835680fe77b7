"""A replay in slices gives the timelines of an evaluation in one piece, ended and resumed too."""

from __future__ import annotations

import json

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.backtest import slices
from verifier.backtest.grids import server_spread
from verifier.backtest.history_server import HistoryServer
from verifier.backtest.replay import Replay, ReplayRequest
from verifier.backtest.result import result_of
from verifier.backtest.silence import SilenceCheck
from verifier.changes.timelines import change_text
from verifier.evaluation.engine import evaluate
from verifier.pack.spread import GroupOffset, Spread
from verifier.servers.foreign_server import ForeignServer
from verifier.servers.prometheus import Prometheus

HOUR_S = 3600.0
LEVEL = row("1*20 9*40 1*9 9*2 1*9 9*30 . x .*20 9*60 1*20 9*29")
OTHER = row("9*100 1*41 9*100")
LISTED = (
    {"alert": "High", "expr": "level > 5", "for": "1m", "labels": {"severity": "page"}},
    {"alert": "Held", "expr": "level > 5", "keep_firing_for": "2m"},
    {"alert": "Low", "expr": "min_over_time(level[1m]) < 5", "labels": {"at": "{{ $value }}"}},
    {"alert": "Gone", "expr": 'absent(level{instance="a"})'},
    {"alert": "Clash", "expr": "level * on (job) other > 0"},
)


@pytest.fixture(scope="module")
def server():
    """Return a Prometheus with an hour of series; two of them end within it."""
    series = {
        labels("level", instance="a", job="j"): LEVEL,
        labels("level", instance="b", job="j"): OTHER,
        labels("other", job="j"): [1.0] * 120 + [float("nan")] * 121,
        labels("job:early:sum", job="j"): [1.0] * 40 + [float("nan")] * 201,
    }
    assert {len(values) for values in series.values()} == {241}
    with Prometheus() as server:
        server.push(history(series))
        yield server


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Return rules of every kind."""
    return rules(tmp_path_factory.mktemp("rules"), *LISTED)


@pytest.fixture(autouse=True)
def _short_slices(monkeypatch):
    """Read eleven evaluations at a time, and never many more."""
    monkeypatch.setattr(slices, "POINTS_FIRST", 11)
    monkeypatch.setattr(slices, "SAMPLES_MAX", 40)


def request_of(rule_files, against=None, *, offset_s=0.0):
    """Return a request for the second half of the hour."""
    offsets = tuple(
        GroupOffset(group.file, group.name, group.interval_s, offset_s)
        for group in rule_files.groups
    )
    return ReplayRequest(
        rules=rule_files, against=against, from_s=EPOCH_S + 1200.0, to_s=EPOCH_S + HOUR_S,
        spread=Spread(groups=offsets),
    )  # fmt: skip


def history_server(server):
    """Return the server as one of the user's."""
    return HistoryServer(ForeignServer("Prometheus", server.url))


def timelines(replay):
    """Return what a finished replay says, by alert and labels."""
    return sorted(
        (alert.rule.alert, line.labels, line.episodes)
        for alert in replay.alerts
        for line in alert.record.timelines(alert.rule.alert)
    )


def in_one_piece(server, request):
    """Return what the engine's evaluation says, what ended before the start left out."""
    evaluation = evaluate(
        server, request.rules, start_s=0.0, end_s=request.duration_s, spread=request.spread,
        epoch_s=request.from_s,
    )  # fmt: skip
    kept = (
        (line.alert, line.labels, tuple(e for e in line.episodes if (e.resolved_s or 1.0) > 0))
        for line in evaluation.timelines
    )
    return sorted(line for line in kept if line[2])


@pytest.mark.parametrize("offset_s", [0.0, 4.25])
def test_slices_give_the_timelines_of_one_piece(server, read, offset_s):
    """Every kind of rule: `for`, kept firing, a template by value, absence, failing evaluations."""
    request = request_of(read, offset_s=offset_s)
    asked = history_server(server)
    replay = Replay(asked, request)
    replay.run()
    replay.finish()
    assert timelines(replay) == in_one_piece(server, request)
    assert {line[0] for line in timelines(replay)} == {"High", "Held", "Low", "Gone", "Clash"}
    assert asked.requests > 40


def test_what_fails_is_counted_and_the_rest_goes_on(server, read):
    """Many matches at an instant fail that evaluation, as on a server."""
    replay = Replay(history_server(server), request_of(read))
    replay.run()
    (clash,) = (alert for alert in replay.alerts if alert.rule.alert == "Clash")
    assert 0 < clash.run.failures.count < clash.run.failures.of
    assert not clash.refused


class EndedError(Exception):
    """A run that was ended."""


def resumed(server, request, *, after, saved=lambda state: state):
    """Return a replay that was ended after some slices, and went on from what it saved."""
    first = Replay(history_server(server), request)
    seen = []

    def end(stream):
        seen.append(stream)
        if len(seen) == after:
            raise EndedError

    with pytest.raises(EndedError):
        first.run(end)
    second = Replay(history_server(server), request)
    second.resume(saved(json.loads(json.dumps(first.saved()))))
    second.run()
    second.finish()
    return second


def test_a_run_that_goes_on_gives_the_same(server, read):
    """Ended in the first expression, and later; by what a file can hold."""
    request = request_of(read)
    expected = in_one_piece(server, request)
    for after in (3, 7, 20):
        assert timelines(resumed(server, request, after=after)) == expected


def test_what_is_active_must_be_carried_on(server, read):
    """Planted: a state that is lost between two slices gives other timelines."""

    def forgetful(state):
        for stream in state:
            for alert in stream["alerts"]:
                alert["open"] = []
        return state

    request = request_of(read)
    replay = resumed(server, request, after=4, saved=forgetful)
    assert timelines(replay) != in_one_piece(server, request)


def test_noise_is_counted(server, read):
    """Firings, those that follow their last end at once, and the shares of time."""
    replay = Replay(history_server(server), request_of(read))
    replay.run()
    replay.finish()
    (held,) = (alert for alert in replay.alerts if alert.rule.alert == "Held")
    noise = held.record.noise
    lines = held.record.timelines("Held")
    assert noise.firings == sum(len(line.episodes) for line in lines)
    assert noise.evaluations == 2400 / 15 + 1
    assert 0 < noise.share(noise.firing) <= 1
    assert noise.flaps == sum(
        after.firing_s - before.resolved_s <= 900
        for line in lines
        for before, after in zip(line.episodes, line.episodes[1:], strict=False)
    )


def test_an_alert_that_reads_nothing_is_named(server, tmp_path):
    """Vacuous, and what is recorded nowhere; not one whose threshold is never passed."""
    read = rules(
        tmp_path,
        {"record": "job:level:sum", "expr": "sum by (job) (level)"},
        {"alert": "Typo", "expr": "levle > 5"},
        {"alert": "Recorded", "expr": "job:level:sum > 5"},
        {"alert": "Never", "expr": "level > 500"},
        {"alert": "Mismatch", "expr": "level / on (job, pod) label_replace(up, 'x', '', '', '')"},
        {"alert": "Absent", "expr": "absent(level)"},
    )
    request = request_of(read)
    asked = history_server(server)
    replay = Replay(asked, request)
    replay.run()
    replay.finish()
    check = SilenceCheck(asked, request)
    said = {
        alert.rule.alert: [(f.vacuous, f.recording) for f in check.findings(alert, read)]
        for alert in replay.alerts
    }
    assert said == {
        "Typo": [(True, "")],
        "Recorded": [(False, "job:level:sum"), (True, "")],
        "Never": [],
        "Mismatch": [(True, "")],
        "Absent": [],
    }


@pytest.mark.parametrize("order", [["1m", "1h"], ["1h", "1m"]])
def test_what_an_alert_reads_is_looked_up_as_far_back_as_it_reads(server, tmp_path, order):
    """A recording that ended ten minutes before the replay: a window of an hour still has it."""
    read = rules(
        tmp_path,
        {"record": "job:early:sum", "expr": "sum by (job) (early)"},
        *({"alert": f"Over{w}", "expr": f"max_over_time(job:early:sum[{w}]) > 5"} for w in order),
    )
    request = request_of(read)
    asked = history_server(server)
    replay = Replay(asked, request)
    replay.run()
    replay.finish()
    check = SilenceCheck(asked, request)
    said = {
        alert.rule.alert: [finding.recording for finding in check.findings(alert, read)]
        for alert in replay.alerts
    }
    assert said == {"Over1m": ["job:early:sum", ""], "Over1h": []}


def test_two_versions_are_compared(server, tmp_path):
    """What is added, gone, earlier, and fires less; a changed severity is no other alert."""
    (tmp_path / "old").mkdir()
    old = rules(
        tmp_path / "old",
        {"alert": "High", "expr": "level > 5", "for": "2m", "labels": {"severity": "warning"}},
        {"alert": "Old", "expr": "level > 5"},
    )
    new = rules(
        tmp_path,
        {"alert": "High", "expr": "level > 5", "for": "1m", "labels": {"severity": "page"}},
        {"alert": "New", "expr": "level > 5"},
    )
    request = request_of(new, old)
    asked = history_server(server)
    replay = Replay(asked, request)
    replay.run()
    replay.finish()
    result = result_of(server.url, request, replay.alerts, ())
    assert (result.added, result.gone) == (("New",), ("Old",))
    texts = {
        dict(change.labels)["instance"]: change_text(change, before="before", after="now")
        for change in result.changes
    }
    assert "fires 1m earlier" in texts["a"]
    assert len(replay.streams) == 1  # all of them ask the same


def test_a_group_of_the_server_is_evaluated_as_there(read):
    """By its name and interval; another interval is another group."""
    at_s = EPOCH_S + 4.25
    (own,) = server_spread([read], {"g": (15.0, at_s)}, EPOCH_S + 1.0).groups
    assert own.offset_s == 3.25
    (other,) = server_spread([read], {"g": (30.0, at_s)}, EPOCH_S + 1.0).groups
    assert other.offset_s == 14.0
