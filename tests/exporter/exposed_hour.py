"""An exporter's pages through an hour of a world in which every kind of fault happens once."""

from __future__ import annotations

from exporter.metrics.page import TEXT
from exporter.server.exposition import Exposition
from tests.simulator.faults.samples import SAMPLES, TARGETS
from tests.simulator.worlds import fault, make

SCRAPE_S = 30
EVERY_S = 145
"""From one fault to the next: 24 of them fit into an hour."""
LASTS_S = 60
HOUR_S = 3600


class WorldClock:
    """The time of a world, as its pacer's clock: it is never behind."""

    def __init__(self, world):
        """Read the time of `world`."""
        self._world = world

    def monotonic(self):
        """Return the world's time."""
        return self._world.now_s


def onset_s(kind):
    """Return when the fault of a kind begins; the first minute has none."""
    return 60.0 + EVERY_S * list(SAMPLES).index(kind)


def troubled_world(seed, **changes):
    """Return a small world that suffers one fault after the other, a tenth of the usual load."""
    faults = [
        fault(
            kind,
            start_s=onset_s(kind),
            duration_s=LASTS_S,
            **SAMPLES[kind],
            **TARGETS.get(kind, {}),
        )
        for kind in SAMPLES
    ]
    return make(*faults, seed=seed, rate=40.0, **changes)


def pages(world, instants_s, content_type=TEXT):
    """Yield (instant, text, whether the exporter restarted since the last page).

    The text is None where a scrape was refused.
    """
    exposition, restarts = Exposition(world, WorldClock(world), version="1", scenario="x"), 0
    for at_s in instants_s:
        world.advance(at_s)
        page, now = exposition.scrape(), world.snapshot().exporter_restarts
        if page is None:
            yield at_s, None, False
            continue
        yield at_s, page.body(content_type, compressed=False).decode(), now != restarts
        restarts = now
