"""What `agentaskit-sim up` refuses before anything is started or compiled, and the way out."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from verifier.servers import binaries


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sandbox-leek",), "no bundled scenario is called 'sandbox-leek', did you mean"),
        (("--exit-at-end",), "--exit-at-end needs a scenario: the healthy world has no end"),
        (("--compress", "0.5"), "greater than or equal to 1"),
        (("--compress", "500"), "the highest factor that these rules allow is 30"),
        (("--rules", "none.yml"), "none.yml: no such file"),
        (("--routing", "none.yml"), "none.yml: no such file"),
        (("--prometheus", "ftp://x"), "--prometheus must be like http://127.0.0.1:9090, got"),
        (("--alertmanager", "9093"), "--alertmanager must be like http://127.0.0.1:9090, got"),
        (
            ("--prometheus", "http://x", "--compress", "3"),
            "--compress cannot be used with --prometheus: your server has its own",
        ),
        (
            ("--alertmanager", "http://x", "--routing", "x.yml"),
            "--routing cannot be used with --alertmanager: your server has its own",
        ),
    ],
)
def test_bad_input_is_one_line_with_status_2(command, arguments, message):
    """Before anything is started or compiled."""
    done = command("up", "--port", "0", *arguments)
    assert (done.status, done.out, message in done.err) == (2, "", True), done.err


def test_mistakes_of_all_files_are_reported_together_with_their_place(command):
    """A typo in the scenario beside one in the rules."""
    Path("mine.yaml").write_text("name: mine\nstory: x\nseed: 1\nduraton: 2m\n")
    Path("rules.yml").write_text(
        "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: sum(\n"
    )
    done = command("up", "mine.yaml", "--rules", "rules.yml")
    assert (done.status, done.out) == (2, "")
    assert "mine.yaml:4:1: unknown key 'duraton', did you mean 'duration'?" in done.err
    assert re.search(r"^rules.yml:5:15: .*unclosed left parenthesis", done.err, re.MULTILINE)


def hold_port():
    """Listen on a port whose lower neighbour is free; return the socket.

    Not on a port that the system chooses: other tests get theirs there, the neighbour perhaps.
    """
    for port in range(21001, 29999, 2):
        with suppress(OSError), socket.create_server(("127.0.0.1", port - 1)):
            return socket.create_server(("127.0.0.1", port))
    raise AssertionError("no two neighbouring ports are free")


def test_a_port_in_use_is_reported_before_anything_is_prepared(command):
    """Status 3 and the way out; so is the port beside it, where the user's servers notify."""
    with hold_port() as holder:
        port = holder.getsockname()[1]
        done = command("up", "--port", port)
        beside = command("up", "--port", port - 1, "--prometheus", "http://127.0.0.1:1")
    for ended in (done, beside):
        assert (ended.status, ended.out) == (3, "")
        assert ended.err.startswith(f"port {port} on 127.0.0.1 is in use: ")


@pytest.mark.parametrize("missing", ["prometheus", "alertmanager"])
def test_without_a_program_the_advice_says_how_to_get_it(command, monkeypatch, missing):
    """Status 3 before anything is compiled."""
    find = binaries.find
    monkeypatch.setattr(binaries, "find", lambda name: None if name == missing else find(name))
    done = command("up", "--port", "0")
    assert (done.status, done.out) == (3, "")
    assert done.err.startswith(f"{missing} was not found on PATH")
    assert "`make setup`" in done.err
