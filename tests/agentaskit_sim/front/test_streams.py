"""Standard streams that are closed, full or left by their reader: a status, and no traceback.

Each command is a process of its own with a real pipe, as a shell starts it.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scenarios.library.files import resolve

COMMANDS = [
    ["--help"],
    ["scenarios", "list"],
    ["slo", "check"],
    *(
        pytest.param(words.split(), marks=pytest.mark.long)
        for words in (
            "verify --help",
            "scenarios schema",
            "scenarios show traffic-drop",
            "doctor --json",
        )
    ),
]
"""The streams are guarded in one place: one command of each kind, the others are long tests."""
JUDGED = """\
import sys
from agentaskit_sim.__main__ import main
from agentaskit_sim.commands import verify
from tests.verifier.outcomes import outcome
verify.judge_all = lambda *_, **__: [outcome()]
verify._check_machine = lambda *_, **__: None
main(["verify", "traffic-drop", *sys.argv[1:]])
"""
"""`verify` with a judge that needs no time."""
SERVER = """\
from agentaskit_sim.__main__ import main
from agentaskit_sim.commands import doctor
def check_machine():
    raise BrokenPipeError(32, "Broken pipe")
doctor.check_machine = check_machine
main(["doctor"])
"""
"""A command in which the pipe to something else breaks."""


def run(*words, program=("-m", "agentaskit_sim"), **streams):
    """Run a command with these streams; return what is known of its end."""
    streams = {"stderr": subprocess.PIPE, **streams}
    return subprocess.run(
        [sys.executable, *program, *words], text=True, check=False, timeout=60, **streams
    )


def run_without_reader(*words, **options):
    """Run a command whose standard output nobody reads any more."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return run(*words, stdout=writer, **options)
    finally:
        os.close(writer)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_has_left_ends_a_command_with_141_and_no_word(words, tmp_path):
    """As SIGPIPE does in a shell: `agentaskit-sim scenarios list | head -1`."""
    done = run_without_reader(*words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.ci
@pytest.mark.sampled(1)
@pytest.mark.parametrize("words", [[], ["--json"]], ids=["table", "json"])
def test_a_verdict_that_nobody_reads_is_saved_all_the_same(words, repository, tmp_path):
    """The status says that nobody read it."""
    done = run_without_reader(
        *words, "--out", str(tmp_path / "here"), program=("-c", JUDGED), cwd=repository
    )
    assert done.returncode == 141
    assert "Traceback" not in done.stderr
    assert (tmp_path / "here" / "verdict.json").is_file()


def test_progress_that_nobody_reads_ends_a_run(tmp_path):
    """`agentaskit-sim nonsense 2>&1 | head -0` is no internal error."""
    reader, writer = os.pipe()
    os.close(reader)
    done = run("verfy", stdout=writer, stderr=writer, cwd=tmp_path)
    os.close(writer)
    assert done.returncode == 141


def test_another_pipe_that_breaks_is_not_taken_for_standard_output():
    """Else a server that goes away would end a run without a word."""
    done = run(program=("-c", SERVER), stdout=subprocess.PIPE)
    assert done.returncode == 3
    assert done.stderr.startswith("internal error: RuntimeError: a pipe broke")


@pytest.mark.sampled(1)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")  # noqa: PTH110 - evaluated at import
@pytest.mark.parametrize("words", COMMANDS[:2], ids=" ".join)
def test_a_full_disk_is_one_line_and_a_status(words, tmp_path):
    """It is no error of the program."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = run(*words, stdout=full, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr == "standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "closed", "status"),
    [
        ("--help", ">&-", 0),
        pytest.param("scenarios list", ">&-", 0, marks=pytest.mark.long),
        ("verfy", "2>&-", 2),
        pytest.param("scenarios schema", "<&-", 0, marks=pytest.mark.long),
        ("--help", ">&- 2>&- <&-", 0),
    ],
)
def test_a_stream_that_the_caller_closed_leads_nowhere(words, closed, status, tmp_path):
    """No traceback, the usual status, and no file of the run in its place."""
    line = f'exec "$0" -m agentaskit_sim "$@" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable, *words.split()],
        capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr + done.stdout
    assert done.returncode == status


def test_a_terminal_that_lacks_a_letter_shows_its_number(tmp_path):
    """A name that cannot be said in Latin-1 ends nothing."""
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    text = resolve("traffic-drop").read_text(encoding="utf-8") + "# \u0416\n"
    (tmp_path / "traffic-drop.yaml").write_text(text, encoding="utf-8")
    words = ("scenarios", "show", "traffic-drop.yaml")
    done = run(*words, stdout=subprocess.PIPE, cwd=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("# \\u0416\n")
