"""The verdict: what was expected of each alert against what it did.

Pure values and rules; called by the judge with the timelines that Prometheus gave. The verdict is
closed: an alert that fires and is neither expected nor explained fails the scenario by name. It
must never guess: what could not be judged is invalid, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "invalid"]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one scenario is: `virtual_s` of `of_s` simulated seconds; `phase` in a few words."""

    scenario: str
    phase: str
    virtual_s: float
    of_s: float
    times_real_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What evaluated the rules: always a real Prometheus."""

    name: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertVerdict:
    """One alert (one label set of it) in one scenario, judged.

    `pending_s`, `firing_s` and `resolved_s` count from `onset_s`, the onset of `cause` (the
    scenario's start when there is none), and are None for what did not happen.
    """

    alert: str
    labels: Labels
    expected: Literal["fires", "silent", "explained", "unexpected"]
    ok: bool
    reason: str
    cause: str | None = None
    onset_s: float = 0.0
    pending_s: float | None = None
    firing_s: float | None = None
    resolved_s: float | None = None
    fires_within_s: float | None = None
    resolves_within_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelVerdict:
    """One query of one dashboard panel: whether it answered."""

    dashboard: str
    panel: str
    query: str
    ok: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioOutcome:
    """One scenario, run and judged. `virtual_s` = `exact_s` + `resampled_s`, history included.

    `invalid` holds the reasons why nothing may be concluded, empty when it may. `findings` are
    remarks on rules and dashboards that change no verdict.
    """

    name: str
    seed: int
    engine: Engine
    duration_s: float
    exact_s: float
    resampled_s: float
    wall_s: float
    alerts: tuple[AlertVerdict, ...] = ()
    panels: tuple[PanelVerdict, ...] = ()
    findings: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()

    @property
    def virtual_s(self) -> float:
        """Virtual seconds that Prometheus was shown, history included."""
        return self.exact_s + self.resampled_s

    @property
    def times_real_time(self) -> float:
        """Virtual seconds per second of wall clock."""
        return self.virtual_s / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def verdict(self) -> Verdict:
        """Invalid when it could not be judged, pass when every alert and panel is as it should."""
        if self.invalid:
            return "invalid"
        held = all(alert.ok for alert in self.alerts) and all(panel.ok for panel in self.panels)
        return "pass" if held else "fail"
