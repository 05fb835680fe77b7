"""Runs commands as processes, as a user does, and checks that nothing of them remains."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

START_TIMEOUT_S = 120


class Running:
    """A command as a process; `lines` grows as it prints, standard error included."""

    def __init__(self, *arguments: object, cwd: Path | None = None, **environment: str) -> None:
        """Start it, as a shell would: in a process group of its own."""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agentaskit_sim", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | environment,
            start_new_session=True,
            cwd=cwd,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))
        self.process.stdout.close()

    def wait_for(self, pattern: str, timeout_s: float = START_TIMEOUT_S) -> re.Match[str]:
        """Return the first match in a line of output; fail when the process ends before."""
        deadline, sought, looked_at = time.monotonic() + timeout_s, re.compile(pattern), 0
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            lines = self.lines[looked_at:]
            looked_at += len(lines)
            match = next(filter(None, map(sought.search, lines)), None)
            if match:
                return match
            assert not ended, self.lines
            time.sleep(0.05)
        raise AssertionError(self.lines)

    def end(self, number: int | None = None, timeout_s: float = 30) -> int:
        """Send a signal, if any, and return the exit status."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(timeout_s)
        self._reader.join(10)
        return status

    def kill(self) -> None:
        """Kill it if it still runs, and wait for its end."""
        if self.process.poll() is None:
            self.process.kill()
        self.end()


def at_work(directory):
    """Return the command lines, by pid, of the processes that name a directory. Linux only."""
    commands = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if any(str(directory) in word for word in words):
            commands[int(process.name)] = words
    return commands


def assert_nothing_is_left(directory):
    """Fail unless no process names the directory any more and it is empty."""
    deadline_s = time.monotonic() + 5
    while at_work(directory) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert at_work(directory) == {}
    assert list(directory.iterdir()) == []


def listening(pids):
    """Return the local addresses, of all sockets of these processes, that listen. Linux."""
    inodes = set()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            try:
                match = re.fullmatch(r"socket:\[(\d+)\]", str(handle.readlink()))
            except OSError:
                continue
            inodes |= {match.group(1)} if match else set()
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[9] in inodes and words[3] == "0A":
                addresses.add(words[1].partition(":")[0])
    return addresses
