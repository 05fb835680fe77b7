"""What the documentation says that a server grants its clients is what it does grant them."""

from __future__ import annotations

import re
from inspect import signature

from exporter.metrics.series_limit import SERIES_LIMIT
from exporter.server.answer_pieces import PIECE_BYTES
from exporter.server.app import REQUEST_LIMIT_BYTES
from exporter.server.connection_limits import RUNNER_OPTIONS, ConnectionLimits
from exporter.server.fault_api.bodies import BODY_TIMEOUT_S
from exporter.server.live_page.feed import EVERY_S
from exporter.server.live_page.recent_readings import KEPT
from exporter.server.live_page.viewers import BEHIND_MAX, Viewers


def test_every_bound_of_the_documentation_is_the_server_s(repository):
    """In its own words; the limits of connections are those that a server has by default."""
    page = (repository / "docs" / "serve.md").read_text(encoding="utf-8")
    table = page.partition("| what | bound | beyond it |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", table, re.MULTILINE)
    documented = {what.partition(",")[0]: bound for what, bound in rows}
    limits, viewers = ConnectionLimits(), signature(Viewers).parameters
    assert RUNNER_OPTIONS["keepalive_timeout"] == limits.idle_s
    assert documented == {
        "viewers of the page": f"{viewers['viewers_max'].default}",
        "events that wait for a viewer": f"{BEHIND_MAX}, one a second",
        "a stream": "ten minutes",
        "series on a page": f"`--series-limit`, {SERIES_LIMIT:,}",
        "connections": f"{limits.connections}",
        "until a request's head is there": f"{limits.head_s:g} s",
        "until a body is there": f"{BODY_TIMEOUT_S:g} s",
        "between two requests": f"{limits.idle_s:g} s",
        "an answer that is not read": f"{limits.unsent_s:g} s, however it is read by drops; of "
        f"all clients together {limits.unsent_bytes >> 20} MiB for {limits.impatient_s:g} s",
        "of a long answer": f"{PIECE_BYTES >> 10} KiB, and about as much in the kernel",
        "connections that come in the same instant": f"{limits.connections}",
        "requests sent without waiting for the answer": "one is answered",
        "a body": f"{REQUEST_LIMIT_BYTES >> 10} KiB, not compressed",
    }
    assert (viewers["life_s"].default, KEPT * EVERY_S, EVERY_S) == (600.0, 600.0, 1.0)
