"""An engine of the user at a URL, Mimir or Thanos say: written to and asked, never cleared.

It stands in for a Prometheus wherever a history is judged in virtual time. What it holds of the
same names and times would be judged as well, so it is refused unless it holds nothing of them;
and it must hold every sample before it is asked. What was written stays there.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from exporter.history.samples import STALE_BITS, sample_mask
from verifier.errors import JudgeError
from verifier.servers.foreign_server import ForeignServer
from verifier.servers.prometheus import Prometheus
from verifier.servers.prometheus.client import PrometheusClient
from verifier.servers.prometheus.dialect import Dialect

if TYPE_CHECKING:
    from exporter.history.samples import History

SCENARIO: Final = "{scenario}"
"""In URLs and headers it stands for the scenario's name: each needs a tenant of its own."""
STORED_WITHIN_S: Final = 60.0
POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """Where an engine is asked, where samples are written to, and what goes with every request."""

    query_url: str
    write_url: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_per_scenario(self) -> bool:
        """Whether every scenario has a place of its own there."""
        texts = (self.query_url, self.write_url, *(value for _, value in self.headers))
        return any(SCENARIO in text for text in texts)

    def of(self, scenario: str) -> RemoteAddress:
        """Return the address for one scenario."""
        return RemoteAddress(
            self.query_url.replace(SCENARIO, scenario),
            self.write_url.replace(SCENARIO, scenario),
            tuple((name, value.replace(SCENARIO, scenario)) for name, value in self.headers),
        )


class RemoteEndpoint:
    """One URL of an engine, as the client asks it."""

    def __init__(self, url: str) -> None:
        """Raise ValueError, with the rule, for anything but an HTTP URL."""
        self._server = ForeignServer("the engine", url)
        self.path_prefix = self._server.path_prefix

    def connect(self, timeout_s: float, /) -> http.client.HTTPConnection:
        """Return a connection, which connects when it is used."""
        https = self._server.scheme == "https"
        connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
        return connect(self._server.host, self._server.port, timeout=timeout_s)

    def failure(self, what: str, *, reason: str = "") -> JudgeError:
        """Return the error that says what happened, where, and why as far as known."""
        why = f": {reason}" if reason and reason not in what else ""
        return JudgeError(f"{what.strip()} at {self._server.url}{why}: check --engine")


class RemoteEngine(Prometheus):
    """An engine inside a `with` block. Raises JudgeError when it does not answer or refuses."""

    def __init__(self, address: RemoteAddress) -> None:
        """Ask nothing yet; raise ValueError for a URL that is none."""
        super().__init__()
        self._address = address
        headers = dict(address.headers)
        self._asked = RemoteEndpoint(address.query_url)
        self._client = PrometheusClient(self._asked, Dialect("The engine", headers=headers))
        self._writer = PrometheusClient(
            RemoteEndpoint(address.write_url),
            Dialect("The engine", headers=headers, write_path=""),
        )

    def __enter__(self) -> Self:
        """See that it answers, and read its version."""
        self._client.query("1", time.time())
        try:
            self.version = self._client.version()
        except (JudgeError, ValueError, KeyError):
            self.version = "unknown"
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the connections; what was written stays."""
        self._client.close()
        self._writer.close()

    @property
    def name(self) -> str:
        """What the engine is called in a verdict."""
        return self._address.query_url

    @property
    def url(self) -> str:
        """Where it is asked."""
        return self._address.query_url

    def fresh(self) -> Prometheus:
        """Raise JudgeError: rules evaluated step by step need a store of their own each time."""
        raise JudgeError(
            "a rule that reads itself, a later rule or an instant ahead needs an engine that is"
            f" started here: leave such rules out for {self.url}"
        )

    def push(self, *histories: History) -> int:
        """Store `histories`; return their number of samples. Each may only be pushed once."""
        for history in histories:
            self._refuse_stored(history)
        samples = self._writer.write(histories)
        self.histories += histories
        for history in histories:
            self._wait_for(history)
        return samples

    def check_stored(self) -> None:
        """Do nothing: `push` has seen that every sample is there."""

    def _refuse_stored(self, history: History) -> None:
        """Raise JudgeError where it holds anything of these names and times already."""
        first_s, last_s = _span(history)
        selector = _selector(history)
        if last_s > first_s and self._client.label_sets(selector, first_s, last_s):
            raise JudgeError(
                f"{self.url} holds series of the same names and times already, which would be"
                f" judged as well: name an empty tenant, with {SCENARIO} in its URL or header"
            )

    def _wait_for(self, history: History) -> None:
        """Wait until it answers with every sample of `history`; raise JudgeError if it does not."""
        first_s, last_s = _span(history)
        expected = sum(
            int((sample_mask(block.values) & (block.values.view(np.uint64) != STALE_BITS)).sum())
            for block in history.blocks
        )
        if not expected:
            return
        range_ms = round((last_s - first_s) * 1000) + 1
        expr = f"sum(count_over_time({_selector(history)}[{range_ms}ms]))"
        until_s = time.monotonic() + STORED_WITHIN_S
        while True:
            answer = self._client.query(expr, last_s)
            held = int(answer[0].values[0]) if answer else 0
            if held == expected:
                return
            if time.monotonic() > until_s:
                raise self._asked.failure(f"the engine holds {held:,} of {expected:,} samples")
            time.sleep(POLL_S)


def _span(history: History) -> tuple[float, float]:
    stamps = [block.timestamps_ms for block in history.blocks if len(block.timestamps_ms)]
    if not stamps:
        return 0.0, 0.0
    return int(stamps[0][0]) / 1000, int(stamps[-1][-1]) / 1000


def _selector(history: History) -> str:
    names = sorted({dict(labels)["__name__"] for labels in history.series})
    return f'{{__name__=~"{"|".join(names)}"}}'
