"""A world behind a page: what the HTTP server shows of a world that is paced in real time.

A scrape first lets the world catch up to its own instant, then shares one page with every request
of the same tick. Restarts and outages of the exporter are applied here; who scrapes, and how often,
changes nothing in the world. The `PageSource` of `app`.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol
from weakref import WeakKeyDictionary

from prometheus_client import ProcessCollector

from exporter.mapping.mapped_metrics import exported_metrics
from exporter.metrics.catalogue import RunStatus, catalogue_burst, catalogue_run, catalogue_world
from exporter.metrics.page import Page
from exporter.metrics.restart_view import RestartView
from exporter.metrics.series_limit import SERIES_LIMIT, keep_families, keep_first
from exporter.metrics.series_text import Families, SeriesReading, SeriesText
from exporter.scrape_path.effect_counter import ScrapeEffectCounter
from exporter.scrape_path.losses import rank_series
from exporter.server.landing import describe_cells
from simulator.cells.joined_snapshot import join_effects
from simulator.faults.kinds.scrape_path import ScrapeOutcome
from simulator.pacer import TICK_S, PacedWorld, Pacer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exporter.mapping.metric_mapping import MetricMapping
    from exporter.metrics.page import PagePart
    from exporter.server.landing import Facts
    from simulator.load import LoadChange
    from simulator.pacer import Clock, Pace
    from simulator.plan import Plan
    from simulator.snapshot import FaultEffect, ScrapePath, Snapshot

    Answered = tuple[Snapshot, ScrapeOutcome]

FRESH_S: Final = 0.01
"""A reading this old still counts as now: less than the pacer's own step."""
FRESH_MAX_S: Final = 0.025
"""So old may a reading be that takes long to make: half of a pacer's step."""
MAKING_SHARE: Final = 3
"""A page stays fresh for this many times as long as it took to make.

However many scrape, and however long a page is, the event loop has time for other things: those
who ask while it is made, and just after, get the same page.
"""

TARGETS_MAX: Final = 3
"""Rates that a change of the load is named by."""


class ReadableWorld(PacedWorld, Protocol):
    """The world as the exporter reads it."""

    def snapshot(self) -> Snapshot:
        """Return one consistent reading of this instant."""

    def next_change_ns(self) -> int:
        """Return the next virtual instant at which load or faults change."""

    def effects(self) -> tuple[FaultEffect, ...]:
        """Return what every fault of the plan that has begun did to it."""

    def router_effects(self) -> tuple[FaultEffect, ...]:
        """Return what faults did to the router in front of several cells."""

    @property
    def cells(self) -> Sequence[ReadableWorld]:
        """Its cells; itself alone where it is one world."""

    @property
    def origin_s(self) -> float:
        """When, on the world's clock, the plan began."""

    @property
    def plan(self) -> Plan:
        """The load and the faults that the world runs."""

    @property
    def load_change(self) -> LoadChange | None:
        """The change of the load that is in effect."""

    @property
    def requested_per_s(self) -> float:
        """Tasks a second that the load profile asks for now, whatever faults make of it."""


@dataclass(frozen=True, slots=True)
class LoadReading:
    """The load at one instant, in tasks a second; None where it is a recorded trace.

    `profile_per_s` is what the load profile asks for, a change by hand included, and
    `after_faults_per_s` what faults of the load make of it. `change` is the change in effect, from
    `began_s` to `ends_s` on the world's clock, which says `now_s`.
    """

    profile_per_s: float | None
    after_faults_per_s: float | None
    change: LoadChange | None
    began_s: float
    ends_s: float
    now_s: float

    @property
    def change_name(self) -> str:
        """What people call the change: by the rates that it reaches; nothing without one."""
        stages = self.change.stages if self.change else ()
        targets = list(dict.fromkeys(f"{stage.target:,.0f}" for stage in stages))
        more = f" and {len(targets) - TARGETS_MAX} more" if len(targets) > TARGETS_MAX else ""
        return f"load {', '.join(targets[:TARGETS_MAX])}{more} tasks/s" if targets else ""


class Exposition:
    """A paced world and the latest page of it; `pacer` is to be run beside the server."""

    def __init__(  # noqa: PLR0913 - four of them are options, by name only
        self,
        world: ReadableWorld,
        clock: Clock,
        *,
        version: str,
        scenario: str,
        fresh: bool = False,
        series_limit: int = SERIES_LIMIT,
        mapping: MetricMapping | None = None,
        whole: Exposition | None = None,
    ) -> None:
        """Lay out the catalogue over the axes of `world` and start its clock now.

        A `fresh` exporter starts with it: its counters begin at 0, whatever the world has counted.
        No page has more than `series_limit` series. With a `mapping` it shows the user's metrics
        instead of ours, and nothing of the process, whose metrics theirs may have too. A world of
        several cells has one for each as `cells`, which keep the pace of the `whole`.
        """
        self._world, self._clock, self._version = world, clock, version
        self._series_limit = series_limit
        snapshot = world.snapshot()
        self.scenario = scenario
        self.seed: int = whole.seed if whole else snapshot.seed
        self._catalogue = catalogue_world(snapshot, exported_metrics(mapping))
        self._ranks = rank_series(self._catalogue)
        self.scrape_effects = ScrapeEffectCounter(self._ranks)
        self._outcome = ScrapeOutcome()
        self._answered: WeakKeyDictionary[Page, Answered] = WeakKeyDictionary()
        self._view = RestartView(self._catalogue, snapshot.exporter_restarts)
        if fresh:
            self._view.restart(snapshot)
        self._process = None if mapping else ProcessCollector(registry=None)
        self._next_change_ns = world.next_change_ns()
        pacer = whole.pacer if whole else Pacer(world, clock, on_tick=self.notice_change)
        self.pacer: Pacer = pacer
        self._is_cell = whole is not None
        self._served = self._refused = self.series_dropped = 0
        self.cells: tuple[Exposition, ...] = ()
        self._snapshot = snapshot
        self._page: Page | None = None
        self._making_s = 0.0
        self._run = catalogue_run(self._status())
        self._burst = catalogue_burst(0)
        self._world_text = SeriesText(self._catalogue)
        self._run_text, self._burst_text = SeriesText(self._run), SeriesText(self._burst)
        open_cell = partial(self._open_cell, fresh=fresh, mapping=mapping)
        several = world.cells if len(world.cells) > 1 else ()
        self.cells = tuple(map(open_cell, several))

    def _open_cell(
        self, cell: ReadableWorld, *, fresh: bool, mapping: MetricMapping | None
    ) -> Exposition:
        """Return the page of a cell, which keeps the pace of the whole."""
        return Exposition(
            cell, self._clock, version=self._version, scenario=self.scenario, fresh=fresh,
            series_limit=self._series_limit, mapping=mapping, whole=self,
        )  # fmt: skip

    def catch_up(self) -> Snapshot:
        """Advance to this instant and return the reading, at most `FRESH_MAX_S` old.

        While the world is further behind than one step of the pacer, it is the latest there is. So
        it is for one of several cells: their scrapes would else advance all of them, each time.
        """
        is_stale = self._page is None or self.pacer.drift_s > self._fresh_s(self._page)
        if self.pacer.drift_s > TICK_S if self._is_cell else is_stale:
            self.pacer.step()
        if self._page is None or self._world.now_s > self._snapshot.time_s:
            self._snapshot = self.scrape_effects.show(self._world.snapshot())
            self._page = None
        return self._snapshot

    def load(self) -> LoadReading:
        """Return the load at this instant."""
        snapshot, world = self.catch_up(), self._world
        is_trace, change = world.plan.load.trace_s is not None, world.load_change
        return LoadReading(
            profile_per_s=None if is_trace else world.requested_per_s,
            after_faults_per_s=None if is_trace else snapshot.arrival_rate,
            change=change,
            began_s=world.origin_s + change.start_s if change else 0.0,
            ends_s=world.origin_s + change.end_s if change else 0.0,
            now_s=world.now_s,
        )

    def scrape(self) -> Page | None:
        """Return the page of this instant, or None while the exporter is down."""
        snapshot = self.catch_up()
        if not snapshot.exporter_up:
            self._refused += 1
            self.scrape_effects.note(snapshot, ScrapeOutcome(refused=True))
            return None
        if self._page is None:
            started_s = self._clock.monotonic()
            self._page = Page(self._parts(snapshot), self._clock.monotonic)
            self._making_s = self._clock.monotonic() - started_s
            self._answered[self._page] = snapshot, self._outcome
        self._served += 1
        return self._page

    @property
    def scrapes_served(self) -> int:
        """How many scrapes were answered with a page, of this one or of its cells."""
        return self._served + sum(cell.scrapes_served for cell in self.cells)

    @property
    def scrapes_refused(self) -> int:
        """How many scrapes were refused while an exporter was down."""
        return self._refused + sum(cell.scrapes_refused for cell in self.cells)

    def note_answer(self, page: Page, late_s: float, cut_share: float) -> None:
        """Count an answer: how late `page` was sent, and which share of it was held back."""
        snapshot, outcome = self._answered[page]
        self.scrape_effects.note(snapshot, replace(outcome, late_s=late_s, cut_share=cut_share))

    def scrape_path(self) -> ScrapePath:
        """Return the faults of the path that affect the latest scrape."""
        return self._snapshot.scrape_path

    def effects(self) -> tuple[FaultEffect, ...]:
        """Return what faults did: in each world, to its scrapes as they were counted here."""
        world = self._world
        if not self.cells:
            return self.scrape_effects.complete(world.effects())
        return (*world.router_effects(), *join_effects(cell.effects() for cell in self.cells))

    def show_change(self) -> None:
        """Drop the page: a fault was changed by hand at this instant."""
        self._page = None
        self.notice_change()

    def pace(self) -> Pace:
        """Return how well the world keeps real time, now."""
        return self.pacer.pace()

    def is_up(self) -> bool:
        """Say whether a scrape would be answered."""
        return self.catch_up().exporter_up

    def facts(self) -> Facts:
        """Return the facts of the landing page, as (heading, value)."""
        snapshot, pace, load = self.catch_up(), self.pace(), self.load()
        return (
            ("Scenario", self.scenario),
            ("Seed", str(self.seed)),
            ("Running for", _clock_text(pace.elapsed_s)),
            ("Virtual time", _clock_text(snapshot.time_s)),
            ("Behind real time", f"{pace.drift_s * 1000:,.0f} ms"),
            ("Maximum speed", f"{pace.times_real_time:,.0f} times real time"),
            ("Load profile", _rate_text(load.profile_per_s)),
            ("Load after faults", _rate_text(load.after_faults_per_s)),
            ("Tasks waiting", f"{snapshot.queue_depth.sum():,}"),
            ("Agents active", f"{snapshot.active_agents.sum():,} of {snapshot.agents.sum():,}"),
            *describe_cells(snapshot.cells),
            ("Faults in effect", ", ".join(f.name for f in snapshot.faults) or "none"),
            ("Scrapes", f"{self.scrapes_served:,} served, {self.scrapes_refused:,} refused"),
            ("Version", self._version),
        )

    def notice_change(self) -> None:
        """Let the view read every change of the plan, so that a restart begins at its own tick."""
        if self._next_change_ns != self._world.next_change_ns():
            self._next_change_ns = self._world.next_change_ns()
            self._view.read(self._world.snapshot())
        for cell in self.cells:
            cell.notice_change()

    def _fresh_s(self, page: Page) -> float:
        """Return for how long `page` counts as now."""
        making_s = self._making_s + page.rendering_s
        return min(FRESH_MAX_S, max(FRESH_S, MAKING_SHARE * making_s))

    def _parts(self, snapshot: Snapshot) -> tuple[PagePart, ...]:
        """Return the page's parts: the world, the process and the burst, within the limit."""
        path, values = snapshot.scrape_path, self._view.read(snapshot)
        process = tuple(self._process.collect()) if self._process else ()
        present = self._ranks >= path.vanished_share
        room = self._series_limit - len(self._run.series)
        room -= sum(len(family.samples) for family in process)
        kept = keep_families(self._catalogue, present, room)
        dropped = int(present.sum()) - int(kept.sum())
        world = SeriesReading(self._world_text, values, kept)
        further = keep_first(path.extra_series, room - world.count)
        if further != len(self._burst.series):
            self._burst = catalogue_burst(further)
            self._burst_text = SeriesText(self._burst)
        burst = SeriesReading(self._burst_text, self._burst.flatten(further))
        self.series_dropped += dropped + path.extra_series - further
        self._outcome = ScrapeOutcome(
            missing=len(values) - world.count - dropped, further=burst.count
        )
        counters = values[self._catalogue.kinds == "counter"]
        self.scrape_effects.note_counters(snapshot.now_ns, counters)
        run = SeriesReading(self._run_text, self._run.flatten(self._status()))
        return world, run, Families(process), burst

    def _status(self) -> RunStatus:
        return RunStatus(
            version=self._version,
            python_version=platform.python_version(),
            scenario=self.scenario,
            seed=self.seed,
            pace=self.pace(),
            scrapes_served=self.scrapes_served,
            scrapes_refused=self.scrapes_refused,
            series_dropped=self.series_dropped,
        )


def _rate_text(rate_per_s: float | None) -> str:
    return "recorded trace" if rate_per_s is None else f"{rate_per_s:,.0f} tasks/s"


def _clock_text(seconds: float) -> str:
    """Return whole seconds as `0:01:13` or `3d 0:14:46`."""
    days, rest = divmod(int(seconds), 86400)
    clock = f"{rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}d {clock}" if days else clock
