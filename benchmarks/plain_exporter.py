"""A plain prometheus_client exporter of the same series as a page: the peer of our server.

Run as `python -m benchmarks.plain_exporter FILE`: FILE is an OpenMetrics page. It prints the port
that it listens on and serves those families, with the library's own server, until it is killed.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric


class PageCollector(Collector):
    """The families of a page, which cost nothing to collect."""

    def __init__(self, page: str) -> None:
        """Read the page."""
        read = text_string_to_metric_families
        self._families = list(read(page))  # type: ignore[no-untyped-call]  # of the library

    def collect(self) -> Iterable[Metric]:
        """Return the families."""
        return self._families


def main() -> None:
    """Serve until killed."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PageCollector(Path(sys.argv[1]).read_text(encoding="utf-8")))
    server, _ = start_http_server(0, addr="127.0.0.1", registry=registry)
    print(server.server_port, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
