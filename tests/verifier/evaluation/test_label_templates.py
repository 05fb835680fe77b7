"""Label templates: what the engine makes of them, and what we do without asking it."""

from __future__ import annotations

import math

import pytest

from verifier.errors import JudgeError
from verifier.evaluation import label_templates
from verifier.evaluation.label_templates import TemplateRequest, asks_outside, expand_templates

SERIES = (("__name__", "up"), ("job", "a"), ("pool", 'B"$1\\ü\n'))


def request(*templates, value=0.25, series=SERIES, alert="A"):
    """Return a request for labels named a, b, ..."""
    named = tuple(zip("abcdefgh", templates, strict=False))
    return TemplateRequest(alert, named, series, value)


def test_templates_become_what_the_real_language_makes_of_them():
    """Functions, branches, variables, trimming, the name of the series, what is missing."""
    grade = "{{ if lt $value 0.1 }}critical{{ else }}warning{{ end }}"
    answers = expand_templates(
        [
            request(grade, "{{ $labels.job | toUpper }}", "{{- $value | humanizePercentage -}}"),
            request(grade, value=0.05),
            request(
                "{{ .Labels.__name__ }}", "{{ $labels.nope }}", "x{{/* no */}}y", "{{ .Value }}"
            ),
            request(
                "{{ $labels.pool }}",
                "plain $1 text",
                "{{ range $k, $v := $labels }}{{ $k }} {{ end }}",
            ),
            request(
                '{{ printf "%.1f%%" (humanize1024 2048 | len | printf "%d" | parseDuration) }}'
            ),
        ]
    )
    assert answers[:4] == [
        (("a", "warning"), ("b", "A"), ("c", "25%")),
        (("a", "critical"),),
        (("a", "up"), ("b", ""), ("c", "xy"), ("d", "0.25")),
        (("a", 'B"$1\\ü\n'), ("b", "plain $1 text"), ("c", "__name__ job pool ")),
    ]
    ((_, words),) = answers[4]
    assert words.startswith("<error expanding template: error executing template __alert_A:")


@pytest.mark.parametrize("value", [0.0, -0.0, 1e21, 1e-7, math.inf, -math.inf, math.nan, 1 / 3])
def test_a_value_reaches_the_template_as_it_is(value):
    """Every float, and what is none."""
    ((_, text),) = expand_templates([request("{{ $value }}", value=value)])[0]
    assert repr(float(text)) == repr(value)


def test_a_thousand_requests_take_one_server(monkeypatch):
    """Each gets its own answer, in order, and those that are alike are asked once."""
    started = []
    server = label_templates.Prometheus
    monkeypatch.setattr(label_templates, "Prometheus", lambda: started.append(1) or server())
    requests = [request("{{ $value | humanize }}", "{{ $labels.n }}", value=float(i % 500),
                        series=(("n", str(i % 500)),)) for i in range(1000)]  # fmt: skip
    answers = expand_templates(requests)
    assert [dict(answer)["b"] for answer in answers] == [str(i % 500) for i in range(1000)]
    assert len(started) == 1
    assert expand_templates([]) == []


def test_answers_keep_the_order_of_their_requests_in_many_groups(monkeypatch):
    """A server lists groups as their names are sorted, where ten comes before two."""
    monkeypatch.setattr(label_templates, "GROUP_RULES", 1)
    requests = [request("{{ $value }}", value=float(number)) for number in range(12)]
    assert [labels[0][1] for labels in expand_templates(requests)] == [str(n) for n in range(12)]


def test_a_server_that_does_not_evaluate_is_no_answer(monkeypatch):
    """It is said, and nothing is guessed."""
    monkeypatch.setattr(label_templates, "EVALUATED_WITHIN_S", -1.0)
    with pytest.raises(JudgeError, match="label templates are not expanded in time"):
        expand_templates([request("{{ $value }}")])


@pytest.mark.parametrize(
    ("template", "asks"),
    [
        ("{{ with query `up` }}{{ . | first | value }}{{ end }}", True),
        ('{{ "up" | query | len }}', True),
        ("{{ now }}", True),
        ("{{ $labels.query }}{{ .Labels.now }}", False),
        ("{{ $query := 1 }}{{ $query }}", False),
        ('query {{ printf "query" }} now {{ `now` }}', False),
        ("plain", False),
    ],
)
def test_a_template_that_asks_for_data_or_the_time_is_known(template, asks):
    """Another server could not answer for the one that evaluates."""
    assert asks_outside(template) == asks
