"""What the world did as rows: what moved most comes first, no rate before its window is full."""

from __future__ import annotations

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.alerts import rule_files
from verifier.drawing.series_rows import DrawnTime
from verifier.drawing.world_rows import CHARTED, world_rows
from verifier.evidence.silence import WatchedRun
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import QueryError, Series

END_S = 300.0


class MovingServer:
    """Every further quantity moves more; the first scrapes of a window are not there yet."""

    def query_ranges(self, queries):
        """Return a line for each query, and the scrapes that a window holds for the last."""
        *lines, _ = queries
        times_s = EPOCH_S + np.arange(0.0, END_S + 1.0, 15.0)
        later = times_s > EPOCH_S + END_S / 2
        moving = [
            [Series({}, times_s, np.where(later, 110.0 + 10.0 * number, 100.0))]
            for number, _ in enumerate(lines)
        ]
        return [*moving, [Series({}, times_s, np.minimum(np.arange(len(times_s)) + 1.0, 4.0))]]


def test_what_moved_most_comes_first_and_a_rate_begins_with_its_first_whole_window():
    """Whatever is no rate begins with the scenario."""
    run = WatchedRun(MovingServer(), rule_files(), EPOCH_S, END_S, WHOLE)
    rows = world_rows(run, DrawnTime(EPOCH_S, END_S))
    assert [row.title for row in rows] == [each.title for each in reversed(CHARTED)]
    first_s = {row.title: row.times_s[np.isfinite(row.series[0].values)][0] for row in rows}
    for each in CHARTED:
        assert first_s[each.title] == (45.0 if "WINDOW" in each.query else 0.0)


class FixedServer:
    """Answers with what it was made of, one for each query, and keeps the queries."""

    def __init__(self, answers, counted):
        """Answer so; `counted` is how many scrapes a window holds, one after another."""
        self.answers, self.counted, self.asked = answers, counted, []

    def query_ranges(self, queries):
        """Return the answers; of quantities without one there is nothing."""
        self.asked += queries
        none = [[] for _ in CHARTED[len(self.answers) :]]
        return [*self.answers, *none, self.counted]


def line(*values, **labels):
    """Return a series with a value every 15 s."""
    return Series(labels, EPOCH_S + 15.0 * np.arange(len(values)), np.array(values, float))


def rows_of(answers, counted=(), end_s=END_S):
    """Return the rows of these answers, and what was asked."""
    server = FixedServer(answers, counted)
    run = WatchedRun(server, rule_files(), EPOCH_S, end_s, WHOLE)
    return world_rows(run, DrawnTime(EPOCH_S, end_s)), server.asked


@pytest.mark.parametrize(
    ("end_s", "step_s", "window"),
    [
        (300.0, 15.0, "60000ms"),
        (11_000.0, 15.0, "60000ms"),
        (11_400.0, 30.0, "60000ms"),
        (86_400.0, 180.0, "180000ms"),
    ],
)
def test_a_long_scenario_is_asked_at_fewer_instants_and_misses_no_scrape(end_s, step_s, window):
    """A rate is of a minute, or of all that passes from one point to the next."""
    _, asked = rows_of([], end_s=end_s)
    assert {(q.start_s, q.end_s, q.step_s) for q in asked} == {(EPOCH_S, EPOCH_S + end_s, step_s)}
    exprs = [each.query.replace("WINDOW", window) for each in CHARTED]
    assert [query.expr for query in asked[:-1]] == exprs
    assert f"[{window}]" in asked[-1].expr


@pytest.mark.parametrize(
    ("counted", "first_s"),
    [
        ([line(1, 2, 4, 4, 4)], 30.0),
        ([line(1, 2, 3, 5, 4)], 45.0),
        ([line(1, 2, 3, 3, 3)], 0.0),
        ([], 0.0),
        (QueryError("too much"), 0.0),
    ],
)
def test_a_rate_is_drawn_from_the_first_whole_window_on(counted, first_s):
    """Where none is ever whole, or nobody knows, from the start."""
    number, rate = next((n, each) for n, each in enumerate(CHARTED) if "WINDOW" in each.query)
    answers = [[] for _ in CHARTED[:number]] + [[line(1, 2, 3, 4, 5, a="b", c="d")]]
    (row,), _ = rows_of(answers, counted)
    drawn = np.isfinite(row.series[0].values)
    assert row.times_s[drawn][0] == first_s
    assert (row.id, row.title, row.unit) == (f"world:{rate.title}", rate.title, rate.unit)
    assert [(each.name, each.labels) for each in row.series] == [("b, d", (("a", "b"), ("c", "d")))]


def test_how_far_a_row_moved_is_a_share_of_its_largest_value():
    """What fails is left out, and what stood still comes last."""
    steady = [
        [line(1000, 1010)], [line(1, 2)], QueryError("no"), [line(-8, -4)], [line(0, 0)], [],
    ]  # fmt: skip
    whole = [line(4, 4)]
    rows, _ = rows_of(steady, whole)
    assert [row.title for row in rows] == [CHARTED[n].title for n in (1, 3, 0, 4)]
    stacked = {each.title: each.stacked for each in CHARTED}
    assert [row.kind == "stack" for row in rows] == [stacked[row.title] for row in rows]
    assert [row.series[0].name for row in rows] == [row.title for row in rows]
