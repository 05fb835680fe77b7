"""Where programs are searched for, and in what order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from verifier.errors import JudgeError
from verifier.servers import binaries
from verifier.servers.binaries import (
    PROGRAMS,
    TOOLS_VARIABLE,
    Binary,
    describe,
    find,
    install_advice,
    require,
)
from verifier.servers.prometheus import rule_check

if TYPE_CHECKING:
    from pathlib import Path


def program(directory: Path, name: str, output: str = "promtool, version 3.1.0 (branch)") -> Path:
    """Write a program that prints `output`."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\necho '{output}'\n")
    path.chmod(0o755)
    return path


def test_the_programs_of_this_machine_state_their_versions() -> None:
    """All four of them, so that `doctor` has something to show."""
    for name in PROGRAMS:
        binary = describe(name)
        assert binary is not None
        assert binary.path.is_absolute()
        assert binary.version[0].isdigit()


def test_the_users_directory_comes_before_the_projects_and_that_before_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is set was set on purpose."""
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


def test_a_missing_program_is_none_or_an_error_that_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`doctor` shows it, the judge refuses to run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(TOOLS_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", tmp_path)
    assert describe("promtool") is None
    with pytest.raises(JudgeError, match=r"promtool was not found .* run `make setup`"):
        require("promtool")


def test_away_from_a_checkout_nobody_is_told_to_run_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that pip has installed has no Makefile beside it."""
    assert install_advice().startswith("run `make setup`, or install it (Debian")
    monkeypatch.setattr(binaries, "PROJECT", tmp_path)
    assert "make" not in install_advice()
    assert install_advice().startswith("install it (Debian, Ubuntu: `sudo apt-get install")
    assert "https://prometheus.io/download/" in install_advice()


def test_a_program_without_a_version_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program of that name, or a broken download."""
    program(tmp_path / "path", "promtool", "hello")
    monkeypatch.setenv(TOOLS_VARIABLE, str(tmp_path / "path"))
    with pytest.raises(JudgeError, match=r"must state a version, got 'hello"):
        describe("promtool")
    broken = tmp_path / "path" / "promtool"
    broken.write_bytes(b"\x7fELF not really")
    with pytest.raises(JudgeError, match="does not run"):
        describe("promtool")


def test_a_program_is_asked_again_when_its_file_has_changed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade while this process lives; of a broken one nothing is kept."""
    monkeypatch.setenv(TOOLS_VARIABLE, str(tmp_path))
    asked = []
    ask = binaries.version_output
    monkeypatch.setattr(binaries, "version_output", lambda path: (asked.append(path), ask(path))[1])
    versions = []
    for output in ("promtool, version 3.1.0", "promtool, version 3.1.1"):
        program(tmp_path, "promtool", output)
        versions += [binary.version for _ in range(2) if (binary := describe("promtool"))]
    assert versions == ["3.1.0", "3.1.0", "3.1.1", "3.1.1"]
    assert len(asked) == 2
    program(tmp_path, "promtool", "hello")
    for _ in range(2):
        with pytest.raises(JudgeError):
            describe("promtool")
    assert len(asked) == 4


@pytest.mark.parametrize(("tool", "is_used"), [("3.1.0", True), ("3.1.1", False), (None, False)])
def test_a_promtool_of_another_version_than_the_engine_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tool: str | None, *, is_used: bool
) -> None:
    """Which files are valid is for the engine that judges; without its tool it is asked itself."""
    versions = {"prometheus": "3.1.0", "promtool": tool}

    def describe_it(name: str) -> Binary | None:
        version = versions[name]
        return None if version is None else Binary(name, tmp_path / name, version)

    monkeypatch.setattr(rule_check, "describe", describe_it)
    monkeypatch.setattr(rule_check, "find", lambda name: tmp_path / name)
    assert (rule_check._promtool() is not None) == is_used


def test_another_promtool_is_another_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked of one place says nothing of another."""
    usual = rule_check._promtool()
    monkeypatch.setattr(rule_check, "find", lambda _: None)
    monkeypatch.setattr(rule_check, "describe", lambda _: None)
    assert rule_check._promtool() is None
    monkeypatch.undo()
    assert rule_check._promtool() == usual
