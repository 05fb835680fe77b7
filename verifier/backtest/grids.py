"""When each group is evaluated in a replay: as on the server, where that evaluates the group too.

A server spreads its groups over their intervals by a hash of their names and files. Where it has a
group of the same name and interval, its instants are the server's own; any other is evaluated at
whole multiples of its interval in Unix time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.pack.spread import GroupOffset, Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from verifier.pack.rules import RuleFiles


def server_spread(
    versions: Iterable[RuleFiles], instants: Mapping[str, tuple[float, float]], from_s: float
) -> Spread:
    """Return the offsets of all groups from `from_s` of Unix time.

    `instants` are the interval and one instant of each group of the server, by its name.
    """
    offsets = []
    for rules in versions:
        for group in rules.groups:
            interval_s, at_s = instants.get(group.name, (0.0, 0.0))
            if interval_s != group.interval_s:
                at_s = 0.0
            offset_s = round((at_s - from_s) % group.interval_s, 3) % group.interval_s
            offsets.append(GroupOffset(group.file, group.name, group.interval_s, offset_s))
    return Spread(groups=tuple(offsets))
