"""Where programs are looked for, and in what order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from verifier.errors import JudgeError
from verifier.servers import binaries
from verifier.servers.binaries import PROGRAMS, TOOLS_VARIABLE, describe, find, require

if TYPE_CHECKING:
    from pathlib import Path


def program(directory: Path, name: str, words: str = "promtool, version 3.1.0 (branch)") -> Path:
    """Write a program that says some words."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\necho '{words}'\n")
    path.chmod(0o755)
    return path


def test_the_programs_of_this_machine_say_their_versions() -> None:
    """All four of them, so that `doctor` has something to show."""
    for name in PROGRAMS:
        found = describe(name)
        assert found is not None
        assert found.path.is_absolute()
        assert found.version[0].isdigit()


def test_the_users_directory_wins_over_the_projects_and_that_over_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets the variable means it."""
    on_path = program(tmp_path / "path", "promtool")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv(TOOLS_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", tmp_path / "project")
    assert find("promtool") == on_path
    in_project = program(tmp_path / "project", "promtool")
    assert find("promtool") == in_project
    monkeypatch.setenv(TOOLS_VARIABLE, str(tmp_path / "mine"))
    assert find("promtool") == in_project
    mine = program(tmp_path / "mine", "promtool")
    assert find("promtool") == mine


def test_debians_name_of_alertmanager_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its package calls it prometheus-alertmanager."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv(TOOLS_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", tmp_path / "none")
    path = program(tmp_path / "path", "prometheus-alertmanager")
    assert find("alertmanager") == path


def test_what_is_missing_is_none_or_an_error_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`doctor` shows, the judge refuses."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(TOOLS_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", tmp_path)
    assert describe("promtool") is None
    with pytest.raises(JudgeError, match=r"promtool was not found .* run `make setup`"):
        require("promtool")


def test_a_program_without_a_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something else of that name, or a broken download."""
    program(tmp_path / "path", "promtool", "hello")
    monkeypatch.setenv(TOOLS_VARIABLE, str(tmp_path / "path"))
    with pytest.raises(JudgeError, match=r"must state a version, got 'hello"):
        describe("promtool")
    broken = tmp_path / "path" / "promtool"
    broken.write_bytes(b"\x7fELF not really")
    with pytest.raises(JudgeError, match="does not run"):
        describe("promtool")
