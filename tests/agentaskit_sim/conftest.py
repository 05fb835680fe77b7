"""Runs a command line in this process, so that tests can replace parts of it."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass

import pytest

from agentaskit_sim.__main__ import main


@dataclass(frozen=True)
class Finished:
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("AGENTASKIT_SIM_TRACEBACK", "COLUMNS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    }

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Finished(caught.value.code, captured.out, captured.err)

    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)  # set by a command, put back
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)
