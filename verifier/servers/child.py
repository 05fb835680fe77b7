"""A server program run as a child in a temporary directory, with neither ever left behind.

Used by whatever starts a Prometheus, an Alertmanager or a receiver. However the parent ends,
`kill -9` included, the child is killed and the directory removed: on a normal end by `stop`, else
by the guard, a small shell that waits for the end of file on a pipe only the parent holds. It
starts before the directory is made, and the child itself writes its process id to it before it
becomes the program, so that at no instant the parent's end would leave either behind. A
parent-death signal was the alternative: it leaves the directory, follows the thread instead of the
process, needs code between fork and exec, and exists on Linux alone.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final

from verifier.errors import JudgeError
from verifier.servers.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_LINES: Final = 200
"""Kept of the output: an error is near the end, and a server may write for days."""
STOP_TIMEOUT_S: Final = 10.0
"""A killed process ends at once, but for one that waits on a dead disk: that must not block us."""
LOG_END_S: Final = 1.0
"""How long the end of the log of a process that has ended may take to be read."""
FREE_BYTES_MIN: Final = 1 << 20
"""Less than this is a full disk: Prometheus needs more for its first samples."""
_CRASHES: Final = ("panic:", "fatal error:")
"""How a program written in Go begins the report of its crash."""
_ERROR_MARKS: Final = ("level=error", "level=ERROR", *_CRASHES)
"""In lines of the log that report an error: Prometheus 2 and Alertmanager, Prometheus 3, Go."""
_CHILD: Final = 'echo $$ >&0; exec "$0" "$@" </dev/null'
"""Its standard input is the guard's pipe until it becomes the program, and no longer."""
_GUARD: Final = """
pid=
while read -r line; do
  [ "$line" = done ] && exit 0
  pid=$line
done
[ -n "$pid" ] && kill -s KILL -- "-$pid" 2>/dev/null && sleep 0.1
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"""
"""Reads process ids until `done` or the end of the pipe. A killed process may create a last file
while the directory is being removed: hence the pause and the second attempt."""


class Child:
    """A temporary directory and, once started, the one process that works in it.

    `log` keeps the last lines of the process's output. `start` and `stop` may come from two
    threads; after a stop nothing is started any more.
    """

    def __init__(self, prefix: str, *, parent_directory: Path | None = None) -> None:
        """Create the directory and its guard; raise JudgeError when that cannot be done."""
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()
        self._stopped = self._starting = False
        try:
            parent = Path(parent_directory or tempfile.gettempdir()).absolute()
        except OSError as error:
            raise _no_directory(error) from error
        self.directory = parent / f"{prefix}{secrets.token_hex(8)}"
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self.directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then stops the rest
            cwd="/",
        )
        try:
            self.directory.mkdir(mode=0o700)
        except OSError as error:
            self._dismiss_guard()
            raise _no_directory(error) from error

    def start(self, command: Sequence[str | Path], **environment: str) -> None:
        """Start `command` in the directory, ending the one before; raise JudgeError if it cannot.

        It gets the `environment` beside the few variables that every child gets, and a session of
        its own, so that a terminal's Ctrl-C is the parent's alone.
        """
        with self._lock:
            if self._stopped:
                raise JudgeError(f"{command[0]} cannot start: it was stopped already, run it again")
            self._end_process()
            self.log.clear()
            self._starting = True
            try:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", _CHILD, *command],
                    stdin=self._guard.stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=child_environment(**environment),
                    start_new_session=True,
                    cwd=self.directory,
                )
            except OSError as error:
                raise JudgeError(
                    f"{command[0]} cannot be started ({error}): reinstall it"
                ) from error
            self._starting = False
            self._reader = threading.Thread(
                target=self._read_log, args=(self._process,), daemon=True
            )
            self._reader.start()

    @property
    def pid(self) -> int | None:
        """Process id of the running process, None before `start`."""
        return self._process.pid if self._process else None

    def exit_status(self) -> int | None:
        """Return the exit status (negative: a signal's number), None while it runs."""
        return self._process.poll() if self._process else None

    def last_log(self, lines: int = 3) -> str:
        """Return the last lines of output, those that report an error preferred."""
        errors = [line for line in self.log if any(mark in line for mark in _ERROR_MARKS)]
        return "\n".join((errors or list(self.log))[-lines:])

    def how_it_ended(self) -> list[str]:
        """Return the exit status and the end of the log as sentences, nothing while it runs."""
        if self.exit_status() is None:
            return []
        self._read_to_end()
        lines = self.last_log()
        ended = f"it ended with status {self.exit_status()}"
        return [ended, f"its log ends with: {lines}"] if lines else [ended]

    def port_was_taken(self) -> bool:
        """Whether the log says that another program listens on the process's port."""
        self._read_to_end()
        return "address already in use" in "\n".join(self.log)

    def way_out(self, reason: str = "") -> str:
        """Return what a user can do about a process that failed.

        The operating system's words for a full disk are searched for in `reason` and in the log.
        """
        if "no space left" in "\n".join((reason, *list(self.log))).lower() or not self.has_room():
            return _disk_is_full(self.directory)
        return "run it again; `agentaskit-sim doctor` shows what is installed"

    def has_room(self) -> bool:
        """Whether the disk has any space left for the directory."""
        return _has_room(self.directory.parent)

    def stop(self) -> None:
        """Kill the process, remove the directory, dismiss the guard. May be called twice."""
        with self._lock:
            self._stopped = True
            self._end_process()
            shutil.rmtree(self.directory, ignore_errors=True)
            if self._starting or self.directory.exists():
                # A signal arrived while a process was starting: only the guard knows its id.
                self._close_pipe()
            else:
                self._dismiss_guard()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._guard.wait(STOP_TIMEOUT_S)

    def _dismiss_guard(self) -> None:
        stdin = self._guard.stdin
        if stdin is not None and not stdin.closed:
            with contextlib.suppress(OSError):
                os.write(stdin.fileno(), b"done\n")
        self._close_pipe()

    def _close_pipe(self) -> None:
        if self._guard.stdin is not None:
            with contextlib.suppress(OSError):
                self._guard.stdin.close()

    def _end_process(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError):
            # Its whole group, and without a warning: what it would save is removed anyway.
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        if self._reader is not None:
            self._reader.join(STOP_TIMEOUT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read_to_end(self) -> None:
        """Wait until all is read that an ended process wrote: its exit is seen before its log."""
        if self._reader is not None and self.exit_status() is not None:
            self._reader.join(LOG_END_S)

    def _read_log(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdout is None:
            return
        crashed = False
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            if not crashed:  # the state of a thousand goroutines follows
                self.log.append(text)
            crashed = crashed or text.startswith(_CRASHES)


def require_room() -> None:
    """Raise JudgeError when there is nowhere to put a temporary file, or no space left there."""
    try:
        directory = Path(tempfile.gettempdir())
    except OSError as error:
        raise _no_directory(error) from error
    if not _has_room(directory):
        raise JudgeError(_disk_is_full(directory))


def _has_room(directory: Path) -> bool:
    try:
        return shutil.disk_usage(directory).free >= FREE_BYTES_MIN
    except OSError:
        return True


def _disk_is_full(directory: Path) -> str:
    return f"the disk of {directory} is full: free some space or point TMPDIR elsewhere"


def _no_directory(error: OSError) -> JudgeError:
    return JudgeError(
        f"no temporary directory can be made ({error}): free some space or point TMPDIR"
        " at a directory that can be written"
    )


def free_port() -> int:
    """Return a loopback port free at this moment; another program may take it before its use."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
