"""How far a simulation is, reported a few times a second at most.

Used by `verifier.virtual_time.past` and `.run`. It reads the wall clock, which the verdict never
does.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from verifier.judge.verdict import Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenarios.scenario import Scenario

    Report = Callable[[Progress], None]

REPORT_EVERY_S: Final = 0.2
"""As often as a person can read; a simulated scrape takes a few milliseconds."""


MANY_SAMPLES: Final = 10_000_000
"""Prometheus stores about a million in a second."""


class ProgressReporter:
    """Reports the progress of one scenario to `report`, if there is one.

    `cause` is why the history takes long, to be set before it begins.
    """

    def __init__(self, scenario: Scenario, report: Report | None) -> None:
        """Start counting the time that the scenario takes."""
        self._scenario = scenario
        self._report = report
        self._started_s = self._reported_s = time.monotonic()
        self.cause = ""

    def simulated(self, at_s: float) -> None:
        """Report that the simulation has reached `at_s` of the scenario, unless it just did."""
        now_s = time.monotonic()
        if now_s - self._reported_s < REPORT_EVERY_S:
            return
        self._reported_s = now_s
        phase = "history" + self.cause if at_s < 0 else "simulating"
        if at_s < 0:
            # The past is mostly resampled: counted in, it would hide how fast the world runs.
            self._started_s = now_s
        speed = max(at_s, 0.0) / max(now_s - self._started_s, REPORT_EVERY_S)
        self._send(phase, max(at_s, 0.0), speed)

    def judging(self, samples: int = 0) -> None:
        """Report that the scenario is simulated to its end and is being judged.

        That so many `samples` must be stored first is said where it takes a while.
        """
        phase = "judging"
        if samples >= MANY_SAMPLES:
            phase += (
                f" (storing {samples / 1e6:,.0f} million samples first: every scrape of so many"
                " series is read so far back)"
            )
        self._send(phase, self._scenario.duration_s, 0.0)

    def _send(self, phase: str, at_s: float, speed: float) -> None:
        if self._report is not None:
            self._report(
                Progress(
                    scenario=self._scenario.name,
                    phase=phase,
                    virtual_s=at_s,
                    of_s=self._scenario.duration_s,
                    times_real_time=speed,
                )
            )
