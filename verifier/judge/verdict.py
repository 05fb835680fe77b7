"""The result of a run: its progress, and the verdict on every alert, panel and scenario.

Values only, made by the judge, read by reports and the front door; `verdict_document` writes them
as JSON. What could not be judged is invalid, with the reason, and never a pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.errors import NotJudged
    from verifier.evidence.measurement import ComparisonNumbers, ConditionNumbers
    from verifier.labels import Labels
    from verifier.pack.spread import Spread
    from verifier.panels.answers import PanelComparison
    from verifier.run_record import ScenarioRecord
    from verifier.servers.ledger import Notification

Verdict = Literal["pass", "fail", "invalid"]
Clock = Literal["virtual", "real"]
Hop = Literal["world", "scrape", "rule", "alertmanager", "receiver"]
Status = Literal["firing", "resolved"]
Transition = Literal["pending", "firing", "resolved"]
Suspect = Literal["fault", "rule", "route", "expectation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one scenario is: `virtual_s` of `of_s` simulated seconds; `phase` as a short text."""

    scenario: str
    phase: str
    virtual_s: float
    of_s: float
    times_real_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What evaluated the rules: a real Prometheus, or another engine that the user named."""

    name: str
    version: str


UNKNOWN_ENGINE = Engine(name="prometheus", version="unknown")
INTERRUPTED: Final = "not judged: the run was interrupted"
"""Why a scenario of a run that a signal ended could not be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A notification of an alert to one receiver, at `at_s` scenario seconds from the start.

    `deliveries` is how often the same notification arrived, repeats and retries included.
    """

    receiver: str
    status: Status
    at_s: float
    deliveries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long an alert took to reach its first receiver, in scenario seconds from the onset.

    `condition_s` is when its condition became true, None when that was not measured; `notified_s`
    is None when no receiver was notified. `bound_s` is when one must have been notified, by the
    intervals in between (see `verifier.judge.detection_latency.bound_s`).
    """

    condition_s: float | None
    pending_s: float
    firing_s: float
    notified_s: float | None
    bound_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """What most likely made an alert fail, and `because` of what that is likely, as a clause.

    A likelihood and no verdict: whoever wrote fault, rule, route and expectation knows which of
    them is meant as it is.
    """

    suspect: Suspect
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureEvidence:
    """The numbers of an alert that failed; times are scenario seconds from the start.

    `condition` is its condition, measured (None where it could not be), `fault_effect` what was
    measured of its cause, `would_hold` the bounds with which it would not have failed,
    `would_fire` the `for` or the threshold with which it would have fired in time, and
    `overlay` the expectation that an overlay would need, for an alert that nobody expected.
    `culprit` is None where none of the four is to blame: scrapes failed without a fault.
    """

    condition: ConditionNumbers | None = None
    fault_effect: str | None = None
    would_hold: tuple[str, ...] = ()
    would_fire: tuple[str, ...] = ()
    overlay: str | None = None
    culprit: Culprit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertVerdict:
    """One alert (one label set of it) in one scenario, judged.

    `pending_s`, `firing_s` and `resolved_s` count from `onset_s`, the onset of `cause` (the
    scenario's start when there is none), and are None for what did not happen. `cause_end_s`
    counts from there too; `resolves_within_s` counts from `cause_end_s`. `lost_pending` are the
    times (from, until) that it was pending and did not fire, up to its first firing, `firings` all
    that it fired (see `verifier.judge.expectation_matching.FIRINGS_MAX`). `other_labels` are the
    names of those that it carries though it must not.

    Known in real time only: `deliveries` in the order of their arrival, `latency`, and `broke_at`,
    the first hop on the way from the cause to the receiver that failed. `receivers` and
    `notifies_resolved` repeat the expectation (see `scenarios.scenario.Expectation`).

    `vacuous` says why it could not have fired, so that its silence proves nothing: not ok, unless
    it was `accepted` (with that reason) or `could_fire_in` another scenario of the run, by name.
    `evidence` is there when it failed, `margin` its condition in numbers when it did not, as far as
    that was known.
    """

    alert: str
    labels: Labels
    expected: Literal["fires", "silent", "explained", "unexpected"]
    ok: bool
    reason: str
    cause: str | None = None
    onset_s: float = 0.0
    cause_end_s: float | None = None
    pending_s: float | None = None
    firing_s: float | None = None
    resolved_s: float | None = None
    lost_pending: tuple[tuple[float, float], ...] = ()
    firings: tuple[tuple[float, float | None], ...] = ()
    fires_within_s: float | None = None
    pends_for_s: float | None = None
    fires_after_s: float | None = None
    resolves_after_s: float | None = None
    resolves_within_s: float | None = None
    receivers: tuple[str, ...] | None = None
    notifies_resolved: bool = False
    other_labels: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    latency: Latency | None = None
    broke_at: Hop | None = None
    vacuous: str | None = None
    accepted: str | None = None
    could_fire_in: str | None = None
    evidence: FailureEvidence | None = None
    margin: tuple[ComparisonNumbers, ...] = ()

    @property
    def resolved_limit_s(self) -> float | None:
        """When it must have resolved at the latest, from `onset_s` like `resolved_s`."""
        if self.resolves_within_s is None:
            return None
        return (self.cause_end_s or 0.0) + self.resolves_within_s

    @property
    def resolved_early_s(self) -> float | None:
        """How long before the end of its cause it resolved; None where it did not."""
        if self.expected != "fires" or self.firing_s is None:
            return None
        if self.resolved_s is None or self.cause_end_s is None:
            return None
        early_s = self.cause_end_s - self.resolved_s
        return early_s if early_s > 0 else None

    @property
    def early_resolves_s(self) -> tuple[float, ...]:
        """When it resolved while its cause lasted, each time, whether it fired again or not."""
        if self.expected != "fires" or self.cause_end_s is None:
            return ()
        ends = (until_s for _, until_s in self.firings if until_s is not None)
        return tuple(until_s for until_s in ends if 0 < until_s < self.cause_end_s)

    @property
    def is_vacuous(self) -> bool:
        """Whether it kept a silence that proves nothing."""
        return self.vacuous is not None and self.expected != "fires" and self.firing_s is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockDifference:
    """When a transition of an alert came in virtual and in real time, side by side.

    Times are scenario seconds from the start, None where it did not come; `episode` counts from 0.
    """

    alert: str
    labels: Labels
    transition: Transition
    episode: int
    virtual_s: float | None
    real_s: float | None
    allowed_s: float
    ok: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelVerdict:
    """One query of one dashboard panel: whether it returned data.

    A failure that is `accepted`, with that reason, is ok. `truth` is how it compares with what the
    world counted, None where nobody says what it must show.
    """

    dashboard: str
    panel: str
    query: str
    ok: bool
    reason: str
    accepted: str | None = None
    truth: PanelComparison | None = None

    @property
    def is_untrue(self) -> bool:
        """Whether it answered, and not with what the world counted."""
        return self.truth is not None and not self.truth.agrees


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioOutcome:
    """One scenario, run and judged. `virtual_s` = `exact_s` + `resampled_s`, history included.

    `invalid` holds the reasons why nothing may be concluded, empty when it may. `findings` are
    remarks on rules and dashboards that change no verdict.

    `clock` says whether it was simulated in virtual time or run in real time, there with time
    compressed `compress` times. `notes` are incidents during the run (a restart, an early end),
    `clocks` the comparison of both clocks, None when there was none, and `notifications` the
    receiver's whole ledger. `not_judged` are the rules, panels and routes that nothing can be said
    about, while the others are judged. `offsets` are those of scrapes and evaluations in virtual
    time, None in real time, where Prometheus chooses them. `chart` is what the report draws: a
    document of `charts.chart_document` in gzip, empty where nothing was drawn. `record` is what was
    run, `fault_effects` what was measured of each fault, by its name. `replay` is the command that
    judges it again where it is a run on one of many seeds, empty otherwise.
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
    clock: Clock = "virtual"
    compress: float = 1.0
    notes: tuple[str, ...] = ()
    clocks: tuple[ClockDifference, ...] | None = None
    notifications: tuple[Notification, ...] = ()
    offsets: Spread | None = None
    not_judged: tuple[NotJudged, ...] = ()
    chart: bytes = b""
    record: ScenarioRecord | None = None
    fault_effects: Mapping[str, str] = field(default_factory=dict)
    replay: str = ""

    @property
    def virtual_s(self) -> float:
        """Virtual seconds of samples that Prometheus evaluated, history included."""
        return self.exact_s + self.resampled_s

    @property
    def times_real_time(self) -> float:
        """Seconds simulated event by event per second of wall clock; none that are resampled."""
        return self.exact_s / self.wall_s if self.wall_s > 0 else 0.0

    @property
    def verdict(self) -> Verdict:
        """Invalid when it, or an alert, could not be judged; pass when every part of it is ok."""
        if self.invalid:
            return "invalid"
        parts = [part.ok for part in self.alerts] + [part.ok for part in self.panels]
        parts += [part.ok for part in self.clocks or ()]
        if not all(parts):
            return "fail"
        return "invalid" if any(item.keeps_from_passing for item in self.not_judged) else "pass"


def overall(outcomes: Sequence[ScenarioOutcome]) -> Verdict:
    """Fail when any scenario fails, else invalid when any (or none at all) could not be judged."""
    verdicts = {outcome.verdict for outcome in outcomes}
    if "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else "invalid"


def engine_of(outcomes: Sequence[ScenarioOutcome]) -> Engine:
    """Return the run's engine; `UNKNOWN_ENGINE` when no scenario got as far as starting it."""
    known = (outcome.engine for outcome in outcomes if outcome.engine != UNKNOWN_ENGINE)
    return next(known, UNKNOWN_ENGINE)
