"""Asks a running Prometheus over HTTP and writes samples to it, from a few threads.

Used by `verifier.servers.prometheus.server`. All times are Unix seconds. A query that the engine
refuses is a `QueryError`, the caller's mistake; anything else that keeps the server from answering
is a `JudgeError`.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar
from urllib.parse import urlencode

import numpy as np

from verifier.errors import JudgeError
from verifier.servers.metrics_page import sum_metric
from verifier.servers.prometheus.dialect import PROMETHEUS_DIALECT
from verifier.servers.prometheus.remote_write import joined_requests, requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import History
    from verifier.labels import Labels
    from verifier.servers.prometheus.dialect import Dialect, Endpoint

POINTS_MAX: Final = 10_000
"""Most points asked for in one range query; the server's own limit is 11,000."""
ANSWER_TIMEOUT_S: Final = 130.0
"""More than the two minutes after which Prometheus itself gives up a query."""
ANSWER_CHARS_MAX: Final = 500
"""As much of an unexpected answer as an error repeats."""
THREADS: Final = 2
"""Threads that push and query; measured on two cores: a third gains nothing."""

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


class RefusedQueryError(QueryError):
    """The engine refused an expression as such, whatever it would be evaluated on."""


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


class _RangeItem(TypedDict):
    """A series of a range query's answer."""

    metric: dict[str, str]
    values: list[tuple[float, str]]


class _InstantItem(TypedDict):
    """A series of an instant query's answer."""

    metric: dict[str, str]
    value: tuple[float, str]


@dataclass(frozen=True, slots=True)
class EvaluatedRule:
    """An alerting rule as a server shows it: the labels of its active alerts, and why it failed."""

    alerts: tuple[dict[str, str], ...]
    failure: str


class PrometheusClient:
    """A client of one server. Its methods may be called from several threads."""

    def __init__(self, server: Endpoint, dialect: Dialect = PROMETHEUS_DIALECT) -> None:
        """Connect to nothing yet."""
        self._server, self._dialect = server, dialect
        self._abandoned = threading.Event()
        self._idle: deque[http.client.HTTPConnection] = deque()

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    def version(self) -> str:
        """Return the version that the server states."""
        return str(self._ask("/api/v1/status/buildinfo")["version"])

    def write(self, histories: Sequence[History]) -> int:
        """Send `histories`, no series in two of them; return their number of samples.

        Raises JudgeError when a sample is refused.
        """
        shares = [joined_requests(histories, share, THREADS) for share in range(THREADS)]
        # The first alone: an empty Prometheus notes its least and its greatest time in two steps,
        # and refuses as "out of bounds" whoever writes between them.
        in_turn = ([islice(shares[0], 1)], shares)
        return sum(sum(self._in_threads(self._send, together)) for together in in_turn)

    def append(self, history: History) -> int:
        """Send a few samples from this thread; return their number.

        Raises JudgeError when a sample is refused.
        """
        return self._send(requests(history))

    def _send(self, bodies: Iterable[tuple[bytes, int]]) -> int:
        samples = 0
        for body, count in bodies:
            status, answer = self._request("POST", self._dialect.write_path, body, _REMOTE_WRITE)
            if status >= http.client.MULTIPLE_CHOICES:
                text = answer.decode(errors="replace")
                refused = f"{self._dialect.name} refused samples ({status}): {text}"
                raise self._server.failure(refused, reason=text)
            samples += count
        return samples

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Return the series of a range query, of any length, in the engine's order.

        Raises QueryError when the engine refuses the expression.
        """
        parts: dict[Labels, list[Series]] = {}
        for start_s, end_s in _chunks(query):
            form = {"query": query.expr, "step": _number(query.step_s)}
            form |= {"start": _number(start_s), "end": _number(end_s), **self._dialect.form}
            items: list[_RangeItem] = self._ask("/api/v1/query_range", form)["result"]
            for item in items:
                series = read_series(item["metric"], item["values"])
                parts.setdefault(tuple(sorted(series.labels.items())), []).append(series)
        return [_concatenate(pieces) for pieces in parts.values()]

    def query_ranges(self, queries: Sequence[RangeQuery]) -> list[list[Series] | QueryError]:
        """Answer many range queries, several at a time; a refused one gives its QueryError."""

        def answer(query: RangeQuery) -> list[Series] | QueryError:
            try:
                return self.query_range(query)
            except QueryError as error:
                return error

        return self._in_threads(answer, queries)

    def query(self, expr: str, at_s: float) -> list[Series]:
        """Return the instant vector (or scalar, with no labels) of `expr` at one Unix time."""
        form = {"query": expr, "time": _number(at_s), **self._dialect.form}
        data = self._ask("/api/v1/query", form)
        if data["resultType"] == "scalar":
            return [read_series({}, [data["result"]])]
        if data["resultType"] != "vector":
            raise QueryError(f"expression must give a vector, got a {data['resultType']}")
        items: list[_InstantItem] = data["result"]
        return [read_series(item["metric"], [item["value"]]) for item in items]

    def stored(self, selector: str, start_s: float, end_s: float) -> list[Series]:
        """Return the very samples of `selector` after `start_s` up to `end_s`, as stored."""
        end_ms = round(end_s * 1000)
        # A range of Prometheus 2.42 includes a sample at its start, that of 3.x does not.
        range_ms = end_ms - round(start_s * 1000) - 1
        form = {"query": f"{selector}[{range_ms}ms]", "time": _number(end_ms / 1000)}
        form |= self._dialect.form
        items: list[_RangeItem] = self._ask("/api/v1/query", form)["result"]
        return [read_series(item["metric"], item["values"]) for item in items]

    def label_sets(self, selector: str, start_s: float, end_s: float) -> list[dict[str, str]]:
        """Return the labels of every stored series of `selector` between two Unix times."""
        form = {"match[]": selector, "start": _number(start_s), "end": _number(end_s)}
        answer: list[dict[str, str]] = self._ask("/api/v1/series", form)
        return answer

    def metric_names(self) -> list[str]:
        """Return the name of every metric that is stored."""
        path = f"/api/v1/label/__name__/values{self._dialect.all_times}"
        names: list[str] = self._ask(path)
        return names

    def metric(self, name: str) -> float:
        """Return the sum over all series of one of the server's own metrics, 0 without any."""
        return sum_metric(self.metrics_page(), name)

    def metrics_page(self) -> str:
        """Return the page of the server's own metrics."""
        status, page = self._request("GET", "/metrics", None, {})
        if status != http.client.OK:
            raise self._server.failure(f"{self._dialect.name} does not show its metrics ({status})")
        return page.decode()

    def reload(self) -> None:
        """Make the server read its configuration file again; raise JudgeError if it refuses it."""
        text = self.refused_reload()
        if text is not None:
            raise self._server.failure(f"Prometheus refused its configuration: {text}", reason=text)

    def refused_reload(self) -> str | None:
        """Make the server read its configuration file again; return why it refuses to."""
        status, answer = self._request("POST", "/-/reload", b"", _FORM)
        return None if status == http.client.OK else answer.decode()

    def alerting_rules(self) -> list[EvaluatedRule]:
        """Return the alerting rules, groups by file and name, the rules of each in order."""
        groups = self._ask("/api/v1/rules?type=alert")["groups"]
        return [
            EvaluatedRule(
                tuple(dict(alert["labels"]) for alert in rule["alerts"]),
                str(rule.get("lastError") or ""),
            )
            for group in groups
            for rule in group["rules"]
        ]

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

    # Any: the `data` of an answer has another shape for each path; callers name it.
    def _ask(self, path: str, form: Mapping[str, str] | None = None) -> Any:
        """Return `data` of an API answer; raise QueryError for the caller's mistake."""
        if form is None:
            status, answer = self._request("GET", path, None, {})
        else:
            status, answer = self._request("POST", path, urlencode(form).encode(), _FORM)
        if status == http.client.BAD_REQUEST:
            raise RefusedQueryError(str(json.loads(answer)["error"]))
        if status == http.client.UNPROCESSABLE_ENTITY:
            raise QueryError(str(json.loads(answer)["error"]))
        if status != http.client.OK:
            text = answer.decode()[:ANSWER_CHARS_MAX]
            answered = f"{self._dialect.name} answered {status}: {text}"
            raise self._server.failure(answered, reason=text)
        return json.loads(answer)["data"]

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """Return status and body, over a connection that no other thread has meanwhile."""
        if self._abandoned.is_set():
            name = self._dialect.name
            raise JudgeError(f"{name} was given up after an earlier failure: start another one")
        connection = self._connection()
        try:
            url = self._server.path_prefix + path
            connection.request(method, url, body=body, headers={**headers, **self._dialect.headers})
            response = connection.getresponse()
            answer = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._server.failure(
                f"{self._dialect.name} does not answer ({error!r})", reason=str(error)
            ) from error
        # Kept for whichever thread comes next: the server takes 512 connections, then lets wait.
        self._idle.append(connection)
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._server.connect(ANSWER_TIMEOUT_S)


def _chunks(query: RangeQuery) -> Iterator[tuple[float, float]]:
    """Cut a range into (first, last) times of at most POINTS_MAX points each."""
    # The summand keeps a last point that rounding put just below a whole number of steps.
    points = int((query.end_s - query.start_s) / query.step_s + 1e-9) + 1
    for first in range(0, points, POINTS_MAX):
        last = min(first + POINTS_MAX, points) - 1
        yield query.start_s + first * query.step_s, query.start_s + last * query.step_s


def read_series(labels: Mapping[str, str], pairs: Sequence[tuple[float, str]]) -> Series:
    """Return a series of an answer: its pairs of a Unix time and a value written as text."""
    times_s = np.array([pair[0] for pair in pairs], dtype=np.float64)
    return Series(labels, times_s, np.array([float(pair[1]) for pair in pairs], dtype=np.float64))


def _concatenate(pieces: Sequence[Series]) -> Series:
    if len(pieces) == 1:
        return pieces[0]
    times_s = np.concatenate([piece.times_s for piece in pieces])
    return Series(pieces[0].labels, times_s, np.concatenate([piece.values for piece in pieces]))


def _number(value: float) -> str:
    """Write seconds so that the server reads exactly this millisecond."""
    return f"{value:.3f}"
