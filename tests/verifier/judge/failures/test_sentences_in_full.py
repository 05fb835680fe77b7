"""All that is said of a failure, sentence by sentence, and what is proposed for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.judge.failures.test_failure_sentences import comparison, numbers, verdict
from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.outcomes import alert
from verifier.evidence.measurement import DecisiveValue
from verifier.judge.failures.overlay import active_fault, stanza
from verifier.judge.failures.sentences import CONDITION_LETTERS_MAX, failure_sentences

NEAR = "its value came nearest with 0.62 7m after the onset, it must be > 0.9"


def fired(text, value):
    """Return a comparison with a value at the instant at which the alert fired."""
    return comparison(text, 5.0, 45.0, readings=(DecisiveValue("when it fired", 510.0, value),))


def test_one_that_was_pending_once_says_nothing_of_how_often():
    """Only what it did again and again is worth a word."""
    brief = numbers(comparison(), held_s=45.0, held_from_s=210.0)
    held = "its condition held for 45s at the longest, from 30s after the onset on, its `for` is 2m"
    once, twice = ((210.0, None, 270.0),), ((210.0, None, 270.0), (300.0, None, 330.0))
    assert failure_sentences(verdict(*once), brief) == [held, NEAR]
    again = "it was pending 2 times, never for its `for`"
    assert failure_sentences(verdict(*twice), brief) == [held, NEAR, again]


def test_one_that_fired_late_and_still_fires_says_both():
    """That it had been pending before, and the value of each condition at the end, be it 0."""
    late = verdict((200.0, None, 230.0), (300.0, 700.0, None))
    held = numbers(comparison(last=0.0), comparison("y > 1", last=None), held_s=9.0)
    assert failure_sentences(late, held) == [
        "it had been pending once before, 20s after the onset for 30s, and had to begin anew",
        "at the end `x > 0.9` had the value 0",
    ]


def test_what_never_held_stands_first():
    """It decided, wherever it stands in the rule."""
    both = numbers(comparison("y > 1", 12.0, 45.0, threshold=1.0), comparison())
    first, second = failure_sentences(verdict(), both)
    assert first.startswith("`x > 0.9`: the value came nearest with 0.62")
    assert second.startswith("`y > 1`: the value reached 12")


def test_of_what_must_not_have_fired_the_first_condition_says_its_value_then():
    """Unless that was its most extreme one, which is said anyway."""
    loud = replace(verdict((210.0, 510.0, 780.0)), expected="unexpected", cause=None, onset_s=0.0)
    said = failure_sentences(loud, numbers(fired("x > 0.9", 4.0), fired("y > 1", 3.0)))
    assert said[0] == "its value was 4 at 8m30s, when it fired"
    assert len(said) == 3
    assert len(failure_sentences(loud, numbers(fired("x > 0.9", 5.0)))) == 1
    assert len(failure_sentences(loud, numbers(fired("x > 0.9", None)))) == 1


@pytest.mark.parametrize("more", [0, 1])
def test_a_long_condition_is_said_by_its_ends(more):
    """One that is not too long is said in full."""
    text = "x" * (CONDITION_LETTERS_MAX // 2) + "y" * (CONDITION_LETTERS_MAX // 2 + more)
    lasting = verdict((210.0, 510.0, None))
    (said,) = failure_sentences(lasting, numbers(comparison(text), held_s=9.0))
    cut = f"{'x' * 45} ... {'y' * 45}" if more else text
    assert said == f"at the end `{cut}` had the value 0.1"


TWO = scenario_with(more="  - {name: short, fault: agent_hang, start: 4m, duration: 1m}\n")


@pytest.mark.parametrize(
    ("pending_s", "name"), [(179.0, None), (180.0, "gone"), (239.0, "gone"), (240.0, "short"),
                            (400.0, "short")],
)  # fmt: skip
def test_of_two_faults_that_had_begun_the_later_one_is_meant(pending_s, name):
    """Whichever ended first."""
    assert active_fault(alert("A", "unexpected", pending_s=pending_s), TWO) == name


@pytest.mark.parametrize(
    ("firing_s", "resolved_s", "text"),
    [
        (250.0, 719.0, "fires_within: 2m, resolves_within: 1m}  # it resolved 1s before gone"),
        (250.0, 720.0, "fires_within: 2m, resolves_within: 1m}"),
        (250.0, 750.0, "fires_within: 2m, resolves_within: 1m}"),
        (250.0, 751.0, "fires_within: 2m, resolves_within: 2m}"),
        (300.0, 1800.0, "fires_within: 3m, resolves_within: 18m}"),
        (300.0, 1800.5, "fires_within: 3m}"),
        (300.0, None, "fires_within: 3m}"),
        (1800.0, None, "fires_within: 27m}"),
        (1800.5, None, "{alert: A, explained: "),
    ],
)
def test_what_is_proposed_has_room_and_ends_with_the_scenario(firing_s, resolved_s, text):
    """At least half a minute, to the next minute; nothing that the scenario would refuse."""
    loud = alert("A", "unexpected", pending_s=200.0, firing_s=firing_s, resolved_s=resolved_s)
    proposed = stanza(loud, scenario_with())
    if "explained" not in text:
        text = "{alert: A, cause: gone, " + text
    assert proposed.startswith(text)
    assert proposed.endswith("}") or "#" in text or "explained" in text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("page", "page"), ("a-b_c", "a-b_c"), ("True", '"True"'), ("Yes", '"Yes"'), ("on", '"on"'),
        ("NULL", '"NULL"'), ("1a", '"1a"'), ("-a", '"-a"'), ("Größe", '"Gr\\u00f6\\u00dfe"'),
        ("a b", '"a b"'), ("", '""'),
    ],
)  # fmt: skip
def test_what_yaml_would_read_otherwise_stands_in_quotes(value, written):
    """A word that is a truth value, a number, a letter that a terminal may not have."""
    loud = alert("A", "unexpected", labels=(("severity", value),))
    proposed = stanza(loud, scenario_with(), (), frozenset({"severity"}))
    assert proposed.startswith(f"{{alert: A, labels: {{severity: {written}}}, explained: ")
