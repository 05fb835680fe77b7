"""`--forks 4`: the tests are collected once, and then run by four forks of the process that did.

Workers that are programs of their own each import and collect all tests anew: of eight thousand
that is a fifth of what running them takes. A fork has them, and the compiled kernel, from birth.

A fork runs all tests of a file, in their order, and those of a `GROUP` of files. It is born
with its first file and gets the next when it begins with the last test of the one before. Where
forks are unsafe, `-n 4 --dist loadfile` of pytest-xdist does about the same.

SIGTERM ends a run as Ctrl-C does. When the parent is killed, the system interrupts its forks where
it can (Linux); elsewhere each sees the end of its pipe, once its test is over.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import warnings
from collections import deque
from contextlib import suppress
from itertools import groupby
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkProcess
    from multiprocessing.process import BaseProcess

GROUP = pytest.StashKey[str]()
"""Of a test: the name of the files that one fork runs; they follow one another."""
PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>."""
END_TIMEOUT_S = 20
"""What an interrupted fork has for the teardown of its fixtures."""


def add_option(parser: pytest.Parser) -> None:
    """Be `pytest_addoption` of a conftest."""
    parser.addoption("--forks", type=int, default=0, help="collect once, run in so many forks")


def run_tests(session: pytest.Session) -> bool | None:
    """Be `pytest_runtestloop` of a conftest; without the option, leave it to pytest."""
    count = session.config.getoption("forks")
    if not count or session.config.option.collectonly or session.testsfailed:
        return None
    _ForkedRun(session).run(count)
    return True


def _file_or_group(item: pytest.Item) -> str:
    return item.stash.get(GROUP, str(item.path))


class _Fork:
    """One fork, the parent's end of its pipe, and what it has still to run of its file."""

    def __init__(self, run: _ForkedRun, first: int, name: str) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        # While any fork holds a parent's end, the fork at its other end would wait for ever.
        of_parent = [self.connection, *run.forks]
        self.process: ForkProcess = context.Process(
            target=_work, args=(run.session, run.files, first, theirs, of_parent), name=name
        )
        self.process.start()
        theirs.close()
        self.items = deque(run.files[first])


class _ForkedRun:
    """Hands files to forks, first come, first served, and reports what they report."""

    def __init__(self, session: pytest.Session) -> None:
        self.session, self.config = session, session.config
        self.files = [list(items) for _, items in groupby(session.items, _file_or_group)]
        self.waiting = deque(range(len(self.files)))
        self.forks: dict[Connection, _Fork] = {}
        self.started = 0
        # Made by the parent, and removed by a later run; each fork has a folder of its own in it.
        self.config._tmp_path_factory.getbasetemp()

    def run(self, count: int) -> None:
        """Run all tests."""
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            for _ in range(min(count, len(self.files))):
                self._start()
            while self.forks:
                for connection in wait(list(self.forks)):
                    self._receive(self.forks[connection])
                if self.session.shouldfail:
                    raise self.session.Failed(self.session.shouldfail)
                if self.session.shouldstop:
                    raise self.session.Interrupted(self.session.shouldstop)
        finally:
            self._end()
            signal.signal(signal.SIGTERM, before)

    def _start(self) -> None:
        fork = _Fork(self, self.waiting.popleft(), f"fork{self.started}")
        self.started += 1
        self.forks[fork.connection] = fork

    def _receive(self, fork: _Fork) -> None:
        try:
            kind, *values = fork.connection.recv()
        except (EOFError, ConnectionResetError):
            self._bury(fork)
            return
        hook = self.config.hook
        if kind == "next":
            number = self.waiting.popleft() if self.waiting else None
            fork.items.extend(self.files[number] if number is not None else ())
            fork.connection.send(number)
        elif kind == "finished":
            for report in values[0]:
                hook.pytest_runtest_logreport(report=report)
            item = fork.items.popleft()
            hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        elif kind == "warning":
            hook.pytest_warning_recorded.call_historic(kwargs=values[0])

    def _bury(self, fork: _Fork) -> None:
        """Take leave of a fork that has ended; what it leaves unfinished has failed."""
        del self.forks[fork.connection]
        fork.connection.close()
        fork.process.join()
        if not fork.items:
            return
        reason = f"its process, {fork.process.name}, ended with status {fork.process.exitcode}"
        for item in fork.items:
            report = pytest.TestReport(
                item.nodeid, item.location, {}, "failed", f"{item.nodeid}: {reason}", "call"
            )
            self.config.hook.pytest_runtest_logreport(report=report)
            reason = "its process ended in a test before"
        if self.waiting:
            self._start()

    def _end(self) -> None:
        """Interrupt what still runs."""
        for fork in self.forks.values():
            with suppress(ProcessLookupError):
                os.kill(fork.process.pid or 0, signal.SIGINT)
        for fork in self.forks.values():
            fork.process.join(END_TIMEOUT_S)
            fork.process.kill()


class _Sender:
    """Sends what a fork has to report: all of a test when it is over, for a message has its price.

    They are pytest's own reports, whose tracebacks are texts by then.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.reports: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a report."""
        self.reports.append(report)

    def finish(self) -> None:
        """Say that a test is over."""
        self.connection.send(("finished", self.reports))
        self.reports = []

    def pytest_warning_recorded(
        self, warning_message: Any, when: str, nodeid: str, location: Any
    ) -> None:
        """Send a warning, whatever it was made of."""
        text = warnings.WarningMessage(
            UserWarning(f"{warning_message.category.__name__}: {warning_message.message}"),
            UserWarning, warning_message.filename, warning_message.lineno,
        )  # fmt: skip
        named = {"when": when, "nodeid": nodeid, "location": location}
        self.connection.send(("warning", {"warning_message": text, **named}))


def _work(
    session: pytest.Session,
    files: list[list[pytest.Item]],
    first: int,
    connection: Connection,
    of_parent: list[Connection],
) -> None:
    """Run the first file and those that are handed out, in a fork."""
    for end in of_parent:
        end.close()
    name = multiprocessing.current_process().name
    # A shell in the background ignores Ctrl-C, and what it starts inherits that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _be_interrupted_with(multiprocessing.parent_process())
    config = session.config
    _be_silent(config)
    factory = config._tmp_path_factory
    factory._basetemp = factory.getbasetemp() / name
    factory._basetemp.mkdir(mode=0o700)
    sender = _Sender(connection)
    config.pluginmanager.register(sender)

    def ask() -> list[pytest.Item]:
        connection.send(("next",))
        number = connection.recv()
        return [] if number is None else files[number]

    items = files[first]
    try:
        while items:
            upcoming: list[pytest.Item] = []
            for number, item in enumerate(items):
                if number + 1 == len(items):
                    upcoming = ask()
                following = [*items[number + 1 : number + 2], *upcoming[:1], None][0]
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                sender.finish()
            items = upcoming
    except (KeyboardInterrupt, EOFError, OSError, pytest.exit.Exception):
        # The parent would kill whoever takes longer, if there still is one.
        signal.alarm(END_TIMEOUT_S)
        session._setupstate.teardown_exact(None)


def _be_interrupted_with(parent: BaseProcess | None) -> None:
    """Get SIGINT as soon as the parent is gone, were it killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if parent is None or os.getppid() != parent.pid:
        raise SystemExit(1)


def _be_silent(config: pytest.Config) -> None:
    """Write nothing to the terminal, and capture in files that no other fork writes to."""
    manager = config.pluginmanager
    manager.unregister(name="terminalreporter")
    capture: Any = manager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():
        capture.stop_global_capturing()
        capture.start_global_capturing()
        capture.suspend_global_capture(in_=True)
