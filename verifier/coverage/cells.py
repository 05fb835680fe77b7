"""The seven cells of an alert, and what a scenario showed of one: values only.

Made by `observing`, counted by `score`. docs/coverage.md defines each cell for people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from verifier.evaluation.timeline import Timeline
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RuleGroup

MissedCell = Literal["near_threshold", "near_for"]
Cell = Literal[
    "fires", "near_threshold", "near_for", "resolves", "absent_data", "no_traffic", "notified"
]
CELLS: Final[tuple[Cell, ...]] = get_args(Cell)
TITLES: Final[dict[Cell, str]] = {
    "fires": "fires",
    "near_threshold": "near threshold",
    "near_for": "near for",
    "resolves": "resolves",
    "absent_data": "absent data",
    "no_traffic": "no traffic",
    "notified": "notified",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a scenario showed of a cell of the rule with this number, in words.

    `binds`: whether its expectations would have refused the opposite. Only then is it a proof.
    """

    number: int
    cell: Cell
    shown: str
    binds: bool


@dataclass(frozen=True, slots=True)
class AlertCourse:
    """A rule in one scenario: what its alerts did, and what others of its name did.

    `label_sets` are those that its alerts carry, or could carry. Times are scenario seconds.
    """

    number: int
    group: RuleGroup
    rule: AlertRule
    own: tuple[Timeline, ...]
    others: tuple[Timeline, ...]
    label_sets: tuple[Labels, ...]
