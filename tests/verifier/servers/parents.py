"""A parent that starts a server and is ended: what is left of either afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.verifier.deliveries import wait_until
from tests.verifier.servers.test_prometheus import is_running


def leaves_nothing(code: str, place: Path, end: str) -> bool:
    """Run `code`, which prints its server's process id; end it by the signal called `end`.

    `code` gets `place` as its argument and makes all its directories there. Returns whether, some
    seconds later, the server has ended and `place` is empty.
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(place)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[3],
        text=True,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.send_signal(getattr(signal, end))
    parent.wait(20)
    return wait_until(lambda: not is_running(pid) and not list(place.iterdir()))
