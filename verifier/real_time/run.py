"""The judge in real time: one scenario on a real stack, scraped, evaluated, notified and judged.

Called by the suite like the judge in virtual time, once per scenario, each with a stack of its own:
a window of an hour still remembers the scenario before. `start` makes the run; its scenario begins
after a lead in which the stack settles. What is judged is what Prometheus stored and what arrived
at the receiver. A stack that could not do its work makes the verdict invalid, see `validity`.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from exporter.server.app import bind, build_app, describe_address
from exporter.server.service import serve_world
from verifier.drawing.panel_rows import PanelAnswers
from verifier.drawing.scenario_chart import DrawnScenario
from verifier.evaluation.refused_rules import refused_rules
from verifier.evidence.silence import WatchedRun, emptiness_check
from verifier.judge.failures.explanation import FailureExplainer
from verifier.judge.fault_effects import faults_without_effect, measured_effects
from verifier.judge.panel_verdicts import panel_verdicts
from verifier.judge.verdict import Engine, Progress, ScenarioOutcome
from verifier.pack.spread import WHOLE
from verifier.panels.answers import PanelAnswer, PanelWindow, answer_panels
from verifier.panels.emptiness import explained
from verifier.real_time.clock_comparison import compare_clocks, refuse_cells
from verifier.real_time.observation import RunObserver
from verifier.real_time.replay import ReplayOrigin
from verifier.real_time.rule_compression import compress_query
from verifier.real_time.start import (
    RunRequest,
    build_stack,
    in_real_time,
    prepare_run,
    scenario_date_s,
    start_on_stack,
)
from verifier.real_time.time_limit import limit_scenario
from verifier.real_time.validity import RunValidity, comparison_doubts
from verifier.scenario_clock import ScenarioClock
from verifier.time_compression import INERTIA_S, allow_for_inertia
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from aiohttp import web

    from exporter.server.exposition import Exposition
    from scenarios.scenario import Scenario
    from verifier.pack.panels import LeftOutPanel, Panel
    from verifier.pack.routes.routing import Routing
    from verifier.pack.rules import RuleFiles
    from verifier.real_time.observation import RunObservation
    from verifier.real_time.stack import Stack
    from verifier.real_time.start import PreparedRun, StartedRun
    from verifier.servers.receiver import Receiver
    from verifier.time_compression import TimeCompression

    Report = Callable[[Progress], None]

HOST: Final = "127.0.0.1"
OBSERVE_EVERY_S: Final = 0.5
"""Often enough that a server that died is started again before a notification is due."""


@dataclass(frozen=True, slots=True)
class RealTimeSetup:
    """Everything that runs in real time share: what is evaluated, routed, and the compression.

    `limit_s` bounds each scenario, in real seconds; what is due later is not judged. With `both`
    each run is replayed in virtual time, and both timelines are compared. `longest` is the name and
    duration of the longest scenario of the run; None: the scenario itself. `bundled` are the rule
    files of the pack, which a rule that failed is compared with. `left_out` are panels that
    nobody asks.
    """

    rules: RuleFiles
    panels: Sequence[Panel]
    routing: Routing
    compression: TimeCompression
    limit_s: float = math.inf
    both: bool = False
    longest: tuple[str, float] | None = None
    healthy_worlds: HealthyWorlds = field(default_factory=HealthyWorlds)
    bundled: tuple[Path, ...] = ()
    left_out: Sequence[LeftOutPanel] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosting:
    """Where a run is served and what is shown of it; a run without one has a free port, unseen.

    `app` returns the routes of the page. `show` begins when the world is served and is cancelled at
    the end of the run, before the verdict; what it raises ends nothing.
    """

    listener: socket.socket
    receiver: Receiver
    app: Callable[[StartedRun], web.Application]
    show: Callable[[StartedRun, Stack], Coroutine[None, None, None]]


def run_in_real_time(
    scenario: Scenario, setup: RealTimeSetup, report: Report, *, hosting: Hosting | None = None
) -> ScenarioOutcome:
    """Run `scenario` on a stack of its own and judge it. Raises JudgeError and InputError."""
    return asyncio.run(RealTimeRun(scenario, setup, report, hosting=hosting).judge())


class RealTimeRun:
    """One scenario on one stack."""

    def __init__(
        self,
        scenario: Scenario,
        setup: RealTimeSetup,
        report: Report,
        *,
        hosting: Hosting | None = None,
    ) -> None:
        """Fit the scenario to the compression and the limit; start nothing yet."""
        if setup.both:
            refuse_cells(scenario)
        self.hosting = hosting
        self.setup, self.report, self.compression = setup, report, setup.compression
        self.until_s = min(scenario.duration_s, setup.limit_s * self.compression.factor)
        self.cut = self.until_s < scenario.duration_s
        self.scenario, self.notes = limit_scenario(
            allow_for_inertia(scenario, self.compression), self.until_s
        )
        self.request = RunRequest(
            scenario=self.scenario, rules=setup.rules, routing=setup.routing,
            compression=self.compression, panels=setup.panels, healthy_worlds=setup.healthy_worlds,
        )  # fmt: skip
        self.validity = RunValidity(self.scenario, self.compression)
        self.began_s = time.monotonic()
        self.behind_s = 0.0

    async def judge(self) -> ScenarioOutcome:
        """Run the scenario on its stack and judge it."""
        prepared = prepare_run(self.request, self.report)
        # The world of the run moves on; `--both` replays from here.
        origin = prepared.world.fork()
        self._report("starting", 0.0)
        receiver = self.hosting.receiver if self.hosting else None
        with (
            self._listener() as listener,
            build_stack(self.request, prepared.rules, receiver) as stack,
        ):
            started = start_on_stack(self.request, prepared, stack, describe_address(listener))
            observer = self._observer(stack, prepared, started)
            exposition = started.exposition
            app = self.hosting.app(started) if self.hosting else build_app(exposition)
            async with (
                serve_world(app, listener, exposition.pacer.run),
                self._shown(started, stack),
            ):
                await asyncio.to_thread(started.environment.start)
                observation = await self._run_scenario(observer, exposition)
                effects = exposition.effects()
                without_effect = (
                    *prepared.past.without_effect,
                    *faults_without_effect(started.world, effects),
                )
                if without_effect:
                    end_s = observer.clock.unix_s(observation.ended_s)
                    observation = observer.observe(self.scenario, end_s, effects=effects)
                explainer = self._explainer(observer, observation, measured_effects(effects))
                outcome = await asyncio.to_thread(
                    self._outcome, observer, prepared, observation, explainer
                )
                outcome = replace(outcome, invalid=(*outcome.invalid, *without_effect))
            if self.setup.both:
                self._report("replaying in virtual time", 0.0)
                history = in_real_time(prepared.history, started.started_s, self.compression.factor)
                return _with_both_clocks(
                    outcome, observer, observation, ReplayOrigin(origin, history)
                )
        return outcome

    def _listener(self) -> AbstractContextManager[socket.socket]:
        return nullcontext(self.hosting.listener) if self.hosting else bind(HOST, 0)

    @asynccontextmanager
    async def _shown(self, started: StartedRun, stack: Stack) -> AsyncIterator[None]:
        """Show the run inside the block, if anybody watches."""
        if self.hosting is None:
            yield
            return
        showing = asyncio.create_task(self.hosting.show(started, stack))
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    def _observer(self, stack: Stack, prepared: PreparedRun, started: StartedRun) -> RunObserver:
        return RunObserver(
            stack=stack,
            rules=self.setup.rules,
            compressed=prepared.rules,
            routing=self.setup.routing,
            compression=self.compression,
            clock=ScenarioClock(started.started_s + started.lead_s, self.compression.factor),
            lead_s=started.lead_s,
            date_s=scenario_date_s(self.scenario),
        )

    async def _run_scenario(self, observer: RunObserver, exposition: Exposition) -> RunObservation:
        """Wait through the lead, check that all is well, and watch the scenario to its end."""
        await self._watch(observer, exposition, until_s=0.0)
        await asyncio.to_thread(self._check_start, observer, exposition)
        await self._watch(observer, exposition, until_s=self.until_s)
        return await self._await_end(observer, exposition)

    def _check_start(self, observer: RunObserver, exposition: Exposition) -> None:
        self.validity.check_start(
            observer.stack.prometheus,
            start_s=observer.clock.start_s,
            lead_s=observer.lead_s,
            behind_s=exposition.pacer.drift_s,
        )

    async def _watch(
        self, observer: RunObserver, exposition: Exposition, *, until_s: float
    ) -> None:
        """Supervise the stack until `until_s` of the scenario."""
        clock = observer.clock
        while (left_s := clock.unix_s(until_s) - time.time()) > 0:
            await asyncio.sleep(min(OBSERVE_EVERY_S, left_s))
            await asyncio.to_thread(observer.stack.check)
            self.behind_s = max(self.behind_s, exposition.pacer.drift_s)
            now_s = min(clock.scenario_s(time.time()), until_s)
            self._report("settling" if now_s < 0 else "running", max(0.0, now_s))

    async def _await_end(self, observer: RunObserver, exposition: Exposition) -> RunObservation:
        """Wait for what is due after the scenario: the world's inertia, resolves, notifications."""
        inertia_s = INERTIA_S if self.compression.factor > 1 else 0.0
        resolving_s = max(
            (expectation.resolves_within_s or 0.0 for expectation in self.scenario.expectations),
            default=0.0,
        )
        ended_s = observer.clock.unix_s(self.until_s)
        while True:
            now_s = max(time.time(), ended_s)
            observation = await asyncio.to_thread(observer.observe, self.scenario, now_s)
            allowed_s = (
                resolving_s / self.compression.factor if observation.must_resolve else inertia_s
            )
            over = now_s - ended_s > allowed_s
            if self.cut or ((observation.ok or over) and not observation.must_notify):
                return observation
            until_s = observer.clock.scenario_s(now_s + OBSERVE_EVERY_S)
            await self._watch(observer, exposition, until_s=until_s)

    def _explainer(
        self, observer: RunObserver, observation: RunObservation, effects: Mapping[str, str]
    ) -> FailureExplainer:
        """Return what says why silence was possible, and with which numbers alerts failed."""
        watched = WatchedRun(
            server=observer.stack.prometheus,
            rules=observer.compressed,
            epoch_s=observer.clock.start_s,
            end_s=observation.ended_s / self.compression.factor,
            spread=WHOLE,
            scrape_s=self.compression.scrape_s,
            factor=self.compression.factor,
        )
        name, longest_s = self.setup.longest or (self.scenario.name, self.scenario.duration_s)
        longest = name, min(longest_s, self.setup.limit_s * self.compression.factor)
        return FailureExplainer(watched, self.scenario, effects, longest, self.setup.bundled)

    def _outcome(
        self,
        observer: RunObserver,
        prepared: PreparedRun,
        observation: RunObservation,
        explainer: FailureExplainer,
    ) -> ScenarioOutcome:
        stack, clock = observer.stack, observer.clock
        panels = self._panels(explainer.run)
        shown = PanelAnswers(panels, self.setup.left_out, self.scenario.accepted)
        watched, effects = explainer.run, explainer.fault_effects
        ended_s = watched.epoch_s + watched.end_s
        refused = refused_rules(watched.server, watched.rules, watched.epoch_s, ended_s)
        drawing = DrawnScenario(watched, self.scenario, effects, answers=shown)
        drawing.ask(observation.alerts, observation.timelines)
        judged = observer.with_latency(observation.alerts)
        explainer = replace(explainer, refused=refused)
        alerts, findings = explainer.complete(judged, observation.timelines)
        chart, undrawn = drawing.document(alerts, observation.timelines)
        return ScenarioOutcome(
            name=self.scenario.name,
            seed=self.scenario.seed,
            engine=Engine(name="prometheus", version=stack.prometheus.version),
            duration_s=observation.ended_s,
            exact_s=prepared.past.simulation.exact_s + observation.ended_s,
            resampled_s=prepared.past.simulation.resampled_s,
            wall_s=time.monotonic() - self.began_s,
            alerts=alerts,
            panels=panel_verdicts(panels, self.scenario.accepted),
            clock="real",
            compress=self.compression.factor,
            notes=(*self.notes, *stack.restarts),
            notifications=stack.notifications(),
            findings=(*findings, *observer.findings(self.scenario), *undrawn),
            invalid=self.validity.doubts(stack, clock, observation, behind_s=self.behind_s),
            chart=chart,
            fault_effects=effects,
            not_judged=refused,
        )

    def _panels(self, watched: WatchedRun) -> tuple[PanelAnswer, ...]:
        """Ask the panels over the scenario, and why some show nothing."""
        start_s, end_s, factor = watched.epoch_s, watched.epoch_s + watched.end_s, watched.factor
        window = PanelWindow(start_s, end_s, watched.scrape_s, factor)
        adapt = partial(compress_query, factor=factor)
        answers = answer_panels(watched.server, self.setup.panels, window, adapt=adapt)
        return explained(answers, emptiness_check(watched), window)

    def _report(self, phase: str, at_s: float) -> None:
        self.report(
            Progress(
                scenario=self.scenario.name, phase=phase, virtual_s=at_s,
                of_s=self.until_s, times_real_time=self.compression.factor,
            )
        )  # fmt: skip


def _with_both_clocks(
    outcome: ScenarioOutcome,
    observer: RunObserver,
    observation: RunObservation,
    origin: ReplayOrigin,
) -> ScenarioOutcome:
    """Return the outcome with the run's timelines beside those of its replay."""
    differences, scrapes = compare_clocks(observer, observation, origin)
    doubts = comparison_doubts(differences, scrapes)
    return replace(outcome, clocks=differences, invalid=(*outcome.invalid, *doubts))
