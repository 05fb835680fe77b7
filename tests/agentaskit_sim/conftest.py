"""A command line that runs in this process, so that its parts can be replaced."""

from __future__ import annotations

import signal
from dataclasses import dataclass

import pytest

from agentaskit_sim.__main__ import main


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    """Return a function that runs a command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AGENTASKIT_SIM_TRACEBACK", raising=False)
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Finished(caught.value.code, told.out, told.err)

    yield run
    for number, handler in kept.items():
        signal.signal(number, handler)
