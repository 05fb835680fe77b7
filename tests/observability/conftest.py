"""What the tests of the pack share: where it is, its rules as plain values, Prometheus tools."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from documents.yaml_reader import load
from verifier.servers.binaries import require

PACK = Path(__file__).resolve().parents[2] / "observability"
CONTRACT_FILES = ("slo.yaml", "performance.yaml", "backpressure.yaml")


@pytest.fixture(scope="session")
def pack():
    """Return the directory of the pack."""
    return PACK


@pytest.fixture
def groups():
    """Return {file name: its rule groups} of every alert file, read afresh for each test."""
    return {path.name: load(path).data["groups"] for path in sorted((PACK / "alerts").iterdir())}


@pytest.fixture
def rules(groups):
    """Return {file name: its alert rules} of every alert file."""
    return {
        name: [rule for group in read for rule in group["rules"]] for name, read in groups.items()
    }


@pytest.fixture
def nineteen(rules):
    """Return the rules of the three files of the contract, in their order."""
    return [rule for name in CONTRACT_FILES for rule in rules[name]]


@pytest.fixture
def every_rule(nineteen, rules):
    """Return the nineteen and the extras."""
    return [*nineteen, *rules["extras.yaml"]]


@pytest.fixture(scope="session")
def run_tool():
    """Return a function that runs promtool or amtool and gives (exit status, output)."""

    def run(name, *arguments):
        command = [require(name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    return run
