"""What the world did as rows: what moved most comes first, no rate before its window is full."""

from __future__ import annotations

import numpy as np

from exporter.history.samples import EPOCH_S
from tests.verifier.alerts import rule_files
from verifier.drawing.series_rows import DrawnTime
from verifier.drawing.world_rows import CHARTED, world_rows
from verifier.evidence.silence import WatchedRun
from verifier.pack.spread import WHOLE
from verifier.servers.prometheus import Series

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
