"""Help and usage errors as people read them."""

from __future__ import annotations

import re

import pytest

from agentaskit_sim.__main__ import COMMANDS

SUBCOMMANDS = [
    *([name] for name in COMMANDS),
    *(["scenarios", name] for name in ("list", "show", "validate", "new", "schema")),
    *(["fault", name] for name in ("list", "inject", "change", "end", "catalogue")),
    ["slo", "check"],
]


def artefacts(text):
    """Return the marks of a program's types that a person should not see."""
    return re.findall(r"<\w+\[?\w*\]?>|\{[A-Z_=]+\}|<=x|x>=|\w\.\.\.$", text, re.MULTILINE)


@pytest.mark.parametrize("words", SUBCOMMANDS, ids=" ".join)
def test_help_shows_no_types_and_cuts_no_sentence(command, words):
    """Names, what they mean, and bounds in words."""
    done = command(*words, "--help")
    assert (done.status, artefacts(done.out.partition("Examples:")[0])) == (0, [])


def test_artefacts_are_noticed():
    """As the library writes them by itself."""
    text = "SCENARIO <list[str]>\n {NAME} <str>\n [x>=1]\n [0<=x<=9]\n Compare policy...\n"
    assert artefacts(text) == ["<list[str]>", "{NAME}", "<str>", "x>=", "<=x", "y..."]


@pytest.mark.parametrize("columns", [50, 60, 79])
def test_help_fits_a_narrow_terminal(command, monkeypatch, columns):
    """Words wrap; none is cut."""
    monkeypatch.setenv("COLUMNS", str(columns))
    text = command("verify", "--help").out.partition("Examples:")[0]
    assert max(map(len, text.splitlines())) <= columns
    assert "…" not in text


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["verfy"], "Did you mean 'verify'?"),
        (["scenarios", "shwo"], "Did you mean 'show'?"),
        (["fault", "catalog"], "Did you mean 'catalogue'?"),
        (["verify", "--dashbords", "x"], "Did you mean '--dashboards'?"),
        (["fault", "inject", "traffic_drop", "--sandbox", "A"], "Did you mean '--sandboxes'?"),
        (["--verison"], "Did you mean '--version'?"),
    ],
)
def test_a_misspelt_word_names_the_nearest(command, words, near):
    """One word, not a list of what begins alike."""
    done = command(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.rstrip().endswith(near)


def test_a_word_that_is_near_to_nothing_is_refused_without_a_guess(command):
    """No such option, and no more."""
    assert command("verify", "--zzz").err.rstrip().endswith("No such option '--zzz'.")
