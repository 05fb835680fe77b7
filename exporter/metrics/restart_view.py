"""The values of an exporter that restarts: counters that begin at 0 again.

The served page reads the catalogue through a view; the recorder of history, which also resamples,
keeps levels of its own. It changes nothing in the world.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from exporter.metrics.series import Catalogue, Values
    from simulator.snapshot import Snapshot


class RestartView:
    """Reads the catalogue's vector, counters less their values at the last restart."""

    def __init__(self, catalogue: Catalogue[Snapshot], restarts: int = 0) -> None:
        """Begin with nothing to subtract; the world has restarted its exporter `restarts` times."""
        self._catalogue = catalogue
        self._counters = catalogue.kinds == "counter"
        self._base: Values = np.zeros(len(catalogue.series))
        self._restarts = restarts

    def read(self, snapshot: Snapshot) -> Values:
        """Return the values that the exporter shows at `snapshot`. Shape (series,).

        The first snapshot after a restart is taken as the instant of the restart: a caller
        that wants it exact reads one there.
        """
        if snapshot.exporter_restarts != self._restarts:
            self.restart(snapshot)
        return self._catalogue.flatten(snapshot) - self._base

    def restart(self, snapshot: Snapshot) -> None:
        """Let the counters begin at 0 at `snapshot`, as those of an exporter that starts then."""
        self._restarts = snapshot.exporter_restarts
        self._base = np.where(self._counters, self._catalogue.flatten(snapshot), 0.0)
