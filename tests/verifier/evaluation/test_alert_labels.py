"""The labels of alerts: what is filled in here is what the engine would have made of it."""

from __future__ import annotations

import math

import pytest

from documents.mistakes import Place
from verifier.evaluation import alert_labels
from verifier.evaluation.alert_labels import AlertLabels, is_plain
from verifier.evaluation.label_templates import TemplateRequest, expand_templates
from verifier.pack.rules import AlertRule

PLAIN = (
    *("text", "", "{{ $value }}", "{{.Value}}", "{{ $labels.job }}", "{{.Labels.pool}} of 5"),
    *(
        "}} a",
        "{{ $labels.nope }}",
        "{{ $labels.__name__ }}/{{$value}}",
        "$value",
        "{{\t$value }}%",
    ),
)
NOT_PLAIN = (
    *("{{- $value }}", "{{ $value | humanize }}", '{{ "{{" }}', "{{ if $value }}{{ end }}"),
    *("{{ $labels }}", "{{/* x */}}", "{{ printf `%v` $value }}", "{{ $value.x }}"),
)
VALUES = (
    *(0.0, -0.0, 1.0, 100000.0, 1e6, 123456789.0, 1e20, 1e21, 1e-4, 1e-5, 0.1, 1 / 3, -2.5e-7),
    *(math.inf, -math.inf, math.nan, 5e-324, 1.7976931348623157e308, 2.0**53),
)
SERIES = {"__name__": "up", "job": "a b", "pool": 'B"\\$1', "instance": "x"}


def rule(*texts):
    """Return a rule with these labels, named a, b, ..., beside one that overrides a series' own."""
    labels = tuple((chr(97 + index), text) for index, text in enumerate(texts))
    return AlertRule("A", "up", 0, 0, (*labels, ("instance", "")), (), Place("r.yaml", 1, 1))


def test_plain_templates_are_filled_in_as_the_engine_does():
    """Every float as Go writes it; a label that is missing or empty is none."""
    alert = rule(*PLAIN)
    assert all(map(is_plain, PLAIN))
    ours = AlertLabels(alert).expand([(SERIES, value) for value in VALUES])
    series = tuple(sorted(SERIES.items()))
    theirs = expand_templates(
        [TemplateRequest("A", alert.labels, series, value) for value in VALUES]
    )
    kept = {"job": SERIES["job"], "pool": SERIES["pool"]}
    for labels, own in zip(ours, theirs, strict=True):
        assert dict(labels) == {n: text for n, text in (kept | dict(own)).items() if text}


@pytest.mark.parametrize("template", NOT_PLAIN)
def test_any_other_template_is_left_to_the_engine(template):
    """What looks plain and is not would be filled in wrongly."""
    assert not is_plain(template)


def test_all_samples_of_a_rule_are_expanded_at_once(monkeypatch):
    """And remembered: an evaluation after another starts no engine."""
    asked = []
    monkeypatch.setattr(
        alert_labels,
        "expand_templates",
        lambda requests: asked.append(len(requests)) or [(("a", str(r.value)),) for r in requests],
    )
    labels = AlertLabels(rule("{{ $value | humanize }}"))
    samples = [(SERIES, float(value)) for value in (1, 2, 1, 2, 3)]
    labels.prepare(samples)
    assert [dict(each)["a"] for each in labels.expand(samples)] == [
        "1.0",
        "2.0",
        "1.0",
        "2.0",
        "3.0",
    ]
    assert [number for number in asked if number] == [3]


@pytest.mark.parametrize("template", ["{{ $value }}", "{{ .Value }}"])
def test_a_label_that_shows_the_value_changes_with_it(template):
    """In both ways to write it."""
    labels = AlertLabels(rule(template))
    assert [dict(each)["a"] for each in labels.expand([(SERIES, 1.0), (SERIES, 2.0)])] == ["1", "2"]


def test_the_name_of_an_alert_is_no_label_of_its_series():
    """A series that is an alert itself, such as ALERTS, gives its own name away."""
    (labels,) = AlertLabels(rule("x")).expand([({**SERIES, "alertname": "Other"}, 1.0)])
    assert "alertname" not in dict(labels)


def test_what_was_expanded_is_forgotten_only_when_it_is_much(monkeypatch):
    """A stream may never end, and a short one is asked once."""
    monkeypatch.setattr(alert_labels, "KNOWN_MAX", 2)
    labels = AlertLabels(rule("{{ $value }}"))
    for values, known in (((1.0, 2.0), 2), ((3.0,), 0)):
        labels.prepare([(SERIES, value) for value in values])
        labels.forget()
        assert len(labels._known) == known


def test_a_template_that_may_read_the_value_unseen_is_expanded_for_each(monkeypatch):
    """Its text does not name it: `.` holds labels and value."""
    asked = []

    def expand(requests):
        asked.append([request.value for request in requests])
        return [(("a", f"{request.value:g}"),) for request in requests]

    monkeypatch.setattr(alert_labels, "expand_templates", expand)
    alert = AlertRule("A", "up", 0, 0, (("a", "{{ printf `%v` . }}"),), (), Place("r.yaml", 1, 1))
    expanded = AlertLabels(alert).expand([({}, 1.0), ({}, 2.0), ({}, 1.0)])
    assert expanded == [(("a", "1"),), (("a", "2"),), (("a", "1"),)]
    assert asked == [[1.0, 2.0]]
