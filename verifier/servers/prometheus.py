"""A throwaway Prometheus: started empty on loopback, filled by remote write, asked, removed.

The judge's only engine. Left alone it scrapes nothing and evaluates no rule: a single sample of
wall-clock time would put virtual history out of bounds. A live run configures it to, once its past
is stored. Its times are Unix seconds; virtual time is the caller's business. Whatever keeps it from
answering is a JudgeError, never a verdict.
"""

from __future__ import annotations

import http.client
import json
import math
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import urlencode

import numpy as np

from verifier.errors import JudgeError
from verifier.servers.binaries import require
from verifier.servers.child import Child, free_port
from verifier.servers.remote_write import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from exporter.history.samples import History

POINTS_MAX: Final = 10_000
"""Most points asked for in one range query; the server's own limit is 11,000."""

RESEND_S: Final = 60.0
LOOKBACK_S: Final = 300.0
"""Prometheus's own defaults."""

CONFIG: Final = "prometheus.yml"
START_ATTEMPTS: Final = 5
READY_TIMEOUT_S: Final = 30.0
READY: Final = b"Prometheus"
"""How the answer begins; whoever else had the port first may answer 200 to anything."""
ANSWER_TIMEOUT_S: Final = 130.0
THREADS: Final = 2
"""Senders of a push and askers of queries; measured on two cores: a third gains nothing."""

HEAD_SPAN: Final = "1000d"
"""Kept in one piece in memory: nothing is compacted during a push, which costs a third of its
speed over 30 days, and samples up to half as old as this may follow younger ones."""

_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_REMOTE_WRITE: Final = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class QueryError(ValueError):
    """The engine refused an expression or failed to evaluate it; the message is the engine's."""


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """An expression on the grid start_s, start_s + step_s, ... up to end_s, Unix seconds."""

    expr: str
    start_s: float
    end_s: float
    step_s: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: `times_s` (Unix seconds) and `values`, both float64 (n,)."""

    labels: Mapping[str, str]
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]


class Prometheus:
    """A running server inside a `with` block; nothing of it is left after the block.

    Raises JudgeError when the program is missing, does not start, dies, or refuses samples.
    `query_range` and `query` may be called from several threads.
    """

    def __init__(
        self,
        *,
        binary: Path | None = None,
        parent_directory: Path | None = None,
        factor: float = 1.0,
    ) -> None:
        """Only note where the program is and where its temporary directory may be.

        The server's own times (how long a sample is good for, how often Alertmanager is told of
        what goes on firing) are divided by `factor`, for time that is compressed.
        """
        self._factor = factor
        self._binary = binary
        self._parent_directory = parent_directory
        self._child: Child | None = None
        self._port = 0
        # Whoever else answers on the port, another server of ours included, does not know it.
        self._prefix = f"/{secrets.token_hex(8)}"
        self._pushed = 0
        self._local = threading.local()
        self._abandoned = threading.Event()
        self._connections: list[http.client.HTTPConnection] = []
        self.version = ""

    def __enter__(self) -> Self:
        """Start the server, wait until it is ready, read its version."""
        binary = self._binary or require("prometheus")
        self._child = Child("agentaskit-prometheus-", parent_directory=self._parent_directory)
        try:
            self._start(binary, self._child)
            self.version = str(self._ask("/api/v1/status/buildinfo")["version"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the server and remove its directory."""
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        if self._child is not None:
            self._child.stop()

    @property
    def pid(self) -> int | None:
        """Process id of the server."""
        return self._child.pid if self._child else None

    @property
    def url(self) -> str:
        """Address of the server while it runs."""
        return f"http://127.0.0.1:{self._port}{self._prefix}"

    def push(self, history: History) -> int:
        """Store `history`; return its number of samples. Each may only be pushed once.

        Raises JudgeError when a sample is refused or not stored: this server is then spoilt.
        """

        def send(share: int) -> int:
            samples = 0
            for body, count in requests(history, share, THREADS):
                status, answer = self._request("POST", "/api/v1/write", body, _REMOTE_WRITE)
                if status >= 300:
                    raise self._failure(f"Prometheus refused samples ({status}): {answer.decode()}")
                samples += count
            return samples

        samples = sum(self._in_threads(send, range(THREADS)))
        self._pushed += samples
        self._check_stored()
        return samples

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Return the series of a range query, of any length, in the engine's order.

        Raises QueryError when the engine refuses the expression.
        """
        parts: dict[tuple[tuple[str, str], ...], list[Series]] = {}
        for chunk in _chunks(query):
            form = {"query": query.expr, "step": _number(query.step_s)}
            form |= {"start": _number(chunk[0]), "end": _number(chunk[1])}
            for item in self._ask("/api/v1/query_range", form)["result"]:
                series = _series(item["metric"], item["values"])
                parts.setdefault(tuple(sorted(series.labels.items())), []).append(series)
        return [_joined(pieces) for pieces in parts.values()]

    def query_ranges(self, queries: Sequence[RangeQuery]) -> list[list[Series] | QueryError]:
        """Answer many range queries, several at a time; a refused one gives its QueryError."""

        def answer(query: RangeQuery) -> list[Series] | QueryError:
            try:
                return self.query_range(query)
            except QueryError as error:
                return error

        return self._in_threads(answer, queries)

    def configure(self, config: str) -> None:
        """Make `config` (YAML) the server's own from now on, which so far did nothing.

        Raises JudgeError when it is refused. The first scrape may take 6 s plus the interval.
        """
        if self._child is None:
            raise self._failure("Prometheus cannot be configured")
        try:
            (self._child.directory / CONFIG).write_text(config, encoding="utf-8")
        except OSError as error:
            raise self._failure(f"Prometheus cannot be configured ({error.strerror})") from error
        status, answer = self._request("POST", "/-/reload", b"", _FORM)
        if status != 200:
            raise self._failure(f"Prometheus refused its configuration: {answer.decode()}")

    @property
    def directory(self) -> Path:
        """The server's own directory while it runs, removed with it."""
        if self._child is None:
            raise self._failure("Prometheus has no directory")
        return self._child.directory

    def check(self, *, since_s: float = -math.inf) -> None:
        """Raise JudgeError when the server has ended or can no longer write what it scrapes.

        It calls itself healthy with its disk full, so its newest sample is looked at: one must have
        been stored since `since_s` of Unix time.
        """
        if self._child is None or self._child.exit_status() is not None:
            raise self._failure("Prometheus ended in mid-run")
        if self.metric("prometheus_tsdb_wal_writes_failed_total"):
            raise self._failure("Prometheus cannot write its samples")
        if since_s > -math.inf and self.metric("prometheus_tsdb_head_max_time_seconds") < since_s:
            raise self._failure("Prometheus stores no sample any more")

    def metric(self, name: str) -> float:
        """Return the sum over all series of one of the server's own metrics, 0 without any."""
        status, page = self._request("GET", "/metrics", None, {})
        if status != 200:
            raise self._failure(f"Prometheus does not show its metrics ({status})")
        return sum_metric(page.decode(), name)

    def stored(self, selector: str, start_s: float, end_s: float) -> list[Series]:
        """Return the very samples of `selector` after `start_s` up to `end_s`, as stored."""
        end_ms = round(end_s * 1000)
        # A range of 2.42 takes in the sample at its beginning, one of 3.x does not.
        range_ms = end_ms - round(start_s * 1000) - 1
        form = {"query": f"{selector}[{range_ms}ms]", "time": _number(end_ms / 1000)}
        result = self._ask("/api/v1/query", form)["result"]
        return [_series(item["metric"], item["values"]) for item in result]

    def query(self, expr: str, at_s: float) -> list[Series]:
        """Return the instant vector (or scalar, with no labels) of `expr` at one Unix time."""
        data = self._ask("/api/v1/query", {"query": expr, "time": _number(at_s)})
        if data["resultType"] == "scalar":
            return [_series({}, [data["result"]])]
        if data["resultType"] != "vector":
            raise QueryError(f"expression must give a vector, got a {data['resultType']}")
        return [_series(item["metric"], [item["value"]]) for item in data["result"]]

    def _in_threads(
        self, work: Callable[[_Item], _Answer], items: Iterable[_Item]
    ) -> list[_Answer]:
        """Do `work` on all items, some at a time; any exception, Ctrl-C too, ends the others."""
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                return list(pool.map(work, items))
            except BaseException:
                self._abandoned.set()
                raise

    def _start(self, binary: Path, child: Child) -> None:
        """Start on a free port, trying again when another program took the port first."""
        if not child.has_room():  # it would start all the same, and fail at its first sample
            raise self._failure("Prometheus has no room for its samples")
        (child.directory / CONFIG).touch()
        for _ in range(START_ATTEMPTS):
            self._port = free_port()
            child.start([binary, *_flags(child.directory), *self._web_flags()])
            if self._wait_until_ready(child):
                return
            if "address already in use" not in "\n".join(child.log):
                break
        raise self._failure("Prometheus did not start")

    def _web_flags(self) -> list[str]:
        return [
            f"--web.listen-address=127.0.0.1:{self._port}",
            f"--web.external-url={self.url}",
            f"--web.route-prefix={self._prefix}",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
            "--web.read-timeout=30d",  # else it hangs up on whoever did not ask for five minutes
            f"--rules.alert.resend-delay={math.ceil(RESEND_S * 1000 / self._factor)}ms",
            f"--query.lookback-delta={math.ceil(LOOKBACK_S * 1000 / self._factor)}ms",
        ]

    def _wait_until_ready(self, child: Child) -> bool:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and child.exit_status() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=1)
            try:
                connection.request("GET", f"{self._prefix}/-/ready")
                answer = connection.getresponse()
                if answer.status == 200 and answer.read().startswith(READY):
                    return True
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.01)
        return False

    def _ask(self, path: str, form: Mapping[str, str] | None = None) -> Any:
        """Return `data` of an API answer; raise QueryError for the caller's mistake."""
        if form is None:
            status, answer = self._request("GET", path, None, {})
        else:
            status, answer = self._request("POST", path, urlencode(form).encode(), _FORM)
        if status in (400, 422):
            raise QueryError(str(json.loads(answer)["error"]))
        if status != 200:
            raise self._failure(f"Prometheus answered {status}: {answer.decode()[:500]}")
        return json.loads(answer)["data"]

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Return status and body, over this thread's own connection."""
        if self._abandoned.is_set():
            raise JudgeError("Prometheus was given up after an earlier failure: start another one")
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=ANSWER_TIMEOUT_S
            )
            self._local.connection = connection
            self._connections.append(connection)
        try:
            connection.request(method, self._prefix + path, body=body, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._failure(f"Prometheus does not answer ({error!r})") from error

    def _check_stored(self) -> None:
        """Raise JudgeError unless the server's head counted every sample pushed."""
        status, page = self._request("GET", "/metrics", None, {})
        stored, failed = (
            int(sum_metric(page.decode(), f"prometheus_tsdb_{name}_total"))
            for name in ("head_samples_appended", "wal_writes_failed")
        )
        if status != 200 or stored != self._pushed or failed:
            raise self._failure(
                f"Prometheus stored {stored} of {self._pushed} samples, {failed} writes failed"
            )

    def _failure(self, what: str) -> JudgeError:
        """Return the error that tells what happened, why as far as known, and the way out."""
        child = self._child
        if child is None:
            return JudgeError(f"{what}: start it in a with block first")
        time.sleep(0.05)  # a dying server still has a last line to say
        return JudgeError("; ".join((what.strip(), *child.fate(), child.way_out(what))))


def sum_metric(page: str, name: str) -> float:
    """Return the sum over all series of `name` on a page in Prometheus's text format."""
    return math.fsum(
        float(line.rsplit(" ", 1)[1])
        for line in page.splitlines()
        if line.partition(" ")[0].partition("{")[0] == name
    )


def _flags(directory: Path) -> list[str]:
    return [
        f"--config.file={directory / CONFIG}",
        f"--storage.tsdb.path={directory / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--storage.tsdb.min-block-duration={HEAD_SPAN}",
        f"--storage.tsdb.max-block-duration={HEAD_SPAN}",
        "--log.level=warn",
    ]


def _chunks(query: RangeQuery) -> Iterable[tuple[float, float]]:
    """Cut a range into (first, last) times of at most POINTS_MAX points each."""
    points = int((query.end_s - query.start_s) / query.step_s + 1e-9) + 1
    for first in range(0, points, POINTS_MAX):
        last = min(first + POINTS_MAX, points) - 1
        yield query.start_s + first * query.step_s, query.start_s + last * query.step_s


def _series(labels: Mapping[str, str], pairs: Sequence[tuple[float, str]]) -> Series:
    times_s = np.array([pair[0] for pair in pairs], dtype=np.float64)
    return Series(labels, times_s, np.array([float(pair[1]) for pair in pairs], dtype=np.float64))


def _joined(pieces: Sequence[Series]) -> Series:
    if len(pieces) == 1:
        return pieces[0]
    times_s = np.concatenate([piece.times_s for piece in pieces])
    return Series(pieces[0].labels, times_s, np.concatenate([piece.values for piece in pieces]))


def _number(value: float) -> str:
    """Write seconds so that the server reads the very millisecond meant."""
    return f"{value:.3f}"
