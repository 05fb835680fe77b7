"""A real Prometheus that scrapes the targets it is given, for tests and the benchmark of `serve`.

It listens on loopback, keeps its data in a temporary directory, and is gone after the `with` block.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from verifier.errors import JudgeError
from verifier.servers.binaries import require
from verifier.servers.child import Child, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

READY_TIMEOUT_S: Final = 30.0
ANSWER_TIMEOUT_S: Final = 30.0
START_ATTEMPTS: Final = 5
"""Another process may take the free port before Prometheus does: then another port is tried."""


@dataclass(frozen=True, slots=True)
class Samples:
    """One series of an answer: Unix seconds and values as scraped, in time order."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


class Scraper:
    """A Prometheus that scrapes `targets` (job name to host:port) every `interval_s`."""

    def __init__(self, targets: Mapping[str, str], *, interval_s: float = 1.0) -> None:
        """Keep the configuration; nothing is started yet."""
        jobs = [{"job_name": job, "static_configs": [{"targets": [target]}]}
                for job, target in targets.items()]  # fmt: skip
        interval = f"{round(interval_s * 1000)}ms"
        timing = {"scrape_interval": interval, "scrape_timeout": interval}
        self._config = {"global": timing, "scrape_configs": jobs}
        self._child: Child | None = None
        self._port = 0

    def __enter__(self) -> Self:
        """Start the server and wait until it is ready; raise JudgeError when it is not."""
        binary = require("prometheus")
        self._child = Child("agentaskit-scraper-")
        config = self._child.directory / "prometheus.yml"
        config.write_text(json.dumps(self._config), encoding="utf-8")
        for _ in range(START_ATTEMPTS):
            self._port = free_port()
            self._child.start([
                binary,
                f"--config.file={config}",
                f"--storage.tsdb.path={self._child.directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                "--log.level=warn",
            ])  # fmt: skip
            if self._is_ready(self._child):
                return self
        log = self._child.last_log()
        self._child.stop()
        raise JudgeError(f"Prometheus did not start: {log}")

    def __exit__(self, *exception: object) -> None:
        """Kill the server and remove its directory."""
        if self._child is not None:
            self._child.stop()

    def query(self, expr: str, at_s: float | None = None) -> list[Samples]:
        """Return the series of an instant or range-vector expression at a Unix time, or now."""
        form = {"query": expr} | ({} if at_s is None else {"time": f"{at_s:.3f}"})
        return _series(self._ask("query", form))

    def query_range(self, expr: str, start_s: float, end_s: float, step_s: float) -> list[Samples]:
        """Return the series of an expression on a grid of Unix times."""
        form = {"query": expr, "start": f"{start_s:.3f}", "end": f"{end_s:.3f}"}
        return _series(self._ask("query_range", form | {"step": f"{step_s:.3f}"}))

    def wait_for(self, expr: str, timeout_s: float = READY_TIMEOUT_S) -> list[Samples]:
        """Ask until the answer is not empty; raise JudgeError after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            series = self.query(expr)
            if series:
                return series
            time.sleep(0.2)
        raise JudgeError(f"Prometheus had no answer to {expr} within {timeout_s:g} s")

    def metadata(self) -> dict[str, list[dict[str, str]]]:
        """Return the targets' metadata: for each metric its types, help texts and units."""
        answer: dict[str, list[dict[str, str]]] = self._ask("metadata", {})
        return answer

    def _ask(self, path: str, form: Mapping[str, str]) -> Any:
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urlencode(form)}"
        try:
            with urlopen(url, timeout=ANSWER_TIMEOUT_S) as answer:
                return json.load(answer)["data"]
        except HTTPError as error:
            raise JudgeError(f"Prometheus refused {form}: {error.read().decode()}") from error

    def _is_ready(self, child: Child) -> bool:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline and child.exit_status() is None:
            try:
                with urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=1):
                    return True
            except (URLError, OSError):
                time.sleep(0.02)
        return False


def _series(data: Any) -> list[Samples]:
    return [
        Samples(
            item["metric"],
            tuple(
                (float(at), float(value)) for at, value in item.get("values", [item.get("value")])
            ),
        )
        for item in data["result"]
    ]
