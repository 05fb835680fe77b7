"""Annotations of alerts that fired in virtual time, by the engine's own template language."""

from __future__ import annotations

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, rules
from tests.verifier.simulations import scenario_of, verify
from verifier.alert_texts import fired_texts as module
from verifier.alert_texts.fired_texts import fired_texts
from verifier.evaluation.engine import evaluate
from verifier.servers.prometheus import Prometheus

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
