"""`--cluster` on the command line: what it refuses, in one line, before anything runs."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from agentaskit_sim.__main__ import app
from documents.mistakes import InputError

ADDRESS = "tcp://127.0.0.1:9"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--cluster", "scheduler:8786"], "must be the address of a Dask scheduler"),
        (["--cluster", ADDRESS, "--jobs", "2"], "--jobs cannot be used with --cluster"),
        (["--cluster", ADDRESS, "--live"], "--cluster cannot be used with --live"),
        (["--cluster", ADDRESS, "--engine", "prometheus"], "--engine cannot be used with"),
    ],
    ids=["no address", "jobs", "live", "engine"],
)
def test_what_does_not_go_together_is_refused(options, complaint):
    """Exit status 2 at the front door."""
    result = CliRunner().invoke(app("verify"), ["verify", "traffic-drop", *options])
    assert isinstance(result.exception, InputError)
    assert complaint in str(result.exception)
