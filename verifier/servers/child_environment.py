"""The environment of every program that is started: what it needs to run, and nothing else.

A Prometheus has no use for the credentials, proxies and tokens of the shell that started this
program; whoever can read `/proc` of a child, or its crash report, would find them there.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSED_ON: Final = (
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "TZ",
    # Where a Python or a Go program that is installed out of place finds its shared libraries.
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    # How much of a shared machine a Go program may take.
    "GOMAXPROCS",
    "GOMEMLIMIT",
)
"""The variables that a child gets, where this process has them."""


def child_environment(**further: str) -> Mapping[str, str]:
    """Return the environment for a child, with `further` variables set in it."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | further
