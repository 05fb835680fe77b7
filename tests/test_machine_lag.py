"""The measure of a quiet machine: what stalls is measured, and only that excuses a failure."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from tests.machine_lag import Lag, MachineLag, needs_quiet_machine


class Measured:
    """A machine with this lag."""

    def __init__(self, *lag):
        """Take the worst delay and the share of late wake-ups."""
        self.lag = Lag(*lag)

    def measure(self):
        """Return it."""
        return self.lag


QUIET, STALLED, SLOW = Measured(0.01, 0.0), Measured(0.9, 0.001), Measured(0.1, 0.2)


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process by a signal")
def test_a_machine_that_stalls_is_measured():
    """A sampler that is stopped for a while wakes as late as on a machine without time for it."""
    with MachineLag() as machine:
        os.kill(machine._process.pid, signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(machine._process.pid, signal.SIGCONT)
        time.sleep(0.1)
        lag = machine.measure()
    assert lag.worst_s >= 0.3
    assert not lag.is_quiet
    assert machine._process.returncode == 0


def fail():
    """Be a test that fails."""
    raise AssertionError("planted")


def test_a_failure_on_a_quiet_machine_is_a_failure():
    """It is not run again, and not excused."""
    with pytest.raises(AssertionError, match="planted"):
        needs_quiet_machine(fail)(machine_lag=QUIET)


@pytest.mark.parametrize("machine", [STALLED, SLOW])
def test_a_failure_on_a_busy_machine_is_skipped_with_the_figures(machine):
    """The reader sees what was measured, and what failed."""
    with pytest.raises(pytest.skip.Exception, match=r"needs a quiet machine: .* late .*planted"):
        needs_quiet_machine(fail)(machine_lag=machine)


@pytest.mark.parametrize("machine", [QUIET, STALLED])
def test_a_test_that_passes_has_passed(machine):
    """A busy machine excuses nothing that needs no excuse."""
    assert needs_quiet_machine(lambda: None)(machine_lag=machine) is None


def test_an_error_is_never_excused():
    """Only an assertion can fail because of the machine."""

    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        needs_quiet_machine(broken)(machine_lag=STALLED)
