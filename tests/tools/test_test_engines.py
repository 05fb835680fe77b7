"""`make test-engines`: folders are checked first; what fails on an engine ends with status 1."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.engine_tests import needs_engine

TOOL = Path(__file__).parents[2] / "tools" / "test_engines.py"


@pytest.fixture
def tool():
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("engines_tool", TOOL)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def engines(folder, *, without=()):
    """Return a folder with programs that state a version and do nothing else."""
    folder.mkdir()
    for name in {"prometheus", "promtool", "prometheus-alertmanager", "amtool"} - set(without):
        (folder / name).write_text(f"#!/bin/sh\necho '{name}, version 9.1.2 (branch: x)'\n")
        (folder / name).chmod(0o700)
    return folder


@pytest.mark.parametrize("lacking", ["prometheus", "promtool", "amtool"])
def test_a_folder_without_engines_is_one_line_and_status_2(tmp_path, lacking):
    """Nothing is run, not even on the folders that are whole."""
    folders = engines(tmp_path / "good"), engines(tmp_path / "bad", without=[lacking])
    command = [sys.executable, TOOL, *folders]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (2, "")
    assert run.stdout == f"test-engines: {tmp_path / 'bad'} has no {lacking}\n"


def test_without_a_folder_it_says_how_to_name_one(tool, capsys):
    """One line, too."""
    assert tool.main([]) == tool.main(["--", "-x"]) == 2
    assert 'ENGINES="DIR ..."' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tests", "library", "status", "said"),
    [
        ((9, 0, 0), (5, 0, 0), 0, "9 passed, 0 failed"),
        ((8, 1, 1), (5, 0, 0), 1, "8 passed, 1 failed  FAILED"),
        ((9, 0, 0), (4, 1, 1), 1, "4 passed, 1 failed  FAILED"),
        ((0, 0, 5), (5, 0, 0), 1, "0 passed, 0 failed  FAILED"),
        ((9, 0, 0), (0, 0, None), 1, "not ended in time"),
    ],
)
def test_whatever_fails_on_any_engine_fails_the_whole(scripted, tests, library, status, said):
    """No test found is a failure as well; the table says which part of which engine it was."""
    assert scripted(tests, library)[0] == status
    assert said in scripted(tests, library)[1]


@pytest.fixture
def scripted(tool, tmp_path, monkeypatch, capsys):
    """Return a function from two runs to exit status and last line, on an engine 9.1.2."""
    folder = engines(tmp_path / "good")

    def run(tests, library):
        monkeypatch.setattr(tool, "run_tests", lambda *_: tool.EngineRun(*tests))
        monkeypatch.setattr(tool, "run_library", lambda *_: tool.EngineRun(*library))
        status, rows = tool.main([str(folder)]), capsys.readouterr().out.splitlines()
        assert rows[0].endswith(f"9.1.2 / 9.1.2 in {folder}")
        return status, rows[-1]

    return run


def test_tests_run_with_the_engines_of_the_folder_and_are_counted(tool, tmp_path):
    """A real run of one file."""
    (scratch := tmp_path / "scratch").mkdir()
    arguments = ["tests/verifier/servers/test_binaries.py", "-n0"]
    run = tool.run_tests(engines(tmp_path / "good"), scratch, arguments)
    assert run.passed + run.failed >= 3


@pytest.mark.parametrize(
    ("name", "source", "needs"),
    [
        ("verifier/servers/test_x.py", "", True),
        ("exporter/test_x.py", "from benchmarks.scraper import Scraper", True),
        ("exporter/test_x.py", "from verifier.servers.binaries import require", True),
        ("exporter/test_x.py", "from exporter.metrics.page import Page", False),
        ("simulator/test_x.py", "import numpy", False),
    ],
)
def test_who_may_start_an_engine_is_known_by_what_it_names(tmp_path, name, source, needs):
    """Everything from the room `verifier` upwards."""
    assert needs_engine(tmp_path / name, source, tmp_path) is needs
