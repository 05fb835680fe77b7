"""Random numbers: one seed, and from it one stream for each name.

A stream's numbers depend on the seed and its name alone, so a fault that draws its own leaves every
arrival, service time and message as they were. Streams are laid out in blocks for the kernel, which
reads them in order; how large a block is, and when it is refilled, changes no number. `World` owns
a `Streams`; whatever else draws here uses `generator`.
"""

from __future__ import annotations

from copy import copy
from hashlib import blake2b
from math import fsum
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


def _copied(stream: np.random.Generator) -> np.random.Generator:
    """A stream at the same place of the same numbers."""
    bits: np.random.BitGenerator = np.random.PCG64(0)
    bits.state = stream.bit_generator.state
    return np.random.Generator(bits)


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

    def fork(self) -> Streams:
        """An independent copy, which draws what this one would; what never changes is shared."""
        other = copy(self)
        named = {name: _copied(stream) for name, stream in self._named.items()}
        vars(other).update(_named=named)
        return other

    def refill(self, s: State) -> None:
        """Move what is left of each block to its front and draw the rest anew."""
        head = s.head
        _top_up(head, k.TASK_CURSOR, (s.gaps, self._fill_gaps), (s.tasks, self._fill_tasks))
        _top_up(head, k.BIT_CURSOR, (s.bits, self._bits_of("messages")))
        _top_up(head, k.START_CURSOR, (s.starts, self._fill_starts))
        _top_up(head, k.FACTOR_CURSOR, (s.factors, self._fill_factors))
        _top_up(head, k.CRASH_CURSOR, (s.crash_bits, self._bits_of("crash")))
        _top_up(
            head,
            k.FLOOD_CURSOR,
            (s.flood_gaps, lambda block: self._named["flood"].standard_exponential(out=block)),
            (s.flood_bits, self._bits_of("flood-bits")),
        )

    def _bits_of(self, name: str) -> Callable[[NDArray[np.int64]], object]:
        """What fills a block with numbers of 63 random bits: the highest would be a sign."""
        raw = self._named[name].bit_generator.random_raw
        shift = np.uint64(1)
        return lambda block: np.right_shift(raw(len(block)), shift, out=block.view(np.uint64))

    def _fill_gaps(self, block: NDArray[np.float64]) -> None:
        if self._gaps is None:
            self._named["arrivals"].standard_exponential(out=block)
            return
        gaps = self._gaps[self._gaps_read : self._gaps_read + len(block)]
        self._gaps_read += len(gaps)
        block[: len(gaps)] = gaps
        block[len(gaps) :] = np.inf

    def _fill_tasks(self, tasks: NDArray[np.int64]) -> None:
        count = len(tasks)
        kind = self._mix.draw(self._named["mix"].random(count))
        tasks[:, k.T_KIND] = kind
        tasks[:, k.T_WORK_NS] = self._draw_work(count, (kind >> k.CLASS_SHIFT) & k.CLASS_MASK)
        raw = self._named["luck"].bit_generator.random_raw(count)
        # Two parts of DRAW_BITS each: 62 of the 64 bits.
        tasks[:, k.T_DRAW] = (raw >> np.uint64(64 - 2 * k.DRAW_BITS)).view(np.int64)

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

    def _fill_starts(self, block: NDArray[np.int64]) -> None:
        """Start-up times in ns, lognormal with the mean `startup_mean_s`."""
        sigma = self._topology.startup_sigma
        unit = np.exp(sigma * self._named["startup"].standard_normal(len(block)) - sigma**2 / 2)
        starts_ns = self._topology.startup_mean_s * 1e9 * unit
        # A start that took no time would let an agent that always fails start without end.
        block[:] = np.clip(starts_ns, START_MIN_NS, k.CLOCK_MAX_NS)

    def _fill_factors(self, block: NDArray[np.float64]) -> None:
        """Lognormal factors of mean 1 for the runs of a triple-verified task."""
        sigma = SANDBOX_SIGMA
        normal = self._named["sandbox"].standard_normal(len(block))
        np.exp(sigma * normal - sigma**2 / 2, out=block)


def _log_mean_ns(task_class: TaskClass) -> float:
    """The mean of the logarithm with which a lognormal time has the class's mean, in ns."""
    log_mean: float = np.log(task_class.mean_service_s * 1e9) - task_class.sigma**2 / 2
    return log_mean


def _top_up(
    head: NDArray[np.int64],
    cursor: int,
    *streams: tuple[NDArray[Any], Callable[[NDArray[Any]], object]],
) -> None:
    """Replace what has been read of one or more blocks that share a cursor, where they lie."""
    read = int(head[cursor])
    if read == 0:
        return
    for block, fill in streams:
        left = len(block) - read
        block[:left] = block[read:].copy()
        fill(block[left:])
    head[cursor] = 0


class Mix:
    """A discrete distribution drawn by inversion, with a guide table that mostly holds the value.

    The same numbers as a binary search over the edges, which is left to those that fall into a cell
    with an edge in it (Chen and Asau, "On Generating Random Variates from an Empirical
    Distribution", 1974).
    """

    GUIDE = 4096

    def __init__(self, values: NDArray[np.int64], edges: NDArray[np.float64]) -> None:
        """`edges` are the upper edges of all values but the last, ascending in [0, 1]."""
        self._values = values
        self._edges = edges
        cells = np.arange(self.GUIDE + 1) / self.GUIDE
        first = np.searchsorted(edges, cells[:-1], side="right")
        last = np.searchsorted(edges, cells[1:], side="left")
        self._guide = np.where(first == last, values.take(first), -1)

    def draw(self, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """The value in whose share each number of [0, 1) falls."""
        drawn = self._guide.take((uniform * self.GUIDE).astype(np.intp))
        unsure = np.flatnonzero(drawn < 0)
        places = np.searchsorted(self._edges, uniform[unsure], side="right")
        drawn[unsure] = self._values.take(places)
        return drawn


def _shares(topology: Topology) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Kinds of task and the upper edges of their shares: priority, class, sandboxes, dependency."""
    alone = [pool.share for pool in topology.sandboxes]
    none = 1.0 - fsum(alone) - topology.triple_share
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
