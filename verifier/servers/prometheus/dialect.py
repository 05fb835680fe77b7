"""Where an engine answers, and what its API wants otherwise than Prometheus's own.

Used by the client, which speaks to any engine that has Prometheus's query API and remote write.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import http.client
    from collections.abc import Mapping

    from verifier.errors import JudgeError


class Endpoint(Protocol):
    """Where a server answers, and what is said when it does not."""

    @property
    def path_prefix(self) -> str:
        """What all paths begin with."""

    def connect(self, timeout_s: float, /) -> http.client.HTTPConnection:
        """Return a connection, which connects when it is used."""

    def failure(self, what: str, *, reason: str = "") -> JudgeError:
        """Return the error that says what happened."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one engine's API wants otherwise than another's.

    `form` goes with every query; `all_times` with a question that names no range of time;
    `headers` with every request. Samples are written to `write_path`.
    """

    name: str
    form: Mapping[str, str] = field(default_factory=dict)
    all_times: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    write_path: str = "/api/v1/write"


PROMETHEUS_DIALECT: Final = Dialect("Prometheus")
