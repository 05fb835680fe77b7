"""What a child is told of the shell that started its parent."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.verifier.deliveries import wait_until
from verifier.servers import child as module
from verifier.servers.child import Child
from verifier.servers.child_environment import PASSED_ON, child_environment

PLANTED = {
    "AWS_SECRET_ACCESS_KEY": "planted",
    "HTTPS_PROXY": "planted",
    "https_proxy": "planted",
    "AGENTASKIT_SIM_TOKEN": "planted",
}


def environment_of(pid):
    """Return the environment of a process and of the guard's shell, as /proc shows it."""
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_a_child_and_its_guard_get_what_they_need_and_nothing_else(tmp_path, monkeypatch):
    """A variable that is planted reaches neither; with the whole environment it would be seen."""
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TZ", "UTC")

    def variables():
        child = Child("x-", parent_directory=tmp_path)
        try:
            child.start(["/bin/sleep", "60"])
            comm = Path(f"/proc/{child.pid}/comm")
            assert wait_until(lambda: comm.read_text().strip() == "sleep")
            both = environment_of(child.pid) + environment_of(child._guard.pid)
        finally:
            child.stop()
        return {entry.partition(b"=")[0].decode() for entry in both if entry}

    own = variables()
    assert {"PATH", "TZ"} <= own <= {*PASSED_ON, "PWD", "OLDPWD", "SHLVL", "_"}
    monkeypatch.setattr(module, "child_environment", lambda: dict(os.environ))
    assert set(PLANTED) <= variables()


def test_no_program_is_started_with_the_whole_environment():
    """Whatever starts a process says which environment it gets; a planted call is found."""
    root = Path(__file__).parents[3]
    modules = [p for room in ("verifier", "agentaskit_sim") for p in (root / room).rglob("*.py")]
    assert [str(p) for p in modules if not says_environment(p.read_text(encoding="utf-8"))] == []
    assert not says_environment("subprocess.run(\n    [x],\n    check=False,\n)\n")
    assert says_environment("subprocess.run(\n    [x],\n    env=child_environment(),\n)\n")


def says_environment(source):
    """Return whether as many environments are given as processes are started."""
    starts = sum(source.count(call) for call in ("subprocess.run(", "subprocess.Popen("))
    return starts <= source.count("env=child_environment(")


def test_what_is_set_for_one_child_comes_on_top(monkeypatch):
    """A directory of its own, for a program that would litter ours."""
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    assert child_environment(TMPDIR="/here")["TMPDIR"] == "/here"
