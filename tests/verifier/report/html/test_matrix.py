"""The first table of the report: what each alert did in each scenario, the worst of its series."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import permutations

import pytest

from documents.mistakes import Place
from tests.verifier.outcomes import outcome
from verifier.errors import NotJudged
from verifier.judge.verdict import AlertVerdict
from verifier.report.alert_states import alert_state
from verifier.report.html.matrix import matrix
from verifier.report.tally import silent_of

DID = {
    "failed": {"expected": "fires", "ok": False},
    "vacuous": {"expected": "silent", "ok": False, "vacuous": "no series"},
    "resolved": {"expected": "fires", "ok": True, "pending_s": 1, "firing_s": 2, "resolved_s": 3},
    "fired": {"expected": "fires", "ok": True, "pending_s": 1, "firing_s": 2},
    "explained": {"expected": "explained", "ok": True, "pending_s": 1, "firing_s": 2},
    "pending": {"expected": "silent", "ok": True, "pending_s": 1},
    "could not fire": {"expected": "silent", "ok": True, "vacuous": "x", "accepted": "elsewhere"},
    "need not fire": {"expected": "explained", "ok": True},
    "silent": {"expected": "silent", "ok": True},
}
"""What an alert may have done, the worst first."""


def alert(word, name="Throughput", tier="L1"):
    """Return the verdict on an alert that did so."""
    return AlertVerdict(alert=name, labels=(("tier", tier),), reason="x", **DID[word])


def cells(*outcomes):
    """Return the words of each row of the table, by the name of its alert."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', matrix(outcomes), re.DOTALL)
    return {name: re.findall(r'<td class="did ([a-z-]+)"', row) for name, row in rows}


@pytest.mark.parametrize("word", DID)
def test_each_thing_that_an_alert_may_do_has_its_word(word):
    """And its sign in the table."""
    assert alert_state(alert(word)) == word
    did = replace(outcome("drop"), alerts=(alert(word),))
    assert cells(did) == {"Throughput": [word.replace(" ", "-")]}


@pytest.mark.parametrize(("this", "other"), [*permutations(DID, 2)])
def test_of_several_series_the_worst_is_shown(this, other):
    """A failed one is not hidden behind another that resolved, in whatever order they come."""
    both = (alert(this, tier="L1"), alert(other, tier="L2"))
    worst = min(this, other, key=[*DID].index)
    style = worst.replace(" ", "-")
    assert cells(replace(outcome("drop"), alerts=both)) == {"Throughput": [style]}


def test_alerts_are_rows_and_scenarios_columns():
    """Each cell is of its own pair; what did nothing anywhere stands last."""
    first = replace(outcome("first"), alerts=(alert("silent", "Quiet"), alert("failed", "Loud")))
    second = replace(outcome("second"), alerts=(alert("resolved", "Loud"),))
    table = cells(first, second)
    assert list(table.items()) == [
        ("Loud", ["failed", "resolved"]),
        ("Quiet", ["silent", "not-judged"]),
    ]


def test_the_table_shows_as_many_silent_alerts_as_the_count_says():
    """What could not have fired, or need not, is no cell of them in either."""
    every = replace(outcome("drop"), alerts=tuple(alert(word, name=word) for word in DID))
    silent = [words for words in cells(every).values() if words[0] in {"silent", "pending"}]
    assert silent_of(every) == f"{len(silent)} of {len(DID)}" == "2 of 9"


def test_an_alert_that_was_not_judged_has_a_row():
    """Though there is no verdict on it: its file is named above the table."""
    place = Place("mine.yaml", 5, 11)
    dead = NotJudged("alert BadJoin", "the engine refuses it", place)
    table = cells(replace(outcome("drop"), alerts=(), not_judged=(dead,)))
    assert table == {"BadJoin": ["not-judged"]}
