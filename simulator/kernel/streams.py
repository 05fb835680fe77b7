"""Random numbers: one seed, and from it one stream for each name.

A stream's numbers depend on the seed and its name alone, so a fault that draws its own leaves every
arrival, service time and message as they were. Streams are laid out in blocks for the kernel, which
reads them in order; how large a block is, and when it is refilled, changes no number. `World` owns
a `Streams`; whatever else draws here uses `generator`.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.kernel import loop as k

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from simulator.kernel.state import State
    from simulator.topology import TaskClass, Topology

SANDBOX_SIGMA = 0.25
"""Spread of the three runs of a triple-verified task, sigma of the logarithm."""

START_MIN_NS = 1_000
"""No start takes less than a microsecond."""


def generator(seed: int, name: str) -> np.random.Generator:
    """The random stream called `name` under `seed` (a PCG64 keyed by both).

    The name is hashed with BLAKE2, for Python's own hash of a text differs between processes.
    """
    key = int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "big")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key])))


class Streams:
    """The numbers that a world consumes; `refill` tops up its arrays in place."""

    def __init__(self, topology: Topology, seed: int, gaps: NDArray[np.float64] | None) -> None:
        """Derive every stream of `seed`; recorded `gaps` (ns) take the place of drawn arrivals."""
        self._topology = topology
        # Part of what a seed means: another name here is another world for every seed. "luck" holds
        # the numbers that decide whether a task fails.
        self._named = {
            name: generator(seed, name)
            for name in ("arrivals", "mix", "service", "service-exponential", "luck", "messages",
                         "startup", "sandbox", "crash", "flood", "flood-bits")
        }  # fmt: skip
        self._gaps = gaps
        self._gaps_read = 0
        self._mix = Mix(*_shares(topology))
        self._sigma = np.array([entry.sigma for entry in topology.classes])
        self._log_mean_ns = np.array([_log_mean_ns(entry) for entry in topology.classes])

    def refill(self, s: State) -> None:
        """Move what is left of each block to its front and draw the rest anew."""
        head = s.head
        _top_up(head, k.TASK_CURSOR, (s.gaps, self._draw_gaps), (s.tasks, self._draw_tasks))
        _top_up(head, k.BIT_CURSOR, (s.bits, lambda n: self._bits("messages", n)))
        _top_up(head, k.START_CURSOR, (s.starts, self._draw_starts))
        _top_up(head, k.FACTOR_CURSOR, (s.factors, self._draw_factors))
        _top_up(head, k.CRASH_CURSOR, (s.crash_bits, lambda n: self._bits("crash", n)))
        _top_up(
            head,
            k.FLOOD_CURSOR,
            (s.flood_gaps, self._named["flood"].standard_exponential),
            (s.flood_bits, lambda n: self._bits("flood-bits", n)),
        )

    def _bits(self, name: str, count: int) -> NDArray[np.int64]:
        """`count` numbers of 63 random bits: the highest is left out, for it would be a sign."""
        raw = self._named[name].bit_generator.random_raw(count)
        raw >>= np.uint64(1)
        return raw.view(np.int64)

    def _draw_gaps(self, count: int) -> NDArray[np.float64]:
        if self._gaps is None:
            return self._named["arrivals"].standard_exponential(count)
        gaps = self._gaps[self._gaps_read : self._gaps_read + count]
        self._gaps_read += len(gaps)
        return np.concatenate([gaps, np.full(count - len(gaps), np.inf)])

    def _draw_tasks(self, count: int) -> NDArray[np.int64]:
        tasks = np.empty((count, k.TASK_SIZE), np.int64)
        kind = self._mix.draw(self._named["mix"].random(count))
        tasks[:, k.T_KIND] = kind
        tasks[:, k.T_WORK_NS] = self._draw_work(count, (kind >> k.CLASS_SHIFT) & k.CLASS_MASK)
        raw = self._named["luck"].bit_generator.random_raw(count)
        # Two parts of DRAW_BITS each: 62 of the 64 bits.
        tasks[:, k.T_DRAW] = (raw >> np.uint64(64 - 2 * k.DRAW_BITS)).astype(np.int64)
        return tasks

    def _draw_work(self, count: int, task_class: NDArray[np.int64]) -> NDArray[np.float64]:
        """Service times in ns: each class its own distribution with its own mean.

        Lognormal: exp(ln(mean) - sigma^2 / 2 + sigma z) with z standard normal has the mean `mean`.
        A distribution that no class has draws nothing, so that its stream stays where it was.
        """
        distributions = [entry.distribution for entry in self._topology.classes]
        work = np.empty(count)
        if "lognormal" in distributions:
            work = self._named["service"].standard_normal(count)
            work *= self._sigma.take(task_class)
            work += self._log_mean_ns.take(task_class)
            np.exp(work, out=work)
        if "exponential" in distributions:
            exponential = self._named["service-exponential"].standard_exponential(count)
        for number, entry in enumerate(self._topology.classes):
            # Comparing a block of tasks costs time, which the usual lognormal need not pay.
            if entry.distribution == "lognormal":
                continue
            mine = task_class == number
            work[mine] = entry.mean_service_s * 1e9
            if entry.distribution == "exponential":
                work[mine] *= exponential[mine]
        return np.minimum(work, k.CLOCK_MAX_NS, out=work)

    def _draw_starts(self, count: int) -> NDArray[np.int64]:
        """Start-up times in ns, lognormal with the mean `startup_mean_s`."""
        sigma = self._topology.startup_sigma
        unit = np.exp(sigma * self._named["startup"].standard_normal(count) - sigma**2 / 2)
        starts_ns = self._topology.startup_mean_s * 1e9 * unit
        # A start that took no time would let an agent that always fails start without end.
        return np.clip(starts_ns, START_MIN_NS, k.CLOCK_MAX_NS).astype(np.int64)

    def _draw_factors(self, count: int) -> NDArray[np.float64]:
        """Lognormal factors of mean 1 for the runs of a triple-verified task."""
        sigma = SANDBOX_SIGMA
        return np.exp(sigma * self._named["sandbox"].standard_normal(count) - sigma**2 / 2)


def _log_mean_ns(task_class: TaskClass) -> float:
    """The mean of the logarithm with which a lognormal time has the class's mean, in ns."""
    log_mean: float = np.log(task_class.mean_service_s * 1e9) - task_class.sigma**2 / 2
    return log_mean


def _top_up(
    head: NDArray[np.int64],
    cursor: int,
    *streams: tuple[NDArray[Any], Callable[[int], NDArray[Any]]],
) -> None:
    """Replace what has been read of one or more blocks that share a cursor."""
    read = int(head[cursor])
    if read == 0:
        return
    for block, draw in streams:
        left = len(block) - read
        block[:left] = block[read:].copy()
        block[left:] = draw(read)
    head[cursor] = 0


class Mix:
    """A discrete distribution drawn by inversion, with a guide table that says where to begin.

    The same numbers as a binary search over the edges, in a quarter of the time (Chen and Asau, "On
    Generating Random Variates from an Empirical Distribution", 1974).
    """

    GUIDE = 1024

    def __init__(self, values: NDArray[np.int64], edges: NDArray[np.float64]) -> None:
        """`edges` are the upper edges of all values but the last, ascending in [0, 1]."""
        self._values = values
        self._edges = np.append(edges, np.inf)
        cells = np.arange(self.GUIDE) / self.GUIDE
        self._guide = np.searchsorted(edges, cells, side="right")

    def draw(self, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """The value in whose share each number of [0, 1) falls."""
        # Most numbers lie in a cell without an edge: only the others are looked at again.
        index = self._guide.take((uniform * self.GUIDE).astype(np.intp))
        beyond = np.flatnonzero(uniform >= self._edges.take(index))
        while len(beyond):
            index[beyond] += 1
            beyond = beyond[uniform[beyond] >= self._edges[index[beyond]]]
        return self._values.take(index)


def _shares(topology: Topology) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Kinds of task and the upper edges of their shares: priority, class, sandboxes, dependency."""
    alone = [pool.share for pool in topology.sandboxes]
    none = 1.0 - sum(alone) - topology.triple_share
    needs = [(0, none), (k.ALL_POOLS, topology.triple_share)]
    needs += [(1 << pool, share) for pool, share in enumerate(alone)]
    kinds = []
    shares = []
    for p, priority in enumerate(topology.priorities):
        for c, task_class in enumerate(topology.classes):
            for need, need_share in needs:
                for calls, calls_share in (
                    (0, 1 - topology.dependency_share),
                    (k.DEPENDENCY_BIT, topology.dependency_share),
                ):
                    kinds.append(p | c << k.CLASS_SHIFT | need << k.NEED_SHIFT | calls)
                    shares.append(priority.share * task_class.share * need_share * calls_share)
    # Rounding may leave a share that should be 0 just below it, and the sum just beside 1.
    edges = np.cumsum(np.maximum(shares, 0.0))
    return np.array(kinds, np.int64), edges[:-1] / edges[-1]
