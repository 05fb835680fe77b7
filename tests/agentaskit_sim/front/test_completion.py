"""What a shell completes, asked as the shells ask."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scenarios.library.files import library

SCENARIOS = [path.stem for path in library()]


@pytest.fixture
def completed(command, monkeypatch):
    """Return a function: the words with which a command line may go on, as a shell is told."""

    def complete(line, shell="bash"):
        monkeypatch.setenv("_AGENTASKIT_SIM_COMPLETE", f"complete_{shell}")
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        if shell == "bash":
            monkeypatch.setenv("COMP_WORDS", line)
            monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
        else:
            monkeypatch.setenv("_TYPER_COMPLETE_ARGS", line)
        done = command()
        assert (done.status, done.err) == (0, "")
        return done.out.split()

    return complete


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("agentaskit-sim ver", ["verify"]),
        ("agentaskit-sim verify ", SCENARIOS),
        ("agentaskit-sim verify traffic-d", ["traffic-drop"]),
        ("agentaskit-sim up traffic-d", ["traffic-drop"]),
        ("agentaskit-sim scenarios sh", ["show"]),
        ("agentaskit-sim scenarios show traffic-d", ["traffic-drop"]),
        ("agentaskit-sim fault inject slow_h", ["slow_host"]),
        ("agentaskit-sim verify --dash", ["--dashboards"]),
        ("agentaskit-sim verify --rules ", []),
        ("agentaskit-sim verify mine.ya", []),
    ],
)
def test_names_are_completed_and_files_are_left_to_the_shell(completed, line, words):
    """Commands, scenarios, kinds of faults, options."""
    assert completed(line) == words


def test_other_shells_ask_in_their_own_way(completed):
    """`zsh` and `fish`."""
    assert "traffic-drop" in " ".join(completed("agentaskit-sim verify traffic-d", "zsh"))
    assert "traffic-drop" in " ".join(completed("agentaskit-sim verify traffic-d", "fish"))


def test_completion_is_installed_by_an_option(tmp_path):
    """The script of a shell names the variable by which it asks."""
    environment = os.environ | {
        "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
    }  # fmt: skip
    shown, installed = (
        subprocess.run(
            [sys.executable, "-m", "agentaskit_sim", option, "bash"],
            capture_output=True, text=True, check=False, env=environment, timeout=60,
        )
        for option in ("--show-completion", "--install-completion")
    )  # fmt: skip
    assert (shown.returncode, installed.returncode) == (0, 0)
    assert "_AGENTASKIT_SIM_COMPLETE=complete_bash" in shown.stdout
    assert "agentaskit-sim" in (tmp_path / ".bashrc").read_text()
