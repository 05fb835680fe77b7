"""The live judge: a scenario lived in real time, scraped, evaluated and notified by a real stack.

Called by the suite like the fast-forward judge, once per scenario, each with a stack of its own: a
window of an hour still remembers the scenario before. The healthy past is simulated and stored
first, so that windows are full; then the world goes on in real time behind its page, and after a
lead in which the stack settles the scenario begins. What is judged is what Prometheus stored and
what arrived at the receiver. A stack that could not do its work makes the verdict invalid.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import numpy as np
from aiohttp import web

from exporter.history.samples import EPOCH_S, Block, History
from exporter.server.app import bind, build_app
from exporter.server.exposition import Exposition
from exporter.target import JOB
from simulator.faults.catalogue import SCRAPE_PATH_FAULTS
from simulator.pacer import SystemClock
from verifier.errors import JudgeError
from verifier.evaluation.engine import answer_panels, record
from verifier.judge.fault_effects import faults_without_effect
from verifier.judge.panels import panel_verdicts
from verifier.judge.verdict import Engine, Progress, ScenarioOutcome
from verifier.pack.history_depth import depths
from verifier.real_time.clock_comparison import (
    busy_share,
    compare,
    evaluate_at,
    read_scrapes,
    replay,
)
from verifier.real_time.compression import compress_panels, compress_rules
from verifier.real_time.observation import RunObserver, with_inertia
from verifier.real_time.observed_timelines import ALERT_STATES
from verifier.real_time.stack import Stack
from verifier.real_time.time_limit import clip
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import Prometheus
from verifier.time_compression import INERTIA_S
from verifier.virtual_time.healthy_world import HealthyWorlds
from verifier.virtual_time.past import simulate_past

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from scenarios.scenario import Scenario
    from simulator.world import World
    from verifier.judge.verdict import ClockDifference
    from verifier.pack.dashboards import Panel
    from verifier.pack.routing import Routing
    from verifier.pack.rules import RuleFiles
    from verifier.real_time.observation import RunObservation
    from verifier.time_compression import TimeCompression
    from verifier.virtual_time.past import SimulatedPast

    Report = Callable[[Progress], None]

FIRST_SCRAPE_S: Final = 6.5
"""Prometheus 2.42 first scrapes a target 5.1 to 5.7 s after it was told of it."""
LEAD_SCRAPES: Final = 6
"""Scrapes before a scenario begins: the shortest windows are full then."""
PUSHED_PER_S: Final = 50_000
"""Samples of the past that even a busy machine stores in a second."""
LOOK_S: Final = 0.5
SHARE_MIN: Final = 0.95
"""Share of scrapes and evaluations without which nothing is concluded."""


@dataclass(frozen=True, slots=True)
class RealTimeSetup:
    """Everything that live runs share: what is evaluated, routed, and how fast time passes.

    `limit_s` bounds each scenario, in real seconds; what is due later is not judged.
    """

    rules: RuleFiles
    panels: Sequence[Panel]
    routing: Routing
    compression: TimeCompression
    limit_s: float = math.inf
    both: bool = False
    healthy_worlds: HealthyWorlds = field(default_factory=HealthyWorlds)


def run_in_real_time(scenario: Scenario, setup: RealTimeSetup, report: Report) -> ScenarioOutcome:
    """Run `scenario` on a stack of its own and judge it. Raises JudgeError and InputError."""
    return asyncio.run(RealTimeRun(scenario, setup, report).judged())


class RealTimeRun:
    """One scenario on one stack."""

    def __init__(self, scenario: Scenario, setup: RealTimeSetup, report: Report) -> None:
        """Compress rules, panels and scenario; start nothing yet."""
        self.setup, self.report, self.compression = setup, report, setup.compression
        self.rules = compress_rules(setup.rules, self.compression.factor)
        self.panels = compress_panels(setup.panels, self.compression.factor)
        self.needed = depths(setup.rules, setup.panels)
        self.until_s = min(scenario.duration_s, setup.limit_s * self.compression.factor)
        self.cut = self.until_s < scenario.duration_s
        self.scenario, self.notes = clip(with_inertia(scenario, self.compression), self.until_s)
        self.begun_s = time.monotonic()
        self.behind_s = self.lead_s = 0.0

    async def judged(self) -> ScenarioOutcome:
        """Run the scenario on its stack and judge it."""
        past = simulate_past(
            self.scenario,
            self.needed,
            self.setup.healthy_worlds,
            compression=self.compression,
            report=self.report,
        )
        history = past.simulation.recorder.history()
        lead_s = self.lead_s = settle_s(history, self.compression)
        begins = past.world.fork(self.compression.plan(self.scenario.plan, lead_s=lead_s))
        world = begins.fork()
        self._tell("starting", 0.0)
        with (
            bind("127.0.0.1", 0) as listener,
            Stack(self.rules, self.setup.routing, self.compression) as stack,
        ):
            joined_s = round(time.time(), 3)  # Prometheus knows whole milliseconds
            live = Exposition(
                world,
                SystemClock(),
                version=version("agentaskit-sim"),
                scenario=self.scenario.name,
                fresh=True,
            )
            clock = ScenarioClock(joined_s + lead_s, self.compression.factor)
            witness = RunObserver(
                stack,
                self.setup.rules,
                self.rules,
                self.setup.routing,
                self.compression,
                clock,
                lead_s,
            )
            async with _served(live, listener):
                shifted = at_real_time(history, joined_s, self.compression.factor)
                target = "{}:{}".format(*listener.getsockname()[:2])
                await asyncio.to_thread(
                    join, stack, self.rules, shifted, target=target, joined_s=joined_s
                )
                await self._watch(stack, live, clock, until_s=0.0)
                await asyncio.to_thread(self._check_health, stack, live, clock, lead_s)
                await self._watch(stack, live, clock, until_s=self.until_s)
                seen = await self._close(witness, live)
                weak = (*past.weak, *faults_without_effect(world, live.path))
                if weak:
                    seen = witness.look(self.scenario, clock.unix_s(seen.ended_s), world=world)
                outcome = await asyncio.to_thread(self._outcome, witness, past, seen)
                outcome = replace(outcome, invalid=(*outcome.invalid, *weak))
            if self.setup.both:
                self._tell("living it again", 0.0)
                differences, doubts = self._compare(witness, begins, shifted, seen)
                doubts = (*outcome.invalid, *doubts)
                outcome = replace(outcome, clocks=differences, invalid=doubts)
        return outcome

    async def _watch(
        self, stack: Stack, live: Exposition, clock: ScenarioClock, *, until_s: float
    ) -> None:
        """Look after the stack until `until_s` of the scenario."""
        while (left_s := clock.unix_s(until_s) - time.time()) > 0:
            await asyncio.sleep(min(LOOK_S, left_s))
            await asyncio.to_thread(stack.check)
            self.behind_s = max(self.behind_s, live.pacer.drift_s)
            now_s = min(clock.scenario_s(time.time()), until_s)
            self._tell("settling" if now_s < 0 else "live", max(0.0, now_s))

    def _check_health(
        self, stack: Stack, live: Exposition, clock: ScenarioClock, lead_s: float
    ) -> None:
        """Refuse to begin when the world or its stack is not well."""
        server, now_s = stack.prometheus, clock.start_s
        up = server.stored(f'up{{job="{JOB}"}}', now_s - lead_s, now_s)
        arrived = sum(int(series.values.sum()) for series in up)
        if arrived < LEAD_SCRAPES // 2:
            raise JudgeError(
                f"the stack was not ready: {arrived} scrapes in its first {lead_s:.0f} s;"
                " the machine is too busy, try fewer --jobs"
            )
        if live.pacer.drift_s > self.compression.scrape_s:
            raise self._behind(live.pacer.drift_s)
        if not self.scenario.past.incidents:
            # One that is pending may be the noise of a short window: `for` is there for that.
            firing = server.query(f'{ALERT_STATES}{{alertstate="firing"}}', now_s)
            if firing:
                names = ", ".join(sorted({one.labels["alertname"] for one in firing}))
                raise JudgeError(
                    f"the world was not healthy when the scenario was about to begin: {names}"
                )

    async def _close(self, witness: RunObserver, live: Exposition) -> RunObservation:
        """Wait for what is still to come: the world's inertia, what resolves, the last notices."""
        inertia_s = INERTIA_S if self.compression.factor > 1 else 0.0
        fade_s = max(
            (one.resolves_within_s or 0.0 for one in self.scenario.expectations), default=0.0
        )
        ended_s = witness.clock.unix_s(self.until_s)
        while True:
            now_s = max(time.time(), ended_s)
            seen = await asyncio.to_thread(witness.look, self.scenario, now_s)
            passed_s = now_s - ended_s
            over = passed_s > (fade_s / self.compression.factor if seen.to_resolve else inertia_s)
            if self.cut or ((seen.ok or over) and not seen.to_tell):
                return seen
            until_s = witness.clock.scenario_s(now_s + LOOK_S)
            await self._watch(witness.stack, live, witness.clock, until_s=until_s)

    def _outcome(
        self, witness: RunObserver, past: SimulatedPast, seen: RunObservation
    ) -> ScenarioOutcome:
        server, clock = witness.stack.prometheus, witness.clock
        end_s = clock.unix_s(seen.ended_s)
        panels = answer_panels(
            server, self.panels, clock.start_s, end_s, step_s=self.compression.scrape_s
        )
        return ScenarioOutcome(
            name=self.scenario.name,
            seed=self.scenario.seed,
            engine=Engine(name="prometheus", version=server.version),
            duration_s=seen.ended_s,
            exact_s=past.simulation.exact_s + seen.ended_s,
            resampled_s=past.simulation.resampled_s,
            wall_s=time.monotonic() - self.begun_s,
            alerts=witness.with_latency(seen.alerts),
            panels=panel_verdicts(panels),
            clock="real",
            compress=self.compression.factor,
            notes=(*self.notes, *witness.stack.restarts),
            notifications=witness.stack.notifications(),
            invalid=self._doubts(witness, seen),
        )

    def _doubts(self, witness: RunObserver, seen: RunObservation) -> tuple[str, ...]:
        """Why nothing may be concluded from what was seen."""
        server, clock = witness.stack.prometheus, witness.clock
        end_s = clock.unix_s(seen.ended_s)
        found = []
        stored = server.stored(f'up{{job="{JOB}"}}', clock.start_s, end_s)
        scrapes = sum(len(series.times_s) for series in stored)
        failed = scrapes - sum(int(series.values.sum()) for series in stored)
        due = (end_s - clock.start_s) / self.compression.scrape_s
        if scrapes < due * SHARE_MIN:
            found.append(f"Prometheus scraped {scrapes} times instead of {due:.0f}")
        hindered = any(fault.kind in SCRAPE_PATH_FAULTS for fault in self.scenario.plan.faults)
        if failed and not (seen.ok or hindered):
            found.append(f"{failed} scrapes failed that no fault of the scenario hinders")
        missed = server.metric("prometheus_rule_group_iterations_missed_total")
        done = server.metric("prometheus_rule_group_iterations_total")
        if missed > done * (1 - SHARE_MIN):
            found.append(f"Prometheus missed {missed:.0f} of {done:.0f} evaluations")
        if self.behind_s > max(1.0, self.compression.scrape_s):
            found.append(f"the world fell {self.behind_s:.1f} s behind real time")
        if found:
            found = [f"{'; '.join(found)}: the machine is too busy, try fewer --jobs"]
        if witness.stack.restarts and not seen.ok:
            found += [f"{one}: what is missing may be missing for that" for one in
                      witness.stack.restarts]  # fmt: skip
        return tuple(found)

    def _compare(
        self, witness: RunObserver, begins: World, history: History, seen: RunObservation
    ) -> tuple[tuple[ClockDifference, ...], tuple[str, ...]]:
        """Live the run again in virtual time, from where the exporter began.

        Returns both timelines side by side, and why nothing may be concluded where they differ.
        """
        clock, live_server = witness.clock, witness.stack.prometheus
        end_s = clock.unix_s(seen.ended_s)
        scrapes = read_scrapes(live_server, witness.began_s, end_s)
        with Prometheus(factor=self.compression.factor) as server:
            server.push(history)
            server.push(replay(begins, scrapes))
            record(server, self.rules, 0.0, end_s - clock.start_s, epoch_s=clock.start_s)
            virtual = evaluate_at(server, self.rules, seen.stored, clock, end_s)
        differences = compare(virtual, seen.timelines, self.rules, scrapes, clock)
        slow = busy_share(scrapes)
        if slow <= 1 - SHARE_MIN or all(one.ok for one in differences):
            return differences, ()
        told = f"both clocks differ, and {slow:.0%} of the scrapes were slow"
        return differences, (f"{told}: the machine is too busy, try fewer --jobs",)

    def _behind(self, seconds: float) -> JudgeError:
        return JudgeError(
            f"the world fell {seconds:.1f} s behind real time: the machine is too busy,"
            " try fewer --jobs"
        )

    def _tell(self, phase: str, at_s: float) -> None:
        self.report(
            Progress(
                scenario=self.scenario.name,
                phase=phase,
                virtual_s=at_s,
                of_s=self.until_s,
                times_real_time=self.compression.factor,
            )
        )


@asynccontextmanager
async def _served(live: Exposition, listener: object) -> AsyncIterator[None]:
    """Serve the page of `live` and keep it in real time."""
    runner = web.AppRunner(build_app(live), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    pacing = asyncio.create_task(live.pacer.run())
    try:
        await web.SockSite(runner, listener).start()  # type: ignore[arg-type]
        yield
    finally:
        pacing.cancel()
        await asyncio.gather(pacing, return_exceptions=True)
        await runner.cleanup()


def settle_s(history: History, compression: TimeCompression) -> float:
    """How long the stack settles before a scenario begins; the same on every machine."""
    samples = sum(block.values.size for block in history.blocks)
    waits_s = LEAD_SCRAPES * compression.scrape_s + samples / PUSHED_PER_S
    return math.ceil(FIRST_SCRAPE_S + waits_s)


def join(stack: Stack, rules: RuleFiles, history: History, *, target: str, joined_s: float) -> None:
    """Give the stack a past that ends at `joined_s` of Unix time, and let it scrape `target`.

    `rules` are those that the stack evaluates; what they record of the past is stored too.
    """
    stack.prometheus.push(history)
    record(stack.prometheus, rules, 0.0, 0.0, epoch_s=joined_s)
    stack.begin(None, target)


def at_real_time(history: History, joined_s: float, factor: float) -> History:
    """Return a past recorded in scenario seconds, so that its end is at `joined_s` of Unix time."""
    blocks = []
    for block in history.blocks:
        before_s = (block.timestamps_ms / 1000 - EPOCH_S) / factor
        stamps = np.rint((joined_s + before_s) * 1000).astype(np.int64)
        blocks.append(Block(stamps, block.series, block.values))
    return History(history.series, blocks)
