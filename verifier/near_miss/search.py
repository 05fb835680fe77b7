"""Between which two values an alert begins to fire: bisection of one number, in few probes.

Called with what probes a value, a whole simulated run. It assumes nothing of the direction, and
looks whether the outcome changes more than once. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from verifier.near_miss.knobs import Knob
    from verifier.near_miss.probing import Nearness

PRECISION: Final = 0.01
"""How near to each other, as a share, the last silent and the first firing value are."""
STEPS_MAX: Final = 7
"""How often a value is doubled, or halved, in search of the other outcome."""


CALM_MAX: Final = 8
"""How many probes more look for where a condition never holds."""


class NoNearMissError(RuntimeError):
    """There is no near miss to be had. The message says why, and what the user can do."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a run with one value showed."""

    value: float
    fired: bool
    nearness: Nearness | None = None
    held: bool = False
    """Whether its condition was true at any evaluation, for however short."""


@dataclass(frozen=True, slots=True)
class Boundary:
    """The nearest values of both outcomes, and every probe by its value.

    `contradictions` are pairs of a silent value and a firing one on its silent side: where there is
    any, the outcome changes more than once.
    """

    silent: Probe
    firing: Probe
    probes: tuple[Probe, ...]

    @property
    def upwards(self) -> bool:
        """Whether larger values fire."""
        return self.firing.value > self.silent.value

    @property
    def contradictions(self) -> tuple[tuple[float, float], ...]:
        """Each silent value beyond one that fires, with that one."""
        sign = 1 if self.upwards else -1
        return tuple(
            (silent.value, firing.value)
            for silent in self.probes
            for firing in self.probes
            if not silent.fired and firing.fired and sign * (silent.value - firing.value) > 0
        )


class BoundarySearch:
    """A search with at most `probes_max` probes, each value probed once."""

    def __init__(self, knob: Knob, probe: Callable[[float], Probe], probes_max: int) -> None:
        """Probe nothing yet."""
        self.knob = knob
        self._probe = probe
        self._left = probes_max
        self.probes: dict[float, Probe] = {}

    def between(self, low: float | None, high: float | None) -> Boundary:
        """Return the boundary in these limits; without them, near the value of the file."""
        if low is not None and high is not None:
            first, second = self._at(low), self._at(high)
            if first.fired == second.fired:
                raise self._same([first, second])
        else:
            first, second = self._bracket(low, high)
        silent, firing = (second, first) if first.fired else (first, second)
        silent, firing = self._bisected(silent, firing)
        self._look_beyond(silent, firing)
        probes = tuple(sorted(self.probes.values(), key=lambda each: each.value))
        return Boundary(silent, firing, probes)

    def never_held(self, boundary: Boundary) -> Probe:
        """Return the silent probe nearest to a boundary in which the condition never held at all.

        What builds up, or is noisy, crosses its threshold long before it stays there for a `for`.
        Where no such probe is in reach, the silent edge itself.
        """
        edge = boundary.silent
        sign = -1.0 if boundary.upwards else 1.0
        beyond = [
            each
            for each in self.probes.values()
            if not each.held and sign * (each.value - edge.value) > 0
        ]
        if not edge.held:
            return edge
        self._left += CALM_MAX
        calm = min(beyond, key=lambda each: abs(each.value - edge.value), default=None)
        value = edge.value
        for _ in range(STEPS_MAX):
            if calm is not None or not self._left:
                break
            value = self.knob.snapped(value * (0.8 if boundary.upwards else 1.25))
            probe = self._at(value)
            edge, calm = (probe, None) if probe.held else (edge, probe)
        while calm is not None and self._left and not self._is_near(calm.value, edge.value):
            middle = self.knob.snapped((calm.value + edge.value) / 2)
            if middle in (calm.value, edge.value):
                break
            probe = self._at(middle)
            edge, calm = (probe, calm) if probe.held else (edge, probe)
        return calm or boundary.silent

    def _bracket(self, low: float | None, high: float | None) -> tuple[Probe, Probe]:
        """Return two neighbouring probes of different outcome, by doubling and by halving."""
        low = self.knob.low if low is None else low
        high = self.knob.high if high is None else high
        start = self._at(min(max(self.knob.value, low), high))
        # More of a fault is what fires most of the time, so that is tried first.
        factors = (0.5, 2.0) if start.fired else (2.0, 0.5)
        for factor in factors:
            last = start
            for _ in range(STEPS_MAX):
                value = self.knob.snapped(min(max(last.value * factor, low), high))
                if value in (last.value, 0):
                    break
                following = self._at(value)
                if following.fired != start.fired:
                    return last, following
                last = following
        raise self._same(sorted(self.probes.values(), key=lambda each: each.value))

    def _same(self, probes: list[Probe]) -> NoNearMissError:
        """Return the error that all probes have the same outcome."""
        low, high = self.knob.text(probes[0].value), self.knob.text(probes[-1].value)
        where = f"{self.knob.subject} from {low} to {high}"
        if probes[0].fired:
            return NoNearMissError(
                f"it fires at every probed {where}, the smallest and the largest: --low and --high"
                " widen that, another fault or parameter may be what makes it fire"
            )
        known = [each.nearness for each in probes if each.nearness]
        nearest = min(known, key=lambda each: each.distance, default=None)
        came = f" (it came to {nearest.words})" if nearest else ""
        return NoNearMissError(
            f"it never fires at any probed {where}{came}, not even the largest: --low and --high"
            " widen that, a longer fault, or another one, may be what makes it fire"
        )

    def _bisected(self, silent: Probe, firing: Probe) -> tuple[Probe, Probe]:
        while not self._is_near(silent.value, firing.value):
            middle = self.knob.snapped((silent.value + firing.value) / 2)
            if middle in (silent.value, firing.value):
                break
            if not self._left:
                break
            between = self._at(middle)
            silent, firing = (silent, between) if between.fired else (between, firing)
        return silent, firing

    def _look_beyond(self, silent: Probe, firing: Probe) -> None:
        """Probe once more on either side: bisection alone cannot see a second change."""
        for edge in (silent, firing):
            same = [each.value for each in self.probes.values() if each.fired == edge.fired]
            furthest = max(same, key=lambda value: abs(value - edge.value))
            between = self.knob.snapped((edge.value + furthest) / 2)
            if self._left and between not in (edge.value, furthest):
                self._at(between)

    def _is_near(self, silent: float, firing: float) -> bool:
        return abs(silent - firing) <= PRECISION * max(abs(silent), abs(firing))

    def _at(self, value: float) -> Probe:
        value = self.knob.snapped(value)
        if value not in self.probes:
            if not self._left:
                raise NoNearMissError(
                    "the probes are used up before both outcomes were seen: raise --probes, or"
                    " narrow the search by --low and --high"
                )
            self._left -= 1
            self.probes[value] = self._probe(value)
        return self.probes[value]
