"""The Prometheus program as a throwaway process: its flags, configuration file and directory.

Used by `verifier.servers.prometheus.server`. Started empty, it scrapes nothing and evaluates no
rule until it is configured to: one sample of wall-clock time would put a simulated history, whose
timestamps are older, out of bounds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from verifier.servers.binaries import require
from verifier.servers.loopback_server import LoopbackServer

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: Final = "prometheus.yml"
RESEND_S: Final = 60.0
LOOKBACK_S: Final = 300.0
"""Prometheus's own defaults."""
READY: Final = b"Prometheus"
"""How the ready page begins; another program that took the port may answer 200 to anything."""
HEAD_SPAN: Final = "1000d"
"""Kept in one piece in memory: nothing is compacted during a push, which costs a third of its
speed over 30 days, and samples up to half as old as this may follow younger ones."""


class PrometheusProcess:
    """The program, its directory and its port; `server` is where it listens."""

    def __init__(
        self, *, binary: Path | None = None, parent_directory: Path | None = None, factor: float
    ) -> None:
        """Start nothing; without `binary` it is searched for at the start.

        The server's own times (how long a sample is valid, how often Alertmanager is notified of
        an alert that is still firing) are divided by `factor`, for time that is compressed.
        """
        self._binary = binary
        self._factor = factor
        self.server = LoopbackServer(
            "Prometheus",
            is_ready=lambda page: page.startswith(READY),
            parent_directory=parent_directory,
        )

    def start(self) -> None:
        """Start on a free port and wait until ready; raise JudgeError when that fails."""
        binary = self._binary or require("prometheus")
        self.server.make_directory()
        if not self.server.child.has_room():
            # It would start all the same, and fail at its first sample.
            raise self.server.failure("Prometheus has no room for its samples")
        (self.server.directory / CONFIG).touch()
        self.server.start(lambda: [binary, *self._storage_flags(), *self._web_flags()])

    def write_config(self, config: str) -> None:
        """Replace the configuration file, which the server reads on reload."""
        try:
            (self.server.directory / CONFIG).write_text(config, encoding="utf-8")
        except OSError as error:
            raise self.server.failure(
                f"Prometheus cannot be configured ({error.strerror})", reason=str(error)
            ) from error

    def _storage_flags(self) -> list[str]:
        directory = self.server.directory
        return [
            f"--config.file={directory / CONFIG}",
            f"--storage.tsdb.path={directory / 'data'}",
            "--storage.tsdb.retention.time=100y",  # a simulated history lies in the past
            f"--storage.tsdb.min-block-duration={HEAD_SPAN}",
            f"--storage.tsdb.max-block-duration={HEAD_SPAN}",
            "--log.level=warn",
        ]

    def _web_flags(self) -> list[str]:
        return [
            f"--web.listen-address={self.server.target}",
            f"--web.external-url={self.server.url}",
            f"--web.route-prefix={self.server.path_prefix}",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
            "--web.read-timeout=30d",  # by default it hangs up on a client idle for five minutes
            f"--rules.alert.resend-delay={math.ceil(RESEND_S * 1000 / self._factor)}ms",
            f"--query.lookback-delta={math.ceil(LOOKBACK_S * 1000 / self._factor)}ms",
        ]
