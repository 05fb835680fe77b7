"""Tables of commands in narrow terminals: every name whole, every letter there."""

from __future__ import annotations

import re

import pytest

from scenarios.library.files import library
from simulator.faults.kinds.catalogue import FAULTS

NAMES = {
    "scenarios list": [path.stem for path in library()],
    "fault catalogue": list(FAULTS),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("columns", [50, 60, 80, 200])
@pytest.mark.parametrize("line", NAMES)
def test_a_narrow_terminal_wraps_and_cuts_nothing(command, monkeypatch, line, columns):
    """What does not fit goes on in the next line; the name that a reader copies is whole."""
    wide = command(*line.split()).out
    monkeypatch.setenv("COLUMNS", str(columns))
    narrow = command(*line.split()).out
    assert max(map(len, narrow.splitlines())) <= columns
    assert "…" not in narrow
    first = [text.split()[0] for text in narrow.splitlines() if re.match(r"^  [a-z]\S+", text)]
    assert first == NAMES[line]
    # Each table holds the same letters, in whatever order of cells and lines.
    assert sorted(re.sub(r"[\s─]", "", narrow)) == sorted(re.sub(r"[\s─]", "", wide))
