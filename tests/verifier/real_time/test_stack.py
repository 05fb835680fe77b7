"""What a stack refuses: a Prometheus that stores nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.verifier.deliveries import wait_until
from tests.verifier.simulations import pack_rules
from verifier.errors import JudgeError
from verifier.pack.routes.routing import load_routing
from verifier.real_time import stack as module
from verifier.real_time.stack import Stack
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

EMPTY = "route: {receiver: a}\nreceivers: [{name: a}]\n"


def test_a_prometheus_that_stores_nothing_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs, responds and is `ready`: only its newest sample shows it."""
    monkeypatch.setattr(module, "STALE_S", 1.0)
    routing = tmp_path / "routing.yml"
    routing.write_text(EMPTY)
    rules = pack_rules("backpressure")
    with Stack(rules, load_routing(routing), TimeCompression(30)) as stack:
        stack.start_scraping("127.0.0.1:1")
        assert stack._configured_s < time.time()
        stack.prometheus.configure("{}")
        stack.check()

        def stale() -> bool:
            try:
                stack.check()
            except JudgeError as error:
                return "stores no sample any more" in str(error)
            return False

        assert wait_until(stale, 10)
