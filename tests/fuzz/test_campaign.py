"""Random documents of every kind are read or refused: no stray exception, no signal, no hang."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fuzz.campaign import run
from tests.fuzz.generation import KINDS, document
from tests.fuzz.planted_worker import ENDLESS, KILLING
from tests.fuzz.shrinking import shrink

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = 45
DOCUMENTS_LONG = 100_000


def test_random_documents_are_read_or_refused_in_bounds(tmp_path: Path) -> None:
    """Each within a second and 300 MB; a refusal is lines with places that can be printed."""
    calls: list[int] = []
    findings = run(0, DOCUMENTS, workers=1, folder=tmp_path, advance=lambda: calls.append(1))
    assert len(calls) == DOCUMENTS
    assert (findings.read, str(findings.by_place)) == (DOCUMENTS, "defaultdict(<class 'list'>, {})")


@pytest.mark.long
def test_a_hundred_thousand_documents_are_read_or_refused_in_bounds(tmp_path: Path) -> None:
    """The same of many more; `make fuzz` says which number to look at."""
    findings = run(DOCUMENTS, DOCUMENTS_LONG, workers=2, folder=tmp_path)
    assert not findings.by_place, str(findings)


@pytest.mark.ci
def test_planted_faults_are_found_and_said_by_their_place(tmp_path: Path) -> None:
    """A stray exception, a process that dies, a loop without end; and the documents are kept."""
    findings = run(0, 18, workers=1, folder=tmp_path, module="tests.fuzz.planted_worker")
    strays = findings.by_place["KeyError in planted_worker.py:_stray"]
    assert strays
    assert {KINDS[number % len(KINDS)] for number in strays} == {"overlay"}
    assert findings.by_place["the process ended with status -9"] == [KILLING]
    assert findings.by_place["longer than 1.0 s in planted_worker.py:_endless"] == [ENDLESS]
    assert findings.read == 18
    kept = {path.name for path in tmp_path.iterdir() if "-small" not in path.name}
    assert kept == {document(number).name for number in (*strays, KILLING, ENDLESS)}
    small = tmp_path / document(strays[0]).name.replace(".", "-small.")
    assert small.read_bytes().count(b"\n") == 0
    assert b"scenarios" in small.read_bytes()


def test_a_number_makes_the_same_document_again() -> None:
    """Else a number that is reported would lead to nothing."""
    for number in range(30):
        assert document(number) == document(number)
    assert {document(number).kind for number in range(30)} == set(KINDS)


def test_a_document_is_shrunk_to_the_lines_that_matter() -> None:
    """Two lines that only together do it are left."""
    content = b"\n".join(b"%d" % number for number in range(40))
    small = shrink(content, lambda text: {b"7", b"31"} <= set(text.split(b"\n")))
    assert small == b"7\n31"
