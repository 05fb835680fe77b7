"""What rules leave in the store: the samples a server would have taken, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from documents.mistakes import Place
from exporter.history.samples import EPOCH_S, NAN_SAMPLE, STALE, History
from tests.verifier.histories import history, labels, row
from verifier.evaluation.alert_states import EvaluationError
from verifier.evaluation.rule_samples import (
    SampleLog,
    after_known,
    chosen_series,
    last_samples_ms,
    recorded,
    recorded_samples,
    without_repetition,
)
from verifier.evaluation.timeline import Grid
from verifier.pack.rules import RecordingRule
from verifier.servers.prometheus import Series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from exporter.history.samples import LabelSet

RULE = RecordingRule("r", "x", (("kind", "rule"), ("gone", "")), Place("rules.yaml", 1, 1))
R, OTHER = labels("r"), labels("other")


def stored(histories: Iterable[History]) -> dict[LabelSet, dict[float, str]]:
    """Return what a server holds after these: the value as text at each second, of each series."""
    texts: dict[LabelSet, dict[float, str]] = {}
    for each in histories:
        for block in each.blocks:
            for series, values in zip(block.series.tolist(), block.values, strict=True):
                for at_ms, value in zip(block.timestamps_ms.tolist(), values, strict=True):
                    text = written(value)
                    if text:
                        of_series = texts.setdefault(each.series[series], {})
                        assert at_ms / 1000 - EPOCH_S not in of_series, "a sample is there twice"
                        of_series[at_ms / 1000 - EPOCH_S] = text
    return texts


def written(value: float) -> str:
    """Write a value: `x` for the stale marker, `nan` for what is not a number, nothing for none."""
    bits = np.array([value]).tobytes()
    kinds = {np.array([kind]).tobytes(): name for kind, name in ((STALE, "x"), (NAN_SAMPLE, "nan"))}
    return kinds.get(bits, "" if np.isnan(value) else f"{value:g}")


def test_of_two_samples_at_the_same_instant_the_first_one_stays() -> None:
    """As a server keeps what it has; before, between and after, either rule adds its own."""
    first = history({R: row("1 1 . x"), OTHER: row("7 . 7 7")})
    second = history({R: row(". 2 2 2")}, start_s=0)
    third = history({R: row("3 3 3 3 3")})
    held = stored(without_repetition([first, second, third]))
    assert held[R] == {0: "1", 15: "1", 30: "2", 45: "x", 60: "3"}
    assert held[OTHER] == {0: "7", 30: "7", 45: "7"}


def test_samples_of_a_series_that_two_rules_record_come_in_the_order_of_time() -> None:
    """Whichever rule is written first: a server refuses what is older than the last sample."""
    later = history({R: row("5 6")}, start_s=30)
    (joined,) = without_repetition([later, history({R: row("1 2 3")})])
    assert stored([joined])[R] == {0: "1", 15: "2", 30: "5", 45: "6"}
    assert (np.diff(joined.blocks[0].timestamps_ms) > 0).all()


def test_histories_that_share_no_series_are_left_as_they_are() -> None:
    """Nothing is copied for them."""
    apart = [history({R: row("1 2")}), history({OTHER: row("3 4")})]
    assert all(a is b for a, b in zip(without_repetition(apart), apart, strict=True))


@pytest.mark.parametrize(
    ("last_s", "kept"), [(None, True), (14.999, True), (15, False), (99, False)]
)
def test_a_series_is_recorded_on_only_after_its_last_sample(
    last_s: float | None, *, kept: bool
) -> None:
    """A sample at the very first instant, or later, says that it is scraped already."""
    fresh = history({R: row("1 2"), OTHER: row("3 4")}, start_s=15)
    last_ms = {} if last_s is None else {R: round((EPOCH_S + last_s) * 1000)}
    assert (R in after_known(fresh, last_ms).series) is kept
    assert OTHER in after_known(fresh, last_ms).series
    blocks = history({R: row("1")}, start_s=15).blocks + history({R: row("2")}, start_s=30).blocks
    assert bool(after_known(History([R], blocks), last_ms).series) is kept


def test_the_last_sample_of_a_series_is_its_newest_in_any_history() -> None:
    """A marker and a sample that is no number count, an empty place does not."""
    newest = last_samples_ms(
        [
            history({R: row("1 1 1 ."), OTHER: row("1 . x .")}),
            history({R: row("1 ."), labels("nothing"): row(". .")}),
            history({labels("nan"): [1.0, NAN_SAMPLE, float("nan")]}),
        ]
    )
    seconds = {dict(series)["__name__"]: at / 1000 - EPOCH_S for series, at in newest.items()}
    assert seconds == {"r": 30, "other": 30, "nan": 15}


def test_the_chosen_series_keep_their_own_values() -> None:
    """With the first one left out each of the others moves up by one."""
    names = ("a", "b", "c", "d")
    whole = history({labels(name): [float(index)] for index, name in enumerate(names)})
    held = stored([chosen_series(whole, lambda each: dict(each)["__name__"] in "bd")])
    assert held == {labels("b"): {0: "1"}, labels("d"): {0: "3"}}
    assert chosen_series(whole, lambda _: True) is whole


@pytest.mark.parametrize(("limit", "is_refused"), [(0, False), (1, True), (2, False), (3, False)])
def test_more_series_than_the_limit_of_a_group_fail_the_evaluation(
    limit: int, *, is_refused: bool
) -> None:
    """As many as the limit are taken; a limit of 0 is none."""
    answer = [({"x": name}, 1.0) for name in "ab"]
    if is_refused:
        with pytest.raises(EvaluationError, match="exceeded limit of 1 with 2 series"):
            recorded_samples(RULE, answer, limit=limit)
    else:
        assert len(recorded_samples(RULE, answer, limit=limit)) == 2


def test_a_recorded_series_has_the_rules_name_and_labels() -> None:
    """Its labels win over those of the answer, and an empty one takes its label away."""
    answer = [({"__name__": "x", "kind": "own", "gone": "y", "host": "h"}, 2.0)]
    assert recorded_samples(RULE, answer) == [(labels("r", kind="rule", host="h"), 2.0)]
    with pytest.raises(EvaluationError, match="same labelset after applying rule labels"):
        recorded_samples(RULE, [({"kind": "a"}, 1.0), ({"kind": "b"}, 1.0)])


def test_a_series_ends_with_a_marker_at_the_first_evaluation_without_it() -> None:
    """Step by step and from a range, the same; what is not a number is a sample, too."""
    at_s = {"a": [15, 30, 60], "b": [30, 45]}
    values = {"a": [1, 2, float("nan")], "b": [5, 6]}
    expected = {
        labels("r", kind="rule", host="a"): {15: "1", 30: "2", 45: "x", 60: "nan", 75: "x"},
        labels("r", kind="rule", host="b"): {30: "5", 45: "6", 60: "x"},
    }
    answer = [
        Series({"host": host}, np.array(times, dtype=float) + EPOCH_S, np.array(values[host]))
        for host, times in at_s.items()
    ]
    at_once = recorded(RULE, answer, Grid(15, 75, 15), epoch_s=EPOCH_S)
    assert stored([at_once]) == expected
    log, written_parts = SampleLog(), []
    for now_s in range(15, 90, 15):
        now = [
            ({"host": host}, values[host][times.index(now_s)])
            for host, times in at_s.items()
            if now_s in times
        ]
        part = log.write((EPOCH_S + now_s) * 1000, recorded_samples(RULE, now))
        written_parts += [part] if part else []
    whole = log.history()
    assert whole is not None
    assert stored([whole]) == stored(written_parts) == expected


def test_a_rule_that_never_had_a_value_leaves_nothing() -> None:
    """Neither at an evaluation nor at all."""
    log = SampleLog()
    assert log.write(0, []) is None
    assert log.history() is None


def test_a_range_in_which_two_series_become_the_same_fails() -> None:
    """At one instant; at different ones they are one series after the other."""
    times_s = EPOCH_S + np.array([0.0, 15.0])
    ones = np.ones(1)
    grid = Grid(0, 15, 15)
    first = Series({"kind": "a"}, times_s[:1], ones)
    with pytest.raises(EvaluationError, match="same labelset"):
        recorded(RULE, [first, Series({"kind": "b"}, times_s[:1], ones)], grid, epoch_s=EPOCH_S)
    both = Series({"kind": "b"}, times_s, np.ones(2))
    with pytest.raises(EvaluationError, match="same labelset"):
        recorded(RULE, [first, both], grid, epoch_s=EPOCH_S)
    later = Series({"kind": "b"}, times_s[1:], ones * 2)
    joined = recorded(RULE, [first, later], grid, epoch_s=EPOCH_S)
    assert stored([joined]) == {labels("r", kind="rule"): {0: "1", 15: "2"}}
