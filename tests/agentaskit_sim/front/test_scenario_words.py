"""A misspelt scenario is refused at once, by its near name; what may be a value is left alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agentaskit_sim.front.scenario_words import refuse_unknown_scenarios
from documents.mistakes import InputError

HEAVY = ("numba", "numpy", "aiohttp", "pydantic", "simulator")


def test_a_misspelt_scenario_is_refused_before_anything_heavy_is_imported():
    """Whoever mistypes a name waits for no simulator."""
    program = (
        "import sys\n"
        "from agentaskit_sim.__main__ import main\n"
        "for command in ('verify', 'up', 'serve'):\n"
        "    try:\n        main([command, 'trafic-drop'])\n"
        "    except SystemExit as end:\n        status = end.code\n"
        f"    print(status, [m for m in {HEAVY} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "2 []\n" * 3)
    said = "no bundled scenario is called 'trafic-drop', did you mean 'traffic-drop'?\n"
    assert done.stderr == said * 3


def test_every_misspelt_name_has_a_line():
    """Beside options and names that are right."""
    with pytest.raises(InputError) as caught:
        refuse_unknown_scenarios(["verify", "leak", "--seed", "7", "fast-burn", "outage"])
    assert str(caught.value).splitlines() == [
        "no bundled scenario is called 'leak', did you mean 'memory-leak'?",
        "no bundled scenario is called 'outage', did you mean 'dependency-outage'?",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "verify",
        "verify traffic-drop --seed 7 --json",
        "verify --junit report --limit 5m traffic-drop",
        "verify --accept a=b --out results",
        "verify -- no-such",
        # With files: all mistakes of a run are reported together, by the command.
        "verify no-such mine.yaml",
        "verify no-such --rules some/rules",
        "verify no-such --overlay {folder}",
    ],
)
def test_everything_else_is_left_to_the_command(line, tmp_path):
    """Values of options, names that are right, and all that stands beside files."""
    refuse_unknown_scenarios(line.format(folder=tmp_path).split())
