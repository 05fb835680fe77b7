"""A silence explains findings; one without a reason is refused, one that explains none is named."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError, Place
from verifier.check.findings.finding import CheckFinding
from verifier.check.findings.silences import apply_silences, load_silences

FINDINGS = (
    CheckFinding("raw-counter", Place("a/r.yaml", 3, 1), "alert A", "because"),
    CheckFinding("raw-counter", Place("b/r.yaml", 4, 1), "alert B", "because"),
    CheckFinding("top-bucket", Place("a/r.yaml", 5, 1), "alert A", "because"),
)


@pytest.fixture
def silences(tmp_path):
    """Return a function that reads a silence file."""

    def read(text):
        path = tmp_path / "silences.yaml"
        path.write_text(text)
        return load_silences(path)

    return read


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ("{id: raw-counter, reason: r}", ["top-bucket"]),
        ("{id: raw-counter, subject: alert A, reason: r}", ["raw-counter", "top-bucket"]),
        ('{id: raw-counter, file: "b/*", reason: r}', ["raw-counter", "top-bucket"]),
        ('{id: "*", subject: alert *, reason: r}', []),
    ],
)
def test_an_entry_silences_what_it_names(silences, entry, left):
    """By id, subject and file; each may be a pattern."""
    standing, silenced = apply_silences(FINDINGS, silences(f"silences:\n  - {entry}\n"))
    assert [each.id for each in standing] == left
    assert {each.reason for each in silenced} == {"r"}


def test_an_entry_that_silences_nothing_is_a_finding(silences):
    """A warning, with its place: it may hide the next defect."""
    idle = silences(
        "silences:\n  - {id: raw-counter, reason: r}\n  - {id: top-bucket, subject: x, reason: r}\n"
    )
    standing, _ = apply_silences(FINDINGS, idle)
    assert [(each.id, each.severity) for each in standing] == [
        ("top-bucket", "error"),
        ("unused-silence", "warning"),
    ]
    assert standing[-1].place.line == 3


def test_of_two_entries_for_one_finding_the_first_explains_it_and_neither_is_idle(silences):
    """They may overlap."""
    both = silences(
        "silences:\n  - {id: raw-counter, subject: alert A, reason: first}\n"
        '  - {id: "*", file: a/*, reason: second}\n'
    )
    standing, silenced = apply_silences(FINDINGS, both)
    assert standing == FINDINGS[1:2]
    assert [(each.finding, each.reason) for each in silenced] == [
        (FINDINGS[0], "first"), (FINDINGS[2], "second"),
    ]  # fmt: skip
    standing, silenced = apply_silences(FINDINGS[:1], both)
    assert [each.finding for each in silenced] == [FINDINGS[0]]
    assert [each.id for each in standing] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "silences:\n  - {id: raw-counter}\n",
            "2:5: the key 'reason' is missing in a silence: say",
        ),
        (
            "silences:\n  - {id: raw-counter, reason: ' '}\n",
            "2:31: reason must be text that is not",
        ),
        ("silences:\n  - {id: raw-conter, reason: r}\n", "did you mean 'raw-counter'?"),
        ("silences:\n  - {id: raw-counter, why: r, reason: r}\n", "unknown key 'why'"),
        ("silences:\n  - raw-counter\n", "must be a mapping"),
        ("silence: []\n", "unknown key 'silence'"),
        ("", "the key 'silences' is missing"),
    ],
)
def test_a_mistake_in_the_file_is_refused_with_its_place(silences, text, said):
    """An entry without a reason most of all."""
    with pytest.raises(InputError) as caught:
        silences(text)
    assert said in str(caught.value)
