"""What the SLO check may find: one frozen class for each kind, with its place and its parts.

Disagreements fail a step; traps are findings and fail nothing. Made by `alignment`, `panels` and
`traps`; `sentences` writes them. Nothing here is text for a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from documents.mistakes import Place
    from verifier.labels import Labels


@dataclass(frozen=True, slots=True)
class Statement:
    """What the policy says of an objective, and where."""

    place: Place
    text: str
    objective: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """A comparison with a number, in the unit of an alert."""

    operator: str
    value: float


@dataclass(frozen=True, slots=True)
class NoAlert:
    """No alert has the labels of an objective, but those in `optional` files."""

    place: Place
    objective: str
    labels: Labels
    optional: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingPart:
    """An alert lacks a label or an annotation that every alert must have."""

    place: Place
    alert: str
    name: str


@dataclass(frozen=True, slots=True)
class NotComparable:
    """An alert's condition is of no form that can be compared; `reason` is a phrase."""

    place: Place
    alert: str
    reason: str


@dataclass(frozen=True, slots=True)
class WrongEvents:
    """An alert's ratio is not that of the failed requests; `reason` is a phrase."""

    place: Place
    alert: str
    reason: str


@dataclass(frozen=True, slots=True)
class OtherRequests:
    """An alert takes its share of other requests than another alert of the same service."""

    place: Place
    alert: str
    requests: str
    other: str
    other_requests: str


@dataclass(frozen=True, slots=True)
class WrongDivisor:
    """An alert divides by another budget (a share of the requests) than the policy leaves."""

    place: Place
    alert: str
    divisor: float
    expected: float
    policy: Statement


@dataclass(frozen=True, slots=True)
class WrongShortWindow:
    """A window beside the one that the policy states fires elsewhere than that one."""

    place: Place
    alert: str
    window_s: float
    threshold: Threshold
    expected: Threshold
    long_window_s: float


@dataclass(frozen=True, slots=True)
class UnstatedWindow:
    """An alert also fires for a window that the policy does not state."""

    place: Place
    alert: str
    window_s: float
    threshold: Threshold


@dataclass(frozen=True, slots=True)
class WrongWindow:
    """An alert reads other ranges than the policy's window."""

    place: Place
    alert: str
    ranges_s: frozenset[float]
    policy: Statement


@dataclass(frozen=True, slots=True)
class WrongQuantile:
    """An alert reads another quantile than the policy names; None: none at all."""

    place: Place
    alert: str
    quantile: float | None
    policy: Statement


@dataclass(frozen=True, slots=True)
class WrongThreshold:
    """An alert fires elsewhere than the policy says."""

    place: Place
    alert: str
    threshold: Threshold
    expected: Threshold
    policy: Statement


@dataclass(frozen=True, slots=True)
class WrongBudgetPeriod:
    """An error-budget alert reads other ranges than the budget's period."""

    place: Place
    alert: str
    ranges_s: frozenset[float]
    period_s: float


@dataclass(frozen=True, slots=True)
class WrongFullBudget:
    """An error-budget alert does not read a whole budget while nothing fails."""

    place: Place
    alert: str
    value: float


@dataclass(frozen=True, slots=True)
class WrongBudget:
    """An error-budget alert has another budget (a share of the requests) than the policy."""

    place: Place
    alert: str
    share: float
    expected_share: float


@dataclass(frozen=True, slots=True)
class WrongPanelThresholds:
    """A panel does not change colour where the alert fires, in the panel's unit."""

    place: Place
    panel: str
    dashboard: str
    thresholds: tuple[float, ...]
    alert: str
    fires_at: float


@dataclass(frozen=True, slots=True)
class PercentTwice:
    """An annotation's `function` multiplies a value in per cent by 100, and would show `value`."""

    place: Place
    alert: str
    function: str
    value: float


@dataclass(frozen=True, slots=True)
class SplitQuantile:
    """A histogram_quantile is not summed by `le`, so the alert fires for every label set."""

    place: Place
    alert: str


@dataclass(frozen=True, slots=True)
class SingleWindow:
    """A burn-rate alert has no short window beside its long one."""

    place: Place
    alert: str


@dataclass(frozen=True, slots=True)
class SilentHours:
    """An alert of an objective is silent by the clock, for a share of the time."""

    place: Place
    alert: str
    guard: str
    silent_share: float


@dataclass(frozen=True, slots=True)
class SilentWhenAbsent:
    """An alert on too small a sum stays silent when the metric is no longer there."""

    place: Place
    alert: str
    metric: str


@dataclass(frozen=True, slots=True)
class RepeatedCondition:
    """An alert has the condition of another."""

    place: Place
    alert: str
    other: str


@dataclass(frozen=True, slots=True)
class OtherHistogram:
    """A panel shows another histogram of the response time than its alert reads."""

    place: Place
    alert: str
    panel: str
    shown: str
    read: str


WrongNumber: TypeAlias = (
    WrongWindow | WrongQuantile | WrongThreshold | WrongDivisor | WrongShortWindow | UnstatedWindow
)
"""An alert that can be compared, and says another number than the policy."""
Disagreement: TypeAlias = (
    WrongNumber
    | NoAlert
    | MissingPart
    | NotComparable
    | WrongEvents
    | OtherRequests
    | WrongBudgetPeriod
    | WrongFullBudget
    | WrongBudget
    | WrongPanelThresholds
)
Trap: TypeAlias = (
    PercentTwice
    | SplitQuantile
    | SingleWindow
    | SilentHours
    | SilentWhenAbsent
    | RepeatedCondition
    | OtherHistogram
)
