"""`action.yml`: what GitHub asks of a composite action, and the command line that it makes."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from ruamel.yaml import YAML

STEP_KEYS = {"name", "uses", "with", "shell", "env", "run", "id", "if", "working-directory"}


def complaints(action, text):
    """Return what is wrong with an action, by the rules of its kind."""
    wrong = [f"no {key}" for key in ("name", "description", "runs") if key not in action]
    wrong += [f"unknown {key}" for key in action.keys() - {
        "name", "description", "inputs", "outputs", "runs"}]  # fmt: skip
    inputs = action.get("inputs", {})
    wrong += [f"input {name} has no description" for name in inputs if not inputs[name].get(
        "description")]  # fmt: skip
    used = set(re.findall(r"\$\{\{ *inputs\.([\w-]+) *\}\}", text))
    wrong += [f"input {name} is not used" for name in inputs if name not in used]
    wrong += [f"there is no input {name}" for name in used if name not in inputs]
    for output in action.get("outputs", {}).values():
        wrong += [] if {"description", "value"} <= output.keys() else ["an output lacks a value"]
    if action.get("runs", {}).get("using") != "composite":
        wrong.append("not composite")
    for step in action.get("runs", {}).get("steps", []):
        wrong += [f"unknown key {key} of a step" for key in step.keys() - STEP_KEYS]
        if ("run" in step) == ("uses" in step):
            wrong.append("a step must run or use something")
        if "run" in step and "shell" not in step:
            wrong.append("a step that runs needs a shell")
        if "${{" in step.get("run", ""):
            wrong.append("text of a caller in a script")
        if "uses" in step and not re.search(r"@\S+$", step["uses"]):
            wrong.append("what is used has no version")
    return wrong


@pytest.fixture
def action(repository):
    """Return the action, read, and its text."""
    text = (repository / "action.yml").read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(text), text


def test_the_action_is_a_composite_one_and_uses_every_input(action):
    """Each has a description; nothing of a caller becomes part of a script."""
    assert complaints(*action) == []


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        (("inputs.rules", "inputs.rulez"), "there is no input rulez"),
        (("inputs.rules", "inputs.args"), "input rules is not used"),
        (('"$RESULTS")', "${{ inputs.results }})"), "text of a caller in a script"),
        (("      shell: bash\n", ""), "a step that runs needs a shell"),
        (("@v5", ""), "what is used has no version"),
        (("using: composite", "using: node20"), "not composite"),
    ],
)
def test_a_planted_mistake_in_the_action_is_noticed(action, planted, complaint):
    """Each rule can fail."""
    text = action[1].replace(*planted)
    assert complaint in complaints(YAML(typ="safe", pure=True).load(text), text)


def words_for(action, tmp_path, **inputs):
    """Run the last step with a program that prints its words; return them and the status."""
    program = tmp_path / ".venv" / "bin" / "agentaskit-sim"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 1\n')
    program.chmod(0o755)
    step = action[0]["runs"]["steps"][-1]
    environment = dict.fromkeys(step["env"], "") | {"RESULTS": "out"} | inputs
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        capture_output=True, text=True, check=False,
        env=os.environ | environment | {"GITHUB_ACTION_PATH": str(tmp_path)},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines(), done.returncode


def test_inputs_become_words_of_the_command_line(action, tmp_path):
    """One a line, whatever is in it; the status of `verify` is that of the step."""
    assert words_for(action, tmp_path) == (["verify", "--out", "out", "--"], 1)
    words, _ = words_for(
        action, tmp_path, SCENARIOS="traffic-drop\nmy scenarios/\n", RULES="a b.yaml\n$(id)\n",
        DASHBOARDS="boards", OVERLAY="o.yaml", ARGS="--seed 7\n--exact",
    )  # fmt: skip
    assert words == [
        *("verify", "--out", "out", "--rules", "a b.yaml", "--rules", "$(id)"),
        *("--dashboards", "boards", "--overlay", "o.yaml", "--seed", "7", "--exact"),
        *("--", "traffic-drop", "my scenarios/"),
    ]


def test_what_the_action_calls_is_there(repository, action):
    """Scripts of this checkout, executable."""
    scripts = re.findall(r"GITHUB_ACTION_PATH/(tools/\S+?)\"", action[1])
    assert scripts
    assert all(os.access(repository / script, os.X_OK) for script in scripts)
