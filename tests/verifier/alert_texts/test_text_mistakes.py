"""Texts that the template language broke: which are, and what is said of them."""

from __future__ import annotations

import pytest

from tests.verifier.histories import rules
from tests.verifier.judge.ledgers import notification
from verifier.alert_texts.text_mistakes import (
    AlertText,
    is_broken,
    notified_texts,
    text_findings,
)

BROKEN = [
    "<error expanding template: error executing template __alert_A: ...>",
    "at %!d(float64=2248.5) a second",
    "%!s(int=3)",
    "%!d(MISSING)",
    "%!(EXTRA string=a)",
    "%!(NOVERB)",
    "%!z(*errors.errorString=&{x})",
    "%!d(<nil>)",
]
WHOLE = ["", "12.5% of all", "100%! (of 5)", "a %d b", "error expanding template", "%!", "50%!a"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_text_that_the_template_language_broke_is_known(text):
    """The engine's words, and all that Go says of a format that does not fit."""
    assert is_broken(text)


@pytest.mark.parametrize("text", WHOLE)
def test_any_other_text_is_left_alone(text):
    """People write per cent signs too."""
    assert not is_broken(text)


def test_what_a_receiver_was_sent_is_said_with_alert_annotation_and_text(tmp_path):
    """Once for each annotation and label, at the place of the rule."""
    summary = '{{ printf "%d" $value }}'
    rule = {"alert": "A", "expr": "up == 0", "annotations": {"summary": summary},
            "labels": {"level": summary}}  # fmt: skip
    broken = "%!d(float64=0.5)"
    sent = notification("firing", 30.0, alert="A", level=broken, job="%!d(float64=1)")
    sent = type(sent)(**{name: getattr(sent, name) for name in sent.__dataclass_fields__}
                      | {"annotations": (("summary", broken),)})  # fmt: skip
    first, second = text_findings(rules(tmp_path, rule), [*notified_texts([sent, sent])])
    said = f"is sent as '{broken}': mend the template"
    assert first.endswith(f"alert A: its annotation summary {said}")
    assert second.endswith(f"alert A: its label level {said}")
    assert "rules.yaml:1:" in first


def test_a_long_text_is_cut(tmp_path):
    """The engine repeats whole templates."""
    rule = {"alert": "A", "expr": "up == 0", "annotations": {"summary": "{{ humanize 1 }}"}}
    text = "<error expanding template: " + "x" * 1000
    (finding,) = text_findings(
        rules(tmp_path, rule), [AlertText("A", "annotation", "summary", text)]
    )
    assert len(finding) < 600


def test_the_first_broken_text_of_each_annotation_and_label_is_shown(tmp_path):
    """Up to 300 characters of it; only of what is a template of that very alert."""
    templates = {"a": "{{ x }}", "b": "{{ x }}", "plain": "text"}
    rule = {"alert": "A", "expr": "up == 0", "annotations": templates, "labels": {"a": "{{ x }}"}}
    other = {"alert": "B", "expr": "up == 0", "annotations": {"a": "{{ x }}"}}
    cut = "%!d(string=" + "x" * 290
    texts = [
        AlertText("A", "annotation", "a", "whole"),
        AlertText("A", "annotation", "a", "first %!(NOVERB)"),
        AlertText("A", "annotation", "a", "second %!(NOVERB)"),
        AlertText("A", "annotation", "plain", "%!(NOVERB)"),
        AlertText("A", "annotation", "b", cut[:300]),
        AlertText("A", "label", "a", cut),
        AlertText("B", "label", "a", "%!(NOVERB)"),
        AlertText("C", "annotation", "a", "%!(NOVERB)"),
    ]
    said = text_findings(rules(tmp_path, rule, other), texts)
    assert [each.partition(": alert ")[2].removesuffix(": mend the template") for each in said] == [
        "A: its annotation a is sent as 'first %!(NOVERB)'",
        f"A: its annotation b is sent as {cut[:300]!r}",
        f"A: its label a is sent as {cut[:300] + '...'!r}",
    ]
