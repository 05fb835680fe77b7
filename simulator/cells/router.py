"""The router in front of the cells: how it shares the load by what it sees of their health.

It checks health once a second, and what it sees decides the shares of the second that follows:
the one tie between cells. So they can be simulated apart for a second at a time. Arithmetic only,
in the order of the cells: the same readings give the same shares on any machine.
"""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, Final

from simulator.snapshot import CellReading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.topology import Topology

WORSE_MAX: Final = 0.02
"""By how much a cell's error rate may exceed that of the best cell without moving load:
the noise of a few hundred answers."""
HEALTH_MIN: Final = 0.02
"""What a cell that answers is left with, or its recovery would never show (a probe's share)."""
ANSWERS_MIN: Final = 20
"""Fewer answers in a second say nothing of a cell."""


class Router:
    """Health of each cell in [0, 1], and the shares of the load that follow from it.

    A share is relative: 1 is what each cell gets of a load that is spread evenly.
    """

    def __init__(self, topology: Topology) -> None:
        """Find every cell healthy."""
        self.weights = topology.cell_weights or (1.0,) * topology.cells
        self.ramp_s = topology.router_ramp_s
        self.health = [1.0] * topology.cells
        self.seen = [CellReading(up=True, answered=0, errors=0)] * topology.cells

    def check_health(self, readings: Sequence[CellReading]) -> None:
        """See how the cells did since the last health check, a second ago or more.

        A cell that is down has no health. One with a higher error rate (shed, failed, too
        late) than the best one loses as much of its health; any other regains it in `ramp_s`.
        Compared with the best, because load that fails everywhere is better nowhere.
        """
        rates = [_error_rate(now, before) for now, before in zip(readings, self.seen, strict=True)]
        up = [share for share, now in zip(rates, readings, strict=True) if now.up]
        least = min(up, default=0.0)
        for i, now in enumerate(readings):
            worse = rates[i] - least
            if not now.up:
                self.health[i] = 0.0
            elif worse > WORSE_MAX:
                self.health[i] = max(self.health[i] * (1.0 - worse), HEALTH_MIN)
            else:
                self.health[i] = min(self.health[i] + 1.0 / self.ramp_s, 1.0)
        self.seen = list(readings)

    def shares(self) -> tuple[float, ...]:
        """Return each cell's share of the load; their mean is 1.

        By weight and health; by weight alone where no cell is healthy, for the load has to go
        somewhere.
        """
        worth = [weight * health for weight, health in zip(self.weights, self.health, strict=True)]
        if fsum(worth) <= 0.0:
            worth = list(self.weights)
        # `sum` itself rounds otherwise from Python 3.12 on, and a share decides what arrives.
        total = fsum(worth)
        return tuple(len(worth) * each / total for each in worth)


def _error_rate(now: CellReading, before: CellReading) -> float:
    """Errors over answers between two health checks; 0 for too few answers to say."""
    answered = now.answered - before.answered
    return (now.errors - before.errors) / answered if answered >= ANSWERS_MIN else 0.0
