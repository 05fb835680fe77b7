"""Refusals of a value outside its bounds, as data: owner, field, rule and value.

Every value type of this room checks itself with `require`. `scenarios` turns a `BoundError` into a
mistake with its place in a file; others print its sentence.
"""

from __future__ import annotations

from math import isfinite
from typing import Final

TIME_MAX_S: Final = 10 * 365 * 86_400
"""Ten years: no time of a topology, a load or a fault is longer. What the kernel's clock holds is
longer still, see "Why nothing overflows" in ARCHITECTURE.md."""


class BoundError(ValueError):
    """A value that breaks a rule.

    `owner` names what it belongs to ("fault leaking-pool", "tier micro"; may be empty), `field` is
    the field's name in its class, `rule` completes "must be ...", `value` is what was given. A rule
    that is a least and a most has them as `limits`, for those who write numbers in another way.
    """

    limits: tuple[float, float] | None = None

    def __init__(self, field: str, rule: str, value: object, *, owner: str = "") -> None:
        """Keep the parts; the sentence is made of them."""
        super().__init__(field, rule, value)
        self.field, self.rule, self.value, self.owner = field, rule, value, owner

    def __str__(self) -> str:
        """Write `<owner>: <field> must be <rule>, got <value>`."""
        subject = f"{self.owner}: {self.field}" if self.owner else self.field
        return f"{subject} must be {self.rule}, got {self.value!r}"


def require(holds: bool, field: str, rule: str, value: object, *, owner: str = "") -> None:  # noqa: FBT001 - an assertion reads best with its condition first
    """Raise `BoundError` unless `holds`."""
    if not holds:
        raise BoundError(field, rule, value, owner=owner)


def require_within(
    field: str, value: float, limits: tuple[float, float], *, owner: str = "", unit: str = ""
) -> None:
    """Raise `BoundError` unless `value` is finite and within both `limits`."""
    low, high = limits
    if isfinite(value) and low <= value <= high:
        return
    rule = f"{low:.16g} to {high:.16g}" + (f" {unit}" if unit else "")
    error = BoundError(field, rule, value, owner=owner)
    error.limits = limits
    raise error


def require_share(field: str, value: float, *, owner: str = "") -> None:
    """Raise `BoundError` unless `value` lies in [0, 1]."""
    require(isfinite(value) and 0 <= value <= 1, field, "between 0 and 1", value, owner=owner)


def require_positive(field: str, value: float, *, owner: str = "") -> None:
    """Raise `BoundError` unless `value` is finite and above 0."""
    require(isfinite(value) and value > 0, field, "above 0", value, owner=owner)
