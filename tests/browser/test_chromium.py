"""Which browser the tests use, and what a run without one says."""

import subprocess
import sys

import pytest

from tests.browser.chromium import NAMES, VARIABLE, find_browser


@pytest.fixture
def path(tmp_path):
    """Return a folder with the programs `chromium`, a later one of the list, and `my-browser`."""
    for name in (NAMES[1], NAMES[3], "my-browser"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("chosen", "name"), [(None, NAMES[1]), ("my-browser", "my-browser"), ("absent", None)]
)
def test_the_browser_that_was_chosen_goes_before_any_other(path, chosen, name):
    """And none is used in its place when it is not there."""
    environment = {"PATH": str(path)} | ({VARIABLE: chosen} if chosen else {})
    assert find_browser(environment) == (path / name if name else None)


@pytest.mark.parametrize("chosen", ["my-browser", "absent"])
def test_run_as_a_program_it_prints_the_browser_or_fails(repository, path, chosen):
    """As the script that installs one asks."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.browser.chromium"],
        cwd=repository, env={"PATH": str(path), VARIABLE: chosen},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    expected = (0, str(path / chosen)) if chosen == "my-browser" else (1, "")
    assert (done.returncode, done.stdout.strip()) == expected


@pytest.mark.long
def test_without_a_browser_one_skip_says_so_for_all(repository, path):
    """Not one for each test, and never a pass; the tests that need none still run."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "not without_a_browser",
         "tests/browser/test_chromium.py", "tests/browser/paper"],
        cwd=repository, env={"PATH": str(path), VARIABLE: "absent"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (skipped,) = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
    assert "NO BROWSER" in skipped
    assert "`make browser`" in skipped
    assert "1 skipped" in done.stdout
    assert "passed" in done.stdout
