"""What the annotations of alerts that fired say, by the template language of the real engine.

Called by the judge of virtual time, where no server evaluates rules on its own and none notifies
anybody: each alert that fired is asked for its series and value at the evaluation at which it did,
and its annotations are expanded for these in a throwaway server. A template that asks a server for
data, or for the time, is left out: its text depends on what that server has stored.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from verifier.alert_texts.text_mistakes import named_texts
from verifier.evaluation.label_templates import TemplateRequest, asks_outside, expand_templates
from verifier.servers.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from verifier.alert_texts.text_mistakes import AlertText
    from verifier.evaluation.timeline import Timeline
    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup
    from verifier.servers.prometheus import Prometheus

ALERTS_MAX: Final = 20
"""Alerts of a rule whose texts are read: a mistake in a template is in nearly all of them."""
_SURE: Final = re.compile(
    r"\{\{-?\s*(?:\$labels\.[a-zA-Z_]\w*|\$value(?:\s*\|\s*humanize(?:1024|Duration|Percentage)?)?"
    r"|printf\s+\"[^\"%\\]*%[-+ 0]*\d*(?:\.\d+)?[efgEFGv](?:[^\"%\\]|%%)*\"\s+\$value)\s*-?\}\}"
)
"""Actions that cannot fail, whatever series and value are: most rules have no others, and no server
need be started for them."""


def fired_texts(
    server: Prometheus, rules: RuleFiles, timelines: Sequence[Timeline], epoch_s: float
) -> Iterator[AlertText]:
    """Yield the labels of alerts that fired, and what those annotations became that may fail.

    `server` is the one that evaluated, `epoch_s` the Unix time of second 0 of the timelines. Raises
    JudgeError when the templates cannot be expanded.
    """
    fired: dict[str, list[tuple[float, Labels]]] = defaultdict(list)
    for line in timelines:
        firing_s = next((e.firing_s for e in line.episodes if e.firing_s is not None), None)
        if firing_s is not None:
            fired[line.alert].append((firing_s, line.labels))
            yield from named_texts(line.alert, "label", line.labels)
    requests = [
        request
        for group, rule in rules.alerts
        if (templates := _unsure(rule)) and rule.alert in fired
        for request in _requests(
            server, rule, templates, _instants(group, fired[rule.alert], epoch_s)
        )
    ]
    for request, texts in zip(requests, expand_templates(requests), strict=True):
        yield from named_texts(request.alert, "annotation", texts)


def _unsure(rule: AlertRule) -> Labels:
    """Return the annotations of a rule that may fail, and depend on series and value alone."""
    return tuple(
        (name, text)
        for name, text in rule.annotations
        if "{{" in _SURE.sub("", text) and not asks_outside(text)
    )


def _instants(
    group: RuleGroup, fired: Sequence[tuple[float, Labels]], epoch_s: float
) -> dict[float, list[Labels]]:
    """Return for which instants a rule's query is asked, Unix time, and which alerts fired then."""
    instants: dict[float, list[Labels]] = defaultdict(list)
    for firing_s, labels in sorted(fired)[:ALERTS_MAX]:
        instants[epoch_s + firing_s - group.query_offset_s].append(labels)
    return instants


def _requests(
    server: Prometheus,
    rule: AlertRule,
    templates: Labels,
    instants: Mapping[float, Sequence[Labels]],
) -> Iterator[TemplateRequest]:
    """Yield what to expand: the series that made the rule's alerts fire, each with its value."""
    own = {"__name__", *(name for name, _ in rule.labels)}
    for at_s, alerts in instants.items():
        try:
            answer = server.query(rule.expr, at_s)
        except QueryError:
            continue  # it is said elsewhere that its evaluations fail
        for series in answer:
            if any(_is_of(series.labels, dict(labels), own) for labels in alerts):
                labels = tuple(sorted(series.labels.items()))
                yield TemplateRequest(rule.alert, templates, labels, float(series.values[-1]))


def _is_of(series: Mapping[str, str], alert: Mapping[str, str], own: Collection[str]) -> bool:
    """Whether an alert may be of a series: all labels are the same but for the rule's own."""
    return all(name in own or alert.get(name, "") == text for name, text in series.items())
