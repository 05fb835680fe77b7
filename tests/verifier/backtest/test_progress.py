"""How far a replay is: written now and then, and taken up by the same replay alone."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from documents.mistakes import InputError
from tests.verifier.histories import rules
from verifier.backtest import noise
from verifier.backtest.grids import server_spread
from verifier.backtest.noise import RuleRecord
from verifier.backtest.progress_file import ProgressFile, fingerprint
from verifier.backtest.replay import ReplayRequest
from verifier.evaluation.timeline import Episode

FROM_S = 1_772_442_000.0
ALERT = {"alert": "A", "expr": "x > 5", "for": "1m", "labels": {"a": "b"}}


@pytest.fixture
def request_of(tmp_path):
    """Return the request of a replay of one alert over an hour."""
    return ReplayRequest(
        rules=rules(tmp_path, ALERT), against=None, from_s=FROM_S, to_s=FROM_S + 3600.0
    )


def test_writing_takes_a_twentieth_of_the_time_at_most(tmp_path, request_of):
    """And comes every five seconds at most; at the end of a run it is written all the same."""
    clock = iter([0.0, 0.1, 4.9, 5.0, 6.0, 24.9, 25.0, 25.0, 26.0, 26.0]).__next__
    file, done = ProgressFile(tmp_path, "http://there", "7d", clock), []
    replay = SimpleNamespace(request=request_of, saved=lambda: [{"done": len(done)}])
    written = []
    for now in (False, False, False, False, False, True):
        done.append(1)
        file.write(replay, now=now)
        written.append(file.read().streams[0]["done"])
    assert written == [1, 1, 3, 3, 5, 6]


def test_what_is_saved_is_of_one_server_and_one_range(tmp_path, request_of):
    """Whatever else it says of itself is refused, with the way out."""
    replay = SimpleNamespace(request=request_of, saved=list)
    ProgressFile(tmp_path, "http://there", "7d").write(replay)
    saved = ProgressFile(tmp_path, "http://there", "7d").read()
    assert (saved.from_s, saved.to_s, saved.streams) == (FROM_S, FROM_S + 3600.0, [])
    for url, written, what in (
        ("http://else", "7d", r"server \(http://there, now http://else\)"),
        ("http://there", "8d", r"range \(7d, now 8d\)"),
    ):
        with pytest.raises(InputError, match=f"is of another {what}: start without --resume"):
            ProgressFile(tmp_path, url, written).read()


def test_every_part_of_a_rule_decides_whether_it_is_the_same(request_of):
    """And of its group; what a person reads of it does not."""
    (group,) = request_of.rules.groups
    (rule,) = group.rules
    others = [replace(group, **changes) for changes in (
        {"name": "h"}, {"interval_s": 30.0}, {"limit": 3}, {"query_offset_s": 5.0}, {"file": "y"},
        *({"rules": (replace(rule, **changes),)} for changes in (
            {"alert": "B"}, {"expr": "x > 6"}, {"for_s": 61.0}, {"keep_firing_for_s": 1.0},
            {"labels": (("a", "c"),)},
        )),
    )]  # fmt: skip

    def of(changed):
        return fingerprint(replace(request_of, rules=replace(request_of.rules, groups=(changed,))))

    assert len({of(group), *map(of, others)}) == 1 + len(others)
    assert of(replace(group, rules=(replace(rule, annotations=(("a", "b"),)),))) == of(group)


def test_what_was_kept_before_counts_among_what_is_kept(monkeypatch):
    """However many alerts it is of."""
    monkeypatch.setattr(noise, "EPISODES_MAX", 3)
    record = RuleRecord(1000.0)
    record.add({(("a", "b"),): [Episode(1.0, 2.0, 3.0), Episode(4.0, 5.0, 6.0)]})
    again = RuleRecord.restored(1000.0, record.saved())
    assert again == record
    again.add({(("a", "c"),): [Episode(1.0, None, 3.0), Episode(7.0, None, 8.0)]})
    assert (sum(map(len, again.episodes.values())), again.noise.not_kept) == (3, 1)


@pytest.mark.parametrize(
    ("at_s", "interval_s", "offset_s"),
    [
        (FROM_S + 7.25, 15.0, 7.25),
        (FROM_S - 0.0002, 15.0, 0.0),
        (FROM_S - 1.0, 15.0, 14.0),
        (FROM_S + 7.25, 30.0, 0.0),
    ],
)
def test_a_group_is_evaluated_where_the_server_evaluates_it(request_of, at_s, interval_s, offset_s):
    """Within its interval; where the server has another interval, at whole multiples of its own."""
    spread = server_spread([request_of.rules], {"g": (interval_s, at_s)}, FROM_S)
    assert [each.offset_s for each in spread.groups] == [offset_s]
