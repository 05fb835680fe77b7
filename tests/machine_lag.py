"""What a test in real time needs of its machine, measured: how late a sleeping process wakes.

A run in real time that fails on a machine which stalls for half a scrape interval shows what the
machine does, not the program. Such a test says so by `needs_quiet_machine`: it fails if the machine
was quiet, and is skipped with the measured figures if not. It runs once in either case.
"""

from __future__ import annotations

import functools
import inspect
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

WORST_MAX_S = 0.25
"""Half of the shortest scrape interval and scrape timeout: a longer stall may cost a scrape."""
LATE_SHARE_MAX = 0.05
"""Of all sleeps, those that end more than 50 ms late; also what a run may lose of its scrapes."""


@dataclass(frozen=True)
class Lag:
    """The worst delay of a wake-up so far, and the share of those that were 50 ms late or more."""

    worst_s: float
    late_share: float

    @property
    def is_quiet(self) -> bool:
        """Whether runs in real time can be judged on this machine."""
        return self.worst_s <= WORST_MAX_S and self.late_share <= LATE_SHARE_MAX

    def __str__(self) -> str:
        """Write both figures and their limits."""
        return (
            f"a process woke up to {self.worst_s:.2f} s late (limit {WORST_MAX_S:g} s),"
            f" {self.late_share:.1%} of its wake-ups were late (limit {LATE_SHARE_MAX:.0%})"
        )


class MachineLag:
    """Samples the lag in a process of its own, from entering the block until it is left."""

    def __enter__(self) -> Self:
        """Start sampling."""
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("lag_sampler.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.measure()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._process.communicate(timeout=30)

    def measure(self) -> Lag:
        """Return the lag since sampling started."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Lag(**json.loads(self._process.stdout.readline()))


def needs_quiet_machine(test: Callable[..., None]) -> Callable[..., None]:
    """Skip a test that failed while the machine was measurably busy; let any other failure be.

    The test gets the fixture `machine_lag`, which must have been set up before its run started.
    """

    @functools.wraps(test)
    def run(*arguments: object, machine_lag: MachineLag, **named: object) -> None:
        try:
            test(*arguments, **named)
        except AssertionError as failure:
            lag = machine_lag.measure()
            if lag.is_quiet:
                raise
            pytest.skip(f"needs a quiet machine: {lag}; failed with {str(failure)[:200]}")

    own = inspect.signature(test)
    lag = inspect.Parameter("machine_lag", inspect.Parameter.KEYWORD_ONLY)
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), lag])
    return run
