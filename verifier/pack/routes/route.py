"""Alertmanager's tree of routes, walked by its own rules.

Built by the reader of an Alertmanager configuration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from documents.mistakes import Place
    from verifier.pack.routes.matchers import Matcher


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the route tree; what it does not say itself, it has from its parent. Seconds.

    `continues` is Alertmanager's `continue`: the siblings after it are asked as well. `muted_in`
    and `active_in` name its own time intervals; children do not inherit them.
    """

    receiver: str
    matchers: tuple[Matcher, ...]
    continues: bool
    group_wait_s: float
    group_interval_s: float
    routes: tuple[Route, ...]
    muted_in: tuple[str, ...] = ()
    active_in: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False, repr=False)

    def matching(self, labels: Mapping[str, str]) -> Iterator[Route]:
        """Yield the routes that take an alert, as Alertmanager walks its tree.

        The deepest that match; a route takes the alert itself when none of its children does.
        """
        if not all(matcher.matches(labels) for matcher in self.matchers):
            return
        taken = False
        for child in self.routes:
            below = list(child.matching(labels))
            yield from below
            taken = taken or bool(below)
            if below and not child.continues:
                return
        if not taken:
            yield self
