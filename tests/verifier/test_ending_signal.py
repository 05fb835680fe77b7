"""A signal ends a run once, with its status, and never between steps that belong together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from verifier.ending_signal import AGAIN_S, EndingSignal

PATIENCE_S = 10.0
ENDS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
CRITICAL = """
def free(raise_signal, steps):
    try:
        raise_signal()
        steps.append("freed")
    finally:
        steps.append("marked as freed")
"""
CLOSED_BY_LLVM = """
import os, signal, sys
import llvmlite.binding as llvm
from llvmlite.binding.ffi import ObjectRef
from verifier.ending_signal import EndingSignal

detach = ObjectRef.detach
def interrupted(self):
    if not ending.number:
        os.kill(os.getpid(), signal.SIGINT)
    detach(self)
llvm.initialize_native_target()
ending = EndingSignal()
ending.listen((signal.SIGINT,))
try:
    module = llvm.parse_assembly("define i32 @f() { ret i32 1 }")
    ObjectRef.detach = interrupted
    module.close()
    signal.pause()
except KeyboardInterrupt:
    del module
    sys.exit(ending.status)
"""


@pytest.fixture
def ending(monkeypatch):
    """Return an ending signal that listens; put back what it changed."""
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    listening = EndingSignal()
    listening.listen((signal.SIGINT, signal.SIGTERM))
    yield listening
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def free_in(module, raise_signal, steps):
    """Note the steps of a function of such a module in which a signal comes between two."""
    names = {"__name__": module}
    exec(CRITICAL, names)  # noqa: S102 - a module of that name
    names["free"](raise_signal, steps)


def free_and_wait(module, raise_signal, steps):
    """Free, and give a signal that was put off its moment: it may be the one after."""
    free_in(module, raise_signal, steps)
    wait()


def wait():
    """Give a signal that was put off its moment."""
    time.sleep(PATIENCE_S)
    pytest.fail("the signal was lost")


@pytest.mark.parametrize(("number", "error"), ENDS)
def test_a_signal_is_raised_where_it_comes(ending, number, error):
    """And later ones, which would interrupt what unwinds, are ignored."""
    steps = []
    with pytest.raises(error):
        free_in("simulator.world", lambda: signal.raise_signal(number), steps)
    assert steps == ["marked as freed"]
    assert (ending.number, ending.status) == (number, 128 + number)
    for again in (signal.SIGINT, signal.SIGTERM):
        signal.raise_signal(again)
    assert ending.number == number


@pytest.mark.parametrize("module", ["llvmlite", "llvmlite.binding.ffi"])
@pytest.mark.parametrize(("number", "error"), ENDS)
def test_what_must_not_be_interrupted_is_done_first(ending, module, number, error):
    """The signal is raised soon after, from wherever the run is then."""
    begin_s = time.monotonic()
    steps = []
    with pytest.raises(error):
        free_and_wait(module, lambda: signal.raise_signal(number), steps)
    assert steps == ["freed", "marked as freed"]
    assert AGAIN_S * 0.5 < time.monotonic() - begin_s < PATIENCE_S
    assert ending.status == 128 + number


@pytest.mark.usefixtures("ending")
def test_it_is_put_off_for_as_long_as_that_takes():
    """A part of many times the delay, called by way of other modules, is not interrupted."""

    def long():
        os.kill(os.getpid(), signal.SIGTERM)
        end_s = time.monotonic() + 10 * AGAIN_S
        while time.monotonic() < end_s:
            time.sleep(AGAIN_S / 4)

    steps = []
    with pytest.raises(SystemExit):
        free_and_wait("llvmlite.binding.module", long, steps)
    assert steps == ["freed", "marked as freed"]


@pytest.mark.parametrize("module", ["llvm", "my_llvmlite", "llvmlite_too", "simulator.llvmlite"])
def test_a_module_of_a_like_name_is_no_part_of_it(ending, module):
    """Only the package itself."""
    steps = []
    with pytest.raises(KeyboardInterrupt):
        free_in(module, lambda: signal.raise_signal(signal.SIGINT), steps)
    assert steps == ["marked as freed"]
    assert ending.number == signal.SIGINT


@pytest.mark.parametrize(
    ("number", "error", "again"),
    [
        (signal.SIGINT, KeyboardInterrupt(), True),
        (signal.SIGTERM, SystemExit(143), True),
        (signal.SIGTERM, ValueError("another"), False),
        (None, KeyboardInterrupt(), False),
        (None, SystemExit(1), False),
    ],
)
def test_a_signal_that_a_callback_ignored_is_raised_again(monkeypatch, number, error, again):
    """Whatever else a callback ignores is printed, as without us."""
    unwound, printed = [], []
    monkeypatch.setattr(sys, "__unraisablehook__", printed.append)
    ending = EndingSignal()
    monkeypatch.setattr(ending, "_unwind_soon", lambda: unwound.append(True))
    ending.number = number
    ignored = SimpleNamespace(exc_value=error)
    ending._raise_again(ignored)
    assert (unwound, printed) == (([True], []) if again else ([], [ignored]))


def test_who_listens_again_has_heard_nothing_yet(ending):
    """The signal of the last run is not that of the next."""
    ending.number = signal.SIGINT
    ending.listen((signal.SIGTERM,))
    assert ending.number is None
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
    assert ending.status == 143


def test_a_status_is_asked_of_a_signal_that_came():
    """Without one there is none."""
    with pytest.raises(ValueError, match="no signal"):
        _ = EndingSignal().status


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_module_of_the_compiler_is_not_freed_twice(repository):
    """Interrupted between its end and the mark of it, it was: the process aborted (SIGABRT)."""
    command = [sys.executable, "-c", CLOSED_BY_LLVM]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")
