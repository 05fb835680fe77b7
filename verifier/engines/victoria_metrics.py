"""A throwaway VictoriaMetrics: started empty on loopback, filled by remote write, asked, removed.

It stands in for a Prometheus wherever a history is judged in virtual time. It stores samples a
moment after it has taken them, so it is told to before it is asked. No option makes it more like
Prometheus than it is where a user runs it: that is what is compared.
"""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING, Final, Self

from verifier.errors import JudgeError
from verifier.servers.binaries import TOOLS_VARIABLE, Binary, find, version_output
from verifier.servers.loopback_server import LoopbackServer
from verifier.servers.metrics_page import sum_metric
from verifier.servers.prometheus import Prometheus
from verifier.servers.prometheus.client import PrometheusClient
from verifier.servers.prometheus.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from exporter.history.samples import History
    from verifier.servers.prometheus import RangeQuery, Series

PROGRAM: Final = "victoria-metrics"
NAME: Final = "victoria-metrics"
READY: Final = b"VictoriaMetrics"
"""How the ready page begins."""
DIALECT: Final = Dialect(
    "VictoriaMetrics",
    # Without it the grid of a query is moved to whole multiples of the step.
    form={"nocache": "1"},
    # Without a range it knows of the last day alone.
    all_times="?start=1&end=4102444800",
)
ROWS: Final = "vm_rows_inserted_total"
PAGE_KEPT_S: Final = 8.0
"""Longer than it answers with a page of metrics that it has written before, five seconds."""
POLL_S: Final = 0.1
_STATED: Final = re.compile(r"\bv(\d+\.\d+\.\d+)")
_VERSION: Final = re.compile(r'vm_app_version\{[^}]*short_version="v?([^"]+)"')


def require_victoria_metrics() -> Path:
    """Return where the program is; raise JudgeError, with how to install it, if it is nowhere."""
    path = find(PROGRAM)
    if path is None:
        raise JudgeError(
            f"{PROGRAM} was not found on PATH, in .tools/bin or in ${TOOLS_VARIABLE}:"
            f" {victoria_advice()}"
        )
    return path


def victoria_advice() -> str:
    """Return how to get the program."""
    return (
        "install it (Debian, Ubuntu: `sudo apt-get install victoria-metrics`), or name its folder"
        f" in ${TOOLS_VARIABLE}"
    )


def describe_victoria_metrics() -> Binary | None:
    """Return path and version of the program, empty where it states none; None without it.

    Raises JudgeError when it is there but does not run.
    """
    path = find(PROGRAM)
    if path is None:
        return None
    stated = _STATED.search(version_output(path))
    return Binary(PROGRAM, path, stated[1] if stated else "")


class VictoriaMetrics(Prometheus):
    """A running server inside a `with` block; nothing of it is left after the block.

    Raises JudgeError when the program is missing, does not start, dies, or refuses samples.
    """

    def __init__(self, *, binary: Path | None = None, parent_directory: Path | None = None) -> None:
        """Start nothing; without `binary` it is searched for at the start."""
        super().__init__(parent_directory=parent_directory)
        self._program = binary
        self._server = LoopbackServer(
            "VictoriaMetrics",
            is_ready=lambda page: page.startswith(READY),
            parent_directory=parent_directory,
        )
        self._client = PrometheusClient(self._server, DIALECT)
        self._settled = True

    def __enter__(self) -> Self:
        """Start the server and wait until it is ready."""
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def name(self) -> str:
        """What the engine is called in a verdict."""
        return NAME

    def fresh(self) -> VictoriaMetrics:
        """Return another server of this kind, empty and not started."""
        return VictoriaMetrics(binary=self._program)

    def check(self, *, since_s: float = -math.inf) -> None:
        """Raise JudgeError when the server has ended."""
        if self._server.exit_status() is not None:
            raise self._server.failure(f"VictoriaMetrics ended in mid-run (since {since_s:g})")

    def append(self, history: History) -> None:
        """Store a few samples at once; `check_stored` must say at the end that they all are."""
        super().append(history)
        self._settled = False

    def check_stored(self) -> None:
        """Raise JudgeError unless the server took exactly what it was sent; make all readable."""
        self._settle()
        until_s = time.monotonic() + PAGE_KEPT_S
        while True:
            page = self._client.metrics_page()
            self.version = _version(page)
            stored = int(sum_metric(page, ROWS))
            if stored == self._pushed:
                return
            if time.monotonic() > until_s:
                break
            time.sleep(POLL_S)
        raise self._server.failure(f"VictoriaMetrics stored {stored} of {self._pushed} samples")

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Return the series of a range query; raise QueryError when the engine refuses it."""
        self._settle_new()
        return super().query_range(query)

    def query(self, expr: str, at_s: float) -> list[Series]:
        """Return the instant vector (or scalar, with no labels) of `expr` at one Unix time."""
        self._settle_new()
        return super().query(expr, at_s)

    def start_again(self) -> None:
        """Start again on the same port and the same data, dead or alive: as after `kill -9`."""
        binary = self._program or require_victoria_metrics()
        self._server.restart(lambda: [binary, *self._flags()])

    def _start(self) -> None:
        binary = self._program or require_victoria_metrics()
        self._server.make_directory()
        if not self._server.child.has_room():
            raise self._server.failure("VictoriaMetrics has no room for its samples")
        self._server.start(lambda: [binary, *self._flags()])

    def _settle_new(self) -> None:
        if not self._settled:
            self._settle()

    def _settle(self) -> None:
        """Make what was taken readable, which it is else within seconds."""
        status, _ = self._server.get("/internal/force_flush", timeout_s=60.0)
        if status >= 300:
            raise self._server.failure(f"VictoriaMetrics does not store its samples ({status})")
        self._settled = True

    def _flags(self) -> Sequence[str]:
        return [
            f"-httpListenAddr={self._server.target}",
            f"-http.pathPrefix={self._server.path_prefix}",
            f"-storageDataPath={self._server.directory / 'data'}",
            "-retentionPeriod=100y",  # a simulated history lies in the past
            "-search.latencyOffset=0s",
            "-search.disableCache",
            "-search.maxQueryDuration=2m",  # as Prometheus's own
            "-loggerLevel=WARN",
        ]


def _version(page: str) -> str:
    """Return the version that a build states; that of Debian states none."""
    stated = _VERSION.search(page)
    return stated[1] if stated else "unknown"
