"""The chart of one scenario, made while the server that evaluated it still runs.

Called by the judges of both clocks around their verdicts. What cannot be drawn is left out: a chart
changes no verdict.
"""

from __future__ import annotations

import contextlib
import gzip
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from charts.chart import Band, Chart
from charts.chart_document import chart_document
from verifier.drawing.condition_rows import ask_conditions, condition_rows
from verifier.drawing.lanes import lanes
from verifier.drawing.panel_rows import PanelAnswers, panel_rows
from verifier.drawing.series_rows import DrawnTime
from verifier.drawing.world_rows import load_row, world_rows
from verifier.errors import internal_error, shows_tracebacks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from charts.chart import Lane
    from scenarios.scenario import Scenario
    from verifier.evaluation.timeline import Timeline
    from verifier.evidence.silence import WatchedRun
    from verifier.judge.verdict import AlertVerdict

COMPRESSION: Final = 6
"""Of gzip: 9 takes three times as long and saves 2 %."""


@dataclass(frozen=True, slots=True)
class DrawnScenario:
    """A scenario that was judged, with what is drawn of it.

    `effects` is what was measured of each fault, by its name; `resampled` are the stretches (from,
    to), in seconds of the scenario, that were not simulated event by event. `answers` are those of
    the dashboards' panels, as far as they were asked.
    """

    run: WatchedRun
    scenario: Scenario
    effects: Mapping[str, str]
    resampled: Sequence[tuple[float, float]] = ()
    answers: PanelAnswers = field(default_factory=PanelAnswers)

    @property
    def time(self) -> DrawnTime:
        """How times of the server become seconds of the scenario."""
        run = self.run
        return DrawnTime(run.epoch_s, run.end_s * run.factor, run.factor)

    def ask(self, verdicts: Sequence[AlertVerdict], timelines: Sequence[Timeline]) -> None:
        """Ask what conditions are drawn of before evidence does, which then has less to ask.

        What goes wrong here goes wrong in `document` again, which says it.
        """
        with contextlib.suppress(Exception):
            drawn = lanes(verdicts, timelines, self.time.end_s)
            ask_conditions(self.run, _active(drawn).__contains__)

    def document(
        self, verdicts: Sequence[AlertVerdict], timelines: Sequence[Timeline]
    ) -> tuple[bytes, tuple[str, ...]]:
        """Return the chart as `compressed` does, or nothing and why there is none.

        Whatever goes wrong in drawing is a finding: the verdict stands without its picture.
        """
        try:
            return compressed(self.chart(verdicts, timelines)), ()
        except Exception as error:
            if shows_tracebacks():
                raise
            return b"", (f"the chart could not be drawn: {internal_error(error)}",)

    def chart(self, verdicts: Sequence[AlertVerdict], timelines: Sequence[Timeline]) -> Chart:
        """Return the chart with what each alert did."""
        time = self.time
        drawn = lanes(verdicts, timelines, time.end_s)
        return Chart(
            title=self.scenario.name,
            starts_unix_s=self.run.epoch_s,
            end_s=time.end_s,
            rows=(
                load_row(self.scenario, time.end_s),
                *world_rows(self.run, time),
                *condition_rows(self.run, time, _active(drawn).__contains__),
                *panel_rows(self.answers, time),
            ),
            bands=self.bands(time.end_s),
            lanes=drawn,
        )

    def bands(self, end_s: float) -> tuple[Band, ...]:
        """Return the faults of the plan, and what was resampled, as far as they are in it."""
        faults = [
            Band("fault", fault.name, fault.start_s, fault.start_s + fault.duration_s,
                 self.effects.get(fault.name, fault.kind))
            for fault in self.scenario.plan.faults
        ]  # fmt: skip
        resampled = [Band("resampled", "resampled", *span) for span in self.resampled]
        return tuple(part for band in (*faults, *resampled) for part in _inside(band, end_s))


def _inside(band: Band, end_s: float) -> Iterator[Band]:
    """Yield the part of a band that lies in the scenario, if there is any."""
    to_s = end_s if band.to_s is None else min(band.to_s, end_s)
    if band.from_s < end_s and to_s > 0.0:
        yield replace(band, from_s=max(band.from_s, 0.0), to_s=to_s)


def _active(drawn: Iterable[Lane]) -> set[str]:
    """Return the alerts that did anything, or had to."""
    return {lane.alert for lane in drawn if lane.episodes or lane.expected == "fires"}


def compressed(chart: Chart) -> bytes:
    """Return the document of a chart as JSON in gzip, the same bytes for the same chart."""
    text = json.dumps(chart_document(chart), allow_nan=False, separators=(",", ":"))
    return gzip.compress(text.encode(), COMPRESSION, mtime=0)
