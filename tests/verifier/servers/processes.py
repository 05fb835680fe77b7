"""Processes seen from outside: which run, and what a parent that is ended leaves behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.verifier.deliveries import wait_until


def is_running(pid: int) -> bool:
    """Return whether a process runs; a zombie does not, although `kill -0` succeeds."""
    if Path("/proc/self/stat").exists():  # a bare Debian has no ps
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"
    run = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(run.stdout.strip()) and not run.stdout.strip().startswith("Z")


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
