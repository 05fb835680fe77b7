"""The scenario's clock: how Unix time and scenario seconds correspond in a run in real time.

Pure; every part of the verifier that reads both times uses it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScenarioClock:
    """Scenario seconds: 0 is at `start_s` of Unix time, and `factor` of them pass in a second."""

    start_s: float
    factor: float

    def scenario_s(self, unix_s: float) -> float:
        """Return the scenario's time at a Unix time."""
        return (unix_s - self.start_s) * self.factor

    def unix_s(self, scenario_s: float) -> float:
        """Return the Unix time at a time of the scenario."""
        return self.start_s + scenario_s / self.factor
