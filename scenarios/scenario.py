"""A scenario as it runs: validated values, times in seconds from the scenario's start.

Made by `scenarios.build` from a file; read by the judge and by `serve`. Times before the start
are history and negative. Nothing here reads files or simulates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Literal

from simulator.faults.fault import Fault
from simulator.faults.targets import Targets

if TYPE_CHECKING:
    from documents.mistakes import Place
    from simulator.faults.parameters import Parameters
    from simulator.plan import Plan
    from simulator.topology import Topology

Expected = Literal["fires", "silent", "explained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A fault of the past: it started `ago_s` before the scenario's start and ended before it."""

    name: str
    parameters: Parameters
    ago_s: float
    duration_s: float
    ramp_s: float = 0.0
    targets: Targets = field(default_factory=Targets)

    def fault(self, start_s: float) -> Fault:
        """Return the fault for a world's plan in which it starts at `start_s`."""
        return Fault(
            name=self.name,
            parameters=self.parameters,
            start_s=start_s,
            duration_s=self.duration_s,
            ramp_s=self.ramp_s,
            targets=self.targets,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What Prometheus knows at the start: `depth_s` None asks for what rules and panels need."""

    depth_s: float | None = None
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What one alert has to do.

    `onset_s` is when its cause starts, `end_s` when its cause ends: limits and reported times
    count from there. Both are 0 for a cause in the past and for none at all. The alert must not
    fire before `not_before_s`: the cause's true start, negative in the past. `labels` are sorted
    pairs that the alert must carry; it may carry more, unless there are `no_other_labels`: of the
    rule, of the series that it compares and of their target, its name aside. For `fires`,
    `fires_within_s` is known and `resolves_within_s` may be None: then the alert need not resolve
    in the scenario. Judged in virtual time only, None for any time: `pends_for_s` is how long it
    must be pending before it fires, `fires_after_s` and `resolves_after_s` are how long after onset
    and end of its cause it can do so at the earliest.

    Notifications are judged in real time only. `receivers` must be notified, and nobody else; None:
    anybody, but somebody when it must fire; empty: nobody may be notified. `notifies_resolved`:
    whether they must be notified of the end too; None: if `resolves_within_s` is set.
    """

    alert: str
    expected: Expected
    place: Place
    labels: tuple[tuple[str, str], ...] = ()
    no_other_labels: bool = False
    cause: str | None = None
    onset_s: float = 0.0
    end_s: float = 0.0
    not_before_s: float = -inf
    fires_within_s: float | None = None
    resolves_within_s: float | None = None
    pends_for_s: float | None = None
    fires_after_s: float | None = None
    resolves_after_s: float | None = None
    receivers: tuple[str, ...] | None = None
    notifies_resolved: bool | None = None
    why: str = ""


def without_what_its_rule_decides(expectation: Expectation) -> Expectation:
    """Return an expectation that another rule of that name can meet, made in its own way."""
    return replace(without_exact_times(expectation), no_other_labels=False)


def without_exact_times(expectation: Expectation) -> Expectation:
    """Return an expectation that says only by when an alert fires and resolves."""
    return replace(expectation, pends_for_s=None, fires_after_s=None, resolves_after_s=None)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """An alert, or a panel as `dashboard / title`, that need not be judged, and why not.

    `place` is where a file says so, None for the command line.
    """

    subject: str
    reason: str
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """All of a scenario: `duration_s` of load and faults, and what each alert must do.

    `pending_allowed` False makes even a pending alert a failure unless it is expected or explained.
    `starts_at_s` is the Unix time of its start, None where no date is set. What is `accepted` does
    not keep a verdict from being a pass though it could not be judged.
    """

    name: str
    story: str
    path: str
    seed: int
    duration_s: float
    topology: Topology
    plan: Plan
    past: Past = Past()
    expectations: tuple[Expectation, ...] = ()
    pending_allowed: bool = True
    starts_at_s: float | None = None
    accepted: tuple[Acceptance, ...] = ()
