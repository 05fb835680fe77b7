"""Annotations of alerts that fired in virtual time, by the engine's own template language."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, rules
from tests.verifier.simulations import scenario_of, verify
from verifier.alert_texts import fired_texts as module
from verifier.alert_texts.fired_texts import fired_texts
from verifier.evaluation.engine import evaluate
from verifier.evaluation.timeline import Episode, Timeline
from verifier.servers.prometheus import Prometheus, QueryError, Series

FAILURES = """\
duration: 4m
load: {rate: 1000}
faults:
  - {name: failures, fault: task_failure, start: 30s, duration: 3m, parameters: {share: 0.3}}
"""
BROKEN = {
    "alert": "Failures",
    "expr": 'sum by (status) (rate(http_requests_total{status="500"}[2m])) > 1',
    "annotations": {
        "summary": '{{ printf "%d" $value }} {{ $labels.nope }}',
        "description": '{{ "abc" | humanize }}',
        "runbook": "https://example.org/{{ $labels.status }}",
    },
}


def test_a_broken_annotation_of_an_alert_that_fired_is_a_finding(tmp_path):
    """It names alert, annotation and text; those that can be read are not mentioned."""
    outcome = verify(scenario_of(FAILURES), rules(tmp_path, BROKEN))
    assert any(alert.firing_s is not None for alert in outcome.alerts)
    said = [finding for finding in outcome.findings if "mend the template" in finding]
    description, summary = sorted(said)
    assert "alert Failures: its annotation description is sent as '<error expanding" in description
    assert "alert Failures: its annotation summary is sent as '%!d(float64=" in summary


def texts_of(tmp_path, *annotations, labels_of=None):
    """Return the texts of a rule with annotations a, b, ... on two series, of which one fires."""
    rule = {"alert": "A", "expr": "x > 1", "labels": labels_of or {},
            "annotations": dict(zip("abc", annotations, strict=False))}  # fmt: skip
    written = rules(tmp_path, rule)
    with Prometheus() as server:
        server.push(history({labels("x", job="up"): [2.5] * 9, labels("x", job="low"): [0.5] * 9}))
        timelines = evaluate(server, written, start_s=0, end_s=120).timelines
        return [
            (each.kind, each.name, each.text)
            for each in fired_texts(server, written, timelines, EPOCH_S)
        ]


def test_series_and_value_are_those_that_fired(tmp_path):
    """And labels are read too, as the timeline has them."""
    answers = texts_of(
        tmp_path, '{{ printf "%s %v" $labels.job $value }}', labels_of={"level": "{{ $value }}"}
    )
    assert answers == [
        ("label", "job", "up"),
        ("label", "level", "2.5"),
        ("annotation", "a", "up 2.5"),
    ]


@pytest.mark.parametrize(
    "sure",
    [
        "text",
        "{{ $labels.job }} at {{ $value }}",
        "{{ $value | humanizePercentage }}",
        '{{ printf "%.1f" $value }} %',
        '{{- printf "about %5.2f%% of it" $value -}}',
        '{{ first (query "nosuch") | value }}',
    ],
)
def test_what_cannot_fail_starts_no_server(tmp_path, monkeypatch, sure):
    """Nor does what depends on the data of another server, whose text cannot be known."""
    asked = []
    monkeypatch.setattr(module, "expand_templates", lambda requests: asked.extend(requests) or [])
    texts_of(tmp_path, sure)
    assert asked == []


@pytest.mark.parametrize(
    "unsure",
    [
        '{{ printf "%d" $value }}',
        '{{ printf "%.1f %s" $value }}',
        "{{ $labels.job | humanize }}",
        "{{ with $value }}{{ . }}{{ end }}",
        '{{ printf "%.1f" $labels.job }}',
    ],
)
def test_what_may_fail_is_left_to_the_engine(tmp_path, monkeypatch, unsure):
    """Whatever it looks like."""
    asked = []
    monkeypatch.setattr(module, "expand_templates", lambda requests: asked.extend(requests) or [
        () for _ in requests])  # fmt: skip
    texts_of(tmp_path, unsure)
    assert [request.templates for request in asked] == [(("a", unsure),)]


class InstantAnswers:
    """Answers at an instant with what is set up for it, and notes when it is asked."""

    def __init__(self, answers):
        """Have these series, each with its last value, by the second."""
        self.answers, self.asked = answers, []

    def query(self, expr, at_s):
        """Answer, or refuse."""
        second = at_s - EPOCH_S
        self.asked.append((expr, second))
        answer = self.answers.get(second, [])
        if isinstance(answer, str):
            raise QueryError(answer)
        return [
            Series(own, np.array([0.0, at_s]), np.array([-1.0, value])) for own, value in answer
        ]


def fired_at(*seconds, **own):
    """Return the timeline of alert A that was pending before, and fired at each of these."""
    pending = Episode(1.0, None, 2.0)
    episodes = (pending, *(Episode(at - 5.0, at, at + 5.0) for at in seconds))
    return Timeline("A", tuple(sorted(own.items())), episodes)


def requests_of(tmp_path, monkeypatch, server, *timelines, offset_s=0.0):
    """Return which templates are expanded: labels of the series and value."""
    requests = []
    monkeypatch.setattr(
        module, "expand_templates", lambda some: [(requests.append(each), ())[1] for each in some]
    )
    rule = {"alert": "A", "expr": "x > 1", "labels": {"severity": "page", "job": "all"},
            "annotations": {"a": '{{ printf "%d" $value }}', "b": "{{ query 5 }}"}}  # fmt: skip
    written = rules(tmp_path, rule)
    (group,) = written.groups
    moved = replace(written, groups=(replace(group, query_offset_s=offset_s),))
    list(fired_texts(server, moved, timelines, EPOCH_S))
    assert all([name for name, _ in each.templates] == ["a"] for each in requests)
    return [(dict(each.series), each.value) for each in requests]


def test_a_template_is_expanded_for_the_series_that_fired_at_the_instant_of_its_query(
    tmp_path, monkeypatch
):
    """When it first fired; by labels, but for those that the rule sets itself, and its name."""
    first, second = {"__name__": "x", "host": "1", "job": "a"}, {"__name__": "x", "host": "2"}
    server = InstantAnswers(
        {30.0: [(first, 5.0), (second, 6.0)], 60.0: "refused", 90.0: [(second, 7.0)]}
    )
    lines = [
        fired_at(40.0, 200.0, host="1", job="all", severity="page"),
        fired_at(70.0, host="3", job="all", severity="page"),
        fired_at(100.0, host="2", job="all", severity="page"),
    ]
    asked = requests_of(tmp_path, monkeypatch, server, *lines, offset_s=10.0)
    assert asked == [(first, 5.0), (second, 7.0)]
    assert server.asked == [("x > 1", 30.0), ("x > 1", 60.0), ("x > 1", 90.0)]


def test_several_alerts_of_one_instant_are_asked_for_once_and_twenty_at_most(tmp_path, monkeypatch):
    """Whoever fires first."""
    series = [{"__name__": "x", "host": f"{number:02}"} for number in range(30)]
    server = InstantAnswers({50.0: [(each, 1.0) for each in series]})
    lines = [
        fired_at(50.0, host=each["host"], job="all", severity="page") for each in reversed(series)
    ]
    asked = requests_of(tmp_path, monkeypatch, server, *lines)
    assert [own["host"] for own, _ in asked] == [f"{number:02}" for number in range(20)]
    assert server.asked == [("x > 1", 50.0)]
    assert requests_of(tmp_path, monkeypatch, server, fired_at()) == []
