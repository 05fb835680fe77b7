"""Printed commands can be typed: the program as it was called, words quoted."""

from __future__ import annotations

import shlex
import sys

import pytest

from agentaskit_sim.front.typed import command_line


@pytest.fixture
def called(monkeypatch, tmp_path):
    """Return a function that makes this program look as if called so, in a PATH of one folder."""
    program = tmp_path / "bin dir" / "agentaskit-sim"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    def call(word, *, on_path):
        monkeypatch.setenv("PATH", str(program.parent) if on_path else "/nowhere")
        monkeypatch.setattr(sys, "argv", [word.replace("HERE", str(program.parent))])
        return shlex.split(command_line("verify", "my outage.yaml"))

    return call


def test_the_program_is_named_as_it_was_called(called, tmp_path):
    """By its name where PATH leads to it, by its path or its module otherwise."""
    words = ["verify", "my outage.yaml"]
    place = str(tmp_path / "bin dir" / "agentaskit-sim")
    assert called("HERE/agentaskit-sim", on_path=True) == ["agentaskit-sim", *words]
    assert called("HERE/agentaskit-sim", on_path=False) == [place, *words]
    assert called("x/agentaskit-sim", on_path=True) == ["x/agentaskit-sim", *words]
    module = "x/agentaskit_sim/__main__.py"
    assert called(module, on_path=True) == [sys.executable, "-m", "agentaskit_sim", *words]
    for other in ("x/pytest", "x/pytest/__main__.py"):
        assert called(other, on_path=True) == ["agentaskit-sim", *words]
