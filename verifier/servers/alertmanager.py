"""A throwaway Alertmanager: alone, on loopback, restarted in place when it dies, removed.

Started by the real stack. It gossips with no other Alertmanager. Between two starts it keeps what
it saved in its directory: silences and the log of notifications, both every second. Alerts it gets
again from Prometheus.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from verifier.servers.binaries import require
from verifier.servers.loopback_server import LoopbackServer
from verifier.servers.metrics_page import sum_metric

if TYPE_CHECKING:
    from pathlib import Path

    from verifier.labels import Labels

CONFIG: Final = "alertmanager.yml"
READY: Final = b"OK"
"""The whole ready page; another program that took the port may answer 200 to anything."""
ANSWER_TIMEOUT_S: Final = 10.0
ANSWER_CHARS_MAX: Final = 500
"""As much of an unexpected answer as an error repeats."""
MAINTENANCE: Final = "1s"
"""How often the log of notifications is saved. The default is 15 minutes: after a `kill -9`,
receivers would be notified again, and never of an alert that resolved in the meantime."""


@dataclass(frozen=True, slots=True)
class AlertmanagerAlert:
    """An alert that Alertmanager knows; `state` is active, suppressed or unprocessed."""

    labels: Labels
    state: str


class Alertmanager:
    """A server inside a `with` block; nothing of it is left after the block."""

    def __init__(
        self,
        *,
        binary: Path | None = None,
        parent_directory: Path | None = None,
        maintenance: str = MAINTENANCE,
    ) -> None:
        """Start nothing; without `binary` it is searched for at the start."""
        self._binary = binary
        self._maintenance = maintenance
        self._server = LoopbackServer(
            "Alertmanager",
            is_ready=lambda page: page == READY,
            parent_directory=parent_directory,
        )

    def __enter__(self) -> Self:
        """Make the directory; the server waits for its configuration."""
        self._binary = self._binary or require("alertmanager")
        self._server.make_directory()
        return self

    def __exit__(self, *exception: object) -> None:
        """Kill the server and remove its directory."""
        self._server.stop()

    def start(self, config: str) -> None:
        """Start with a configuration file of this text, on a free port, and wait until ready.

        Raises JudgeError when it does not start; the message holds the last lines of its log.
        """
        try:
            (self._server.directory / CONFIG).write_text(config, encoding="utf-8")
        except OSError as error:
            what = f"Alertmanager's configuration cannot be written ({error})"
            raise self._server.failure(what, reason=str(error)) from error
        self._server.start(self._command)

    def restart(self) -> None:
        """Start it again, dead or alive (alive: as after `kill -9`), where and as it was.

        Same port, same configuration, same data. Raises JudgeError when it does not start.
        """
        self._server.restart(self._command)

    def reload(self) -> None:
        """Let it read its configuration again, and the time zones that this names.

        Raises JudgeError when it refuses or does not answer.
        """
        self._request("POST", "/-/reload")

    @property
    def path_prefix(self) -> str:
        """As in Prometheus' `alertmanagers` list; no other server has it."""
        return self._server.path_prefix

    @property
    def target(self) -> str:
        """`host:port`, as in Prometheus' `alertmanagers` list."""
        return self._server.target

    @property
    def url(self) -> str:
        """Address of the server once it has started."""
        return self._server.url

    @property
    def pid(self) -> int | None:
        """Process id of the server, None before `start`."""
        return self._server.pid

    @property
    def directory(self) -> Path:
        """The server's own directory, removed with it."""
        return self._server.directory

    def exit_status(self) -> int | None:
        """Return the exit status (negative: a signal's number), None while it runs."""
        return self._server.exit_status()

    def last_log(self) -> str:
        """Return the last lines the server wrote, errors preferred."""
        return self._server.child.last_log()

    def alerts(self) -> list[AlertmanagerAlert]:
        """Return the alerts it knows, silenced and inhibited ones too, as its API v2 does.

        Raises JudgeError when it does not answer.
        """
        documents: list[dict[str, Any]] = json.loads(self._get("/api/v2/alerts"))
        return [
            AlertmanagerAlert(
                labels=tuple(sorted(document["labels"].items())),
                state=str(document["status"]["state"]),
            )
            for document in documents
        ]

    def metric(self, name: str) -> float:
        """Return the sum of all its series of this name, 0 when there is none.

        Raises JudgeError when it does not answer.
        """
        return sum_metric(self._get("/metrics").decode(), name)

    def _command(self) -> list[str | Path]:
        directory = self._server.directory
        return [
            "env",  # its time zones, where a configuration names some of ours
            f"ZONEINFO={directory}",
            self._binary or require("alertmanager"),
            f"--config.file={directory / CONFIG}",
            f"--storage.path={directory / 'data'}",
            f"--data.maintenance-interval={self._maintenance}",
            f"--web.listen-address={self._server.target}",
            f"--web.external-url={self._server.url}",
            f"--web.route-prefix={self._server.path_prefix}",
            "--cluster.listen-address=",  # empty: no gossip
            "--log.level=warn",
        ]

    def _get(self, path: str) -> bytes:
        return self._request("GET", path)

    def _request(self, method: str, path: str) -> bytes:
        try:
            status, answer = self._server.request(method, path, timeout_s=ANSWER_TIMEOUT_S)
        except (OSError, http.client.HTTPException) as error:
            what = f"Alertmanager does not answer ({error!r})"
            raise self._server.failure(what, reason=str(error)) from error
        if status != http.client.OK:
            text = answer.decode()[:ANSWER_CHARS_MAX]
            raise self._server.failure(f"Alertmanager answered {status}: {text}", reason=text)
        return answer
