"""A run in forks reports what a run without them reports, whatever its tests do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = """
import signal
from tests.forking import forked_run
import pytest

# A shell in the background ignores Ctrl-C, and what it starts inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
pytest_addoption = forked_run.add_option
pytest_runtestloop = forked_run.run_tests

@pytest.fixture(scope="session", autouse=True)
def shared(request):
    yield
    with open(request.config.rootpath / "ended", "a") as file:
        file.write("session fixture ended\\n")
"""
MIXED = """
import os, sys, warnings
import pytest

def test_passes(tmp_path):
    print("printed by the one that passes")
    (tmp_path / "file").write_text("x")

def test_fails():
    print("printed by the one that fails")
    os.write(2, b"written to standard error\\n")
    assert 1 == 2

@pytest.mark.skip(reason="left out")
def test_skipped(): pass

@pytest.fixture
def broken():
    yield
    raise OSError("planted in a teardown")

def test_teardown(broken): pass

def test_warns():
    warnings.warn("planted warning")
"""
ORDER = """
import os, pytest

@pytest.mark.parametrize("number", range(5))
def test_number(number, request):
    with open(request.config.rootpath / "order", "a") as file:
        file.write(f"{os.getpid()} {__name__.rpartition('.')[2]} {number}\\n")
"""
CRASH = """
import os

def test_before(): pass
def test_crashes(): os._exit(7)
def test_after(): pass
"""
WAITS_S = 60
WAITS = """
import pathlib, time, pytest

@pytest.fixture
def server(request):
    yield
    (request.config.rootpath / "taken-down").touch()

def test_waits(server, request):
    (request.config.rootpath / "begun").touch()
    time.sleep({waits_s})
""".replace("{waits_s}", str(WAITS_S))

UNAWARE = "\nforked_run._be_interrupted_with = lambda parent: None\n"
UNTIL_LATER = """while not (request.config.rootpath / "later").exists():
        time.sleep(0.05)"""


@pytest.fixture
def start(tmp_path):
    """Return a function that starts pytest on files of these texts, in forks or without."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts=-p no:cacheprovider\n")

    def run(*arguments, **files):
        for name, text in files.items():
            (tmp_path / f"test_{name}.py").write_text(text)
        # None of the plugins that are installed: importing them is most of a run.
        plain = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=tmp_path,
            env=os.environ | plain,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run


def wait_for(process, *paths):
    """Wait until a run has made these files: both of its forks are in a test, or were."""
    began_s = time.monotonic()
    while not all(path.exists() for path in paths):
        assert process.poll() is None
        assert time.monotonic() - began_s < WAITS_S / 2, "the other file waits as well"
        time.sleep(0.05)


def counts(printed):
    """Return what the last line counts, without its duration."""
    return sorted(re.findall(r"\d+ [a-z]+", printed.splitlines()[-1].partition(" in ")[0]))


def test_forks_report_the_same_as_one_process(start, tmp_path):
    """Passed, failed, skipped, errors, warnings; a failure with what it printed; status 1."""
    files = {"mixed": MIXED, "order": ORDER, "order_too": ORDER, "third": ORDER}
    forked = start("--forks", "2", **files).communicate()[0]
    order = [line.split() for line in (tmp_path / "order").read_text().splitlines()]
    ended = (tmp_path / "ended").read_text()
    process = start()
    alone = process.communicate()[0]
    assert process.returncode == 1
    assert counts(forked) == counts(alone)
    assert counts(forked) == ["1 error", "1 failed", "1 skipped", "1 warning", "18 passed"]
    for text in ("written to standard error", "planted in a teardown", "planted warning"):
        assert text in forked
    assert "one that fails" in forked
    assert "one that passes" not in forked
    # Each file in one process and in its order.
    for name in ("test_order", "test_order_too", "test_third"):
        of_file = [(pid, number) for pid, file, number in order if file == name]
        assert [number for _, number in of_file] == list("01234")
        assert len({pid for pid, _ in of_file}) == 1
    assert ended == "session fixture ended\n" * 2


def test_a_crash_is_a_failure_and_the_other_files_are_run(start):
    """The test that ended its process and those behind it have failed; none is passed over."""
    process = start("--forks", "1", crash=CRASH, zz=ORDER)
    printed = process.communicate()[0]
    assert process.returncode == 1
    assert counts(printed) == ["2 failed", "6 passed"]
    assert "test_crashes: its process, fork0, ended with status 7" in printed
    assert "test_after: its process ended in a test before" in printed


def test_an_interrupt_takes_fixtures_down(start, tmp_path):
    """While one file waits another is run. Ctrl-C: status 2, what fixtures hold is given back."""
    process = start("--forks", "2", waits=WAITS, zz=ORDER)
    wait_for(process, tmp_path / "begun", tmp_path / "order")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 2
    assert (tmp_path / "taken-down").exists()


@pytest.mark.parametrize("sent", ["SIGKILL", "SIGTERM"])
def test_forks_end_with_their_parent(start, tmp_path, sent):
    """Whoever ends the parent alone leaves no fork behind: each takes its fixtures down."""
    process = start("--forks", "2", waits=WAITS, zz=WAITS.replace("begun", "begun-too"))
    wait_for(process, tmp_path / "begun", tmp_path / "begun-too")
    process.send_signal(signal.Signals[sent])
    # Every fork holds the other end of this pipe: it is at its end when the last one is gone.
    printed = process.communicate(timeout=WAITS_S / 2)[0]
    assert process.returncode == (2 if sent == "SIGTERM" else -signal.SIGKILL), printed
    assert (tmp_path / "taken-down").exists()
    assert (tmp_path / "ended").read_text() == "session fixture ended\n" * 2


def test_a_fork_sees_the_end_of_its_pipe(start, tmp_path):
    """Where the system interrupts no fork: one that asks for its next file ends like its test."""
    (tmp_path / "conftest.py").write_text(CONFTEST + UNAWARE)
    patient = (
        WAITS.replace(f"time.sleep({WAITS_S})", UNTIL_LATER) + "\ndef test_asked_for(): pass\n"
    )
    process = start("--forks", "2", waits=patient, zz=patient.replace("begun", "begun-too"))
    wait_for(process, tmp_path / "begun", tmp_path / "begun-too")
    process.kill()
    process.wait()
    (tmp_path / "later").touch()
    process.communicate(timeout=WAITS_S / 2)
    assert (tmp_path / "taken-down").exists()


def test_a_failure_is_the_last_where_the_first_is_to_be(start):
    """`-x` ends the run, with status 1 and no further file."""
    process = start("--forks", "1", "-x", aa=CRASH.replace("os._exit(7)", "1 / 0"), zz=ORDER)
    printed = process.communicate()[0]
    assert process.returncode == 1
    assert counts(printed) == ["1 failed", "1 passed"]
