"""A throwaway Prometheus: started empty on loopback, filled by remote write, asked, removed.

The only engine that evaluates rules and panels. Started by the judge of virtual time with a history
to store, and by the real stack, which configures it to scrape once its past is stored. Its times
are Unix seconds; simulated time is the caller's business. Whatever keeps it from answering is a
JudgeError, never a verdict.
"""

from __future__ import annotations

import json
import math
import time
from typing import TYPE_CHECKING, Final, Self

from verifier.servers.loopback_server import LAST_LOG_S
from verifier.servers.prometheus.client import PrometheusClient, QueryError, RangeQuery, Series
from verifier.servers.prometheus.health import check_running, check_stored
from verifier.servers.prometheus.process import PrometheusProcess

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from exporter.history.samples import History
    from verifier.errors import JudgeError
    from verifier.servers.prometheus.client import EvaluatedRule

LOG_LINES_READ: Final = 10
"""More than a server writes about one configuration that it refuses."""


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
        """Start nothing; see `PrometheusProcess` for what the parameters mean."""
        self._binary = binary
        self._process = PrometheusProcess(
            binary=binary, parent_directory=parent_directory, factor=factor
        )
        self._server = self._process.server
        self._client = PrometheusClient(self._server)
        self.factor = factor
        self._pushed = 0
        self.histories: list[History] = []
        """All that was pushed, in its order."""
        self.version = ""

    def __enter__(self) -> Self:
        """Start the server, wait until it is ready, read its version."""
        try:
            self._process.start()
            self.version = self._client.version()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the server and remove its directory."""
        self._client.close()
        self._server.stop()

    @property
    def name(self) -> str:
        """What the engine is called in a verdict."""
        return "prometheus"

    def fresh(self) -> Prometheus:
        """Return another server of this kind, empty and not started."""
        return Prometheus(binary=self._binary, factor=self.factor)

    @property
    def pid(self) -> int | None:
        """Process id of the server."""
        return self._server.pid

    @property
    def url(self) -> str:
        """Address of the server while it runs."""
        return self._server.url

    @property
    def directory(self) -> Path:
        """The server's own directory while it runs, removed with it."""
        return self._server.directory

    def configure(self, config: str) -> None:
        """Make `config` (YAML) the server's own from now on; at the start it has none.

        Raises JudgeError when it is refused. The first scrape may take 6 s plus the interval.
        """
        self._process.write_config(config)
        self._client.reload()

    def refuses(self, config: str) -> str | None:
        """Return the log of refusing `config` (YAML); None where it is the server's own now.

        A refused one leaves the server as it was.
        """
        self._process.write_config(config)
        reason = self._client.refused_reload()
        if reason is None:
            return None
        time.sleep(LAST_LOG_S)  # its log comes by another way than its answer
        return "\n".join(
            [*list(self._server.child.log)[-LOG_LINES_READ:], f"err={json.dumps(reason)}"]
        )

    def check(self, *, since_s: float = -math.inf) -> None:
        """Raise JudgeError when the server has ended or can no longer store what it scrapes.

        A sample must have been stored since `since_s` of Unix time.
        """
        check_running(self._server, self._client, since_s)

    def push(self, *histories: History) -> int:
        """Store `histories`; return their number of samples. Each may only be pushed once.

        No series may be in two of them. Raises JudgeError when a sample is refused or not stored:
        this server is then spoilt.
        """
        samples = self._client.write(histories)
        self.histories += histories
        self._pushed += samples
        self.check_stored()
        return samples

    def append(self, history: History) -> None:
        """Store a few samples at once; `check_stored` must say at the end that they all are."""
        self._pushed += self._client.append(history)

    def check_stored(self) -> None:
        """Raise JudgeError unless the server stored exactly what it was sent."""
        check_stored(self._server, self._client, self._pushed)

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Return the series of a range query; raise QueryError when the engine refuses it."""
        return self._client.query_range(query)

    def query_ranges(self, queries: Sequence[RangeQuery]) -> list[list[Series] | QueryError]:
        """Answer many range queries, several at a time; a refused one gives its QueryError."""
        return self._client.query_ranges(queries)

    def query(self, expr: str, at_s: float) -> list[Series]:
        """Return the instant vector (or scalar, with no labels) of `expr` at one Unix time."""
        return self._client.query(expr, at_s)

    def stored(self, selector: str, start_s: float, end_s: float) -> list[Series]:
        """Return the very samples of `selector` after `start_s` up to `end_s`, as stored."""
        return self._client.stored(selector, start_s, end_s)

    def label_sets(self, selector: str, start_s: float, end_s: float) -> list[dict[str, str]]:
        """Return the labels of every stored series of `selector` between two Unix times."""
        return self._client.label_sets(selector, start_s, end_s)

    def metric_names(self) -> list[str]:
        """Return the name of every metric that is stored."""
        return self._client.metric_names()

    def alerting_rules(self) -> list[EvaluatedRule]:
        """Return the alerting rules that the server evaluates, groups by name, rules in order."""
        return self._client.alerting_rules()

    def failure(self, what: str) -> JudgeError:
        """Return the error that says what happened, with what the server's log says of it."""
        return self._server.failure(what)

    def metric(self, name: str) -> float:
        """Return the sum over all series of one of the server's own metrics, 0 without any."""
        return self._client.metric(name)
