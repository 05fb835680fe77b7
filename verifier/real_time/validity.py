"""Whether anything may be concluded from a run in real time: before it begins, and after its end.

Called by `RealTimeRun`. A machine too busy, a server that was down, a world that was late: each is
a reason why a run is invalid, never why an alert failed. It knows nothing of what the alerts did
but whether all of them did right: what holds in spite of a loss holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from exporter.history.scrape_series import UP
from simulator.faults.kinds.catalogue import SCRAPE_PATH_FAULTS
from verifier.errors import JudgeError
from verifier.evaluation.observed_timelines import ALERT_STATES
from verifier.real_time.clock_comparison import busy_share
from verifier.real_time.start import LEAD_SCRAPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scenarios.scenario import Scenario
    from verifier.judge.verdict import ClockDifference
    from verifier.real_time.observation import RunObservation
    from verifier.real_time.replay import Scrapes
    from verifier.real_time.stack import Stack
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.prometheus import Prometheus
    from verifier.time_compression import TimeCompression

SHARE_MIN: Final = 0.95
"""Share of scrapes and evaluations without which nothing is concluded."""
BEHIND_MAX_S: Final = 1.0
"""A world may be this late even where scrapes come more often."""
TOO_BUSY: Final = "the machine is too busy, try fewer --jobs"


@dataclass(frozen=True, slots=True)
class RunValidity:
    """Judges whether the run of `scenario` on a stack counts."""

    scenario: Scenario
    compression: TimeCompression

    def check_start(
        self, server: Prometheus, *, start_s: float, lead_s: float, behind_s: float
    ) -> None:
        """Raise JudgeError unless the world and its stack are healthy as the scenario begins.

        `start_s` is the Unix time of that, `behind_s` how late the world is.
        """
        scraped = server.stored(UP, start_s - lead_s, start_s)
        by_target = [int(series.values.sum()) for series in scraped]
        arrived = min(by_target) if len(by_target) >= self.scenario.topology.cells else 0
        if arrived < LEAD_SCRAPES // 2:
            raise JudgeError(
                f"the stack was not ready: {amount(arrived, 'scrapes')} in its first"
                f" {lead_s:.0f} s; {TOO_BUSY}"
            )
        if behind_s > self.compression.scrape_s:
            raise JudgeError(f"the world fell {behind_s:.1f} s behind real time: {TOO_BUSY}")
        if not self.scenario.past.incidents:
            # A pending alert may be the noise of a short window: `for` is there for that.
            firing = server.query(f'{ALERT_STATES}{{alertstate="firing"}}', start_s)
            names = {s.labels["alertname"] for s in firing if not self._explains(s.labels)}
            if names:
                raise JudgeError(
                    "the world was not healthy when the scenario was about to begin:"
                    f" {', '.join(sorted(names))}; expect an alert that always fires as `explained`"
                )

    def _explains(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert may fire in this scenario at any time, such as one that always does."""
        return any(
            expectation.expected == "explained"
            and expectation.alert == labels["alertname"]
            and set(expectation.labels) <= set(labels.items())
            for expectation in self.scenario.expectations
        )

    def doubts(
        self, stack: Stack, clock: ScenarioClock, observation: RunObservation, *, behind_s: float
    ) -> tuple[str, ...]:
        """Return why nothing may be concluded from a run; `behind_s` is the world's worst delay."""
        end_s = clock.unix_s(observation.ended_s)
        losses = [
            *self._lost_scrapes(stack.prometheus, clock.start_s, end_s, all_ok=observation.ok),
            *_missed_evaluations(stack.prometheus),
        ]
        if behind_s > max(BEHIND_MAX_S, self.compression.scrape_s):
            losses.append(f"the world fell {behind_s:.1f} s behind real time")
        reasons = [f"{'; '.join(losses)}: {TOO_BUSY}"] if losses else []
        if stack.restarts and not observation.ok:
            reasons += [f"{restart}: what is missing may be missing for that"
                        for restart in stack.restarts]  # fmt: skip
        return tuple(reasons)

    def _lost_scrapes(
        self, server: Prometheus, start_s: float, end_s: float, *, all_ok: bool
    ) -> Iterator[str]:
        stored = server.stored(UP, start_s, end_s)
        by_target = [len(series.times_s) for series in stored]
        failed = sum(by_target) - sum(int(series.values.sum()) for series in stored)
        due = (end_s - start_s) / self.compression.scrape_s
        cells = self.scenario.topology.cells
        # A cell that nobody scraped has no series.
        scrapes = min(by_target) if len(by_target) >= cells else 0
        if scrapes < due * SHARE_MIN:
            whom = "a cell " if cells > 1 else ""
            yield f"Prometheus scraped {whom}{amount(scrapes, 'times')} instead of {due:.0f}"
        expected = any(
            fault.kind in SCRAPE_PATH_FAULTS or fault.parameters.facts.fails_scrapes
            for fault in self.scenario.plan.faults
        )
        if failed and not (all_ok or expected):
            yield f"{amount(failed, 'scrapes')} failed that no fault of the scenario affects"


def comparison_doubts(differences: Sequence[ClockDifference], scrapes: Scrapes) -> tuple[str, ...]:
    """Return why nothing may be concluded where both clocks differ."""
    slow = busy_share(scrapes)
    if slow <= 1 - SHARE_MIN or all(difference.ok for difference in differences):
        return ()
    return (f"both clocks differ, and {slow:.0%} of the scrapes were slow: {TOO_BUSY}",)


def _missed_evaluations(server: Prometheus) -> Iterator[str]:
    missed = server.metric("prometheus_rule_group_iterations_missed_total")
    due = server.metric("prometheus_rule_group_iterations_total")
    if missed > due * (1 - SHARE_MIN):
        yield f"Prometheus missed {missed:.0f} of {due:.0f} evaluations"
