"""The audit in `make check`: a known vulnerability fails it, a list out of reach does not."""

from __future__ import annotations

import json

import pytest

from tools import audit as module


def program(folder, answer, *, status=0, wait_s=0):
    """Return a pip-audit that gives an answer."""
    path = folder / "pip-audit"
    (folder / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    path.write_text(
        f"#!/bin/sh\nsleep {wait_s}\ncat '{folder}/answer'\n"
        f"echo 'no route to host' >&2\nexit {status}\n"
    )
    path.chmod(0o700)
    return str(path)


SAFE = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not on PyPI"}
SILENT = "audit: the list of known vulnerabilities was not reached ({}); nothing audited"


@pytest.mark.parametrize(
    ("answer", "status", "lines"),
    [
        ({"dependencies": [SAFE, UNKNOWN]}, 0,
         ["audit: no known vulnerability in 1 of 2 packages looked up"]),
        ({"dependencies": [SAFE, BAD]}, 1,
         ["audit: b 2: PYSEC-1, fixed in 2.1",
          "audit: 1 known vulnerabilities in 2 of 2 packages looked up"]),
        ({"dependencies": [UNKNOWN]}, 0, [SILENT.format("it knows none of 1 packages")]),
        ("", 0, [SILENT.format("no route to host")]),
        ({}, 0, [SILENT.format("'dependencies'")]),
    ],
)  # fmt: skip
def test_a_known_vulnerability_fails_and_a_list_out_of_reach_is_said(
    tmp_path, answer, status, lines
):
    """Whatever pip-audit's own status is: it has but one for all that can go wrong."""
    assert module.audit(program(tmp_path, answer, status=1)) == (status, lines)


def test_a_list_that_does_not_answer_is_not_waited_for(tmp_path):
    """The limit is for all packages together."""
    slow = program(tmp_path, {"dependencies": [BAD]}, wait_s=20)
    assert module.audit(slow, 0.2) == (0, [SILENT.format("no answer within 0.2 s")])


def test_without_the_program_it_says_so(tmp_path):
    """As in an environment that was made by hand."""
    status, (line,) = module.audit(str(tmp_path / "none"))
    assert status == 0
    assert "No such file" in line


def test_every_locked_package_is_pinned_with_hashes(repository):
    """One version each, and no line without a checksum; a planted one is found."""
    lock = (repository / "requirements.lock").read_text("utf-8")
    assert unpinned(lock) == []
    assert unpinned(lock + "planted==1.0\n") == ["planted==1.0"]
    assert unpinned("planted>=1.0 \\\n    --hash=sha256:00\n") == ["planted>=1.0"]


def unpinned(lock):
    """Return the requirements of a lock that name no version or no checksum."""
    entries = lock.replace("\\\n", " ").splitlines()
    pinned = [entry for entry in entries if entry and entry[0] not in "# "]
    return [e.split(" ")[0] for e in pinned if "==" not in e or "--hash=sha256:" not in e]
