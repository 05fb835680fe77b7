"""Whether a Prometheus still does its work: it runs, writes its samples, and has stored them all.

Used by `verifier.servers.prometheus.server`. Prometheus calls itself healthy with its disk full and
answers queries all the same, so its own counters are read instead. Each check raises JudgeError.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from verifier.servers.metrics_page import sum_metric

if TYPE_CHECKING:
    from verifier.servers.loopback_server import LoopbackServer
    from verifier.servers.prometheus.client import PrometheusClient


def check_running(server: LoopbackServer, client: PrometheusClient, since_s: float) -> None:
    """Raise JudgeError unless it runs, writes, and stored a sample since `since_s`, Unix time.

    With `since_s` at minus infinity it may have stored none yet.
    """
    if server.exit_status() is not None:
        raise server.failure("Prometheus ended in mid-run")
    if client.metric("prometheus_tsdb_wal_writes_failed_total"):
        raise server.failure("Prometheus cannot write its samples")
    if since_s > -math.inf and client.metric("prometheus_tsdb_head_max_time_seconds") < since_s:
        raise server.failure("Prometheus stores no sample any more")


def check_stored(server: LoopbackServer, client: PrometheusClient, samples: int) -> None:
    """Raise JudgeError unless the server counts exactly `samples` since it started."""
    page = client.metrics_page()
    stored = int(sum_metric(page, "prometheus_tsdb_head_samples_appended_total"))
    failed = int(sum_metric(page, "prometheus_tsdb_wal_writes_failed_total"))
    if stored != samples or failed:
        raise server.failure(
            f"Prometheus stored {stored} of {samples} samples, failed writes: {failed}"
        )
