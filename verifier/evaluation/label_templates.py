"""Expands label templates by the real template language: the engine's own, in a throwaway server.

Called with many templates at once, each with the series and the value that it is expanded for. The
server gets a rule for each that has exactly this series and value as its result, and shows what
became of its labels; a template that fails at run time becomes the engine's own words about it, as
it does in a real alert. It knows no alert's state and no history.
"""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.files import write_whole
from verifier.errors import JudgeError
from verifier.pack.rule_writer import as_yaml
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.labels import Labels

GROUP_RULES: Final = 100
"""Rules of a group run one after another, groups beside each other."""
INTERVAL: Final = "200ms"
POLL_S: Final = 0.02
EVALUATED_WITHIN_S: Final = 60.0
"""A thousand rules take a second."""

_ACTION: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TEXT: Final = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`')
_OUTSIDE: Final = re.compile(r"(?<![.$\w])(?:query|now)(?!\w)")
"""Functions that ask the server's own data or clock."""


@dataclass(frozen=True, slots=True)
class TemplateRequest:
    """The label templates of an alert, to be expanded for a series (its name included)."""

    alert: str
    templates: Labels
    series: Labels
    value: float

    @property
    def key(self) -> tuple[str, Labels, Labels, str]:
        """What makes two requests the same; two values that are no number are."""
        return self.alert, self.templates, self.series, repr(self.value)


def asks_outside(template: str) -> bool:
    """Return whether a template asks the server that expands it for data, or for the time.

    Then its text depends on more than series and value, and cannot be had from another server.
    """
    actions = (_TEXT.sub('""', action) for action in _ACTION.findall(template))
    return any(_OUTSIDE.search(action) for action in actions)


def expand_templates(requests: Sequence[TemplateRequest]) -> list[Labels]:
    """Return the labels that each request's templates become, empty where they become nothing.

    One server for all of them. Raises JudgeError when it cannot be started, or gives no answer.
    """
    distinct = list({request.key: request for request in requests}.values())
    if not distinct:
        return []
    with Prometheus() as server:
        path = server.directory / "templates.json"
        write_whole(path, as_yaml({"groups": list(_groups(distinct))}))
        server.configure(json.dumps({"rule_files": [str(path)]}))
        alerts = _evaluated(server)
    answers = {
        request.key: tuple((name, labels.get(name, "")) for name, _ in request.templates)
        for request, labels in zip(distinct, alerts, strict=True)
    }
    return [answers[request.key] for request in requests]


def _groups(requests: Sequence[TemplateRequest]) -> Iterator[dict[str, object]]:
    for first in range(0, len(requests), GROUP_RULES):
        rules = [
            {"alert": r.alert, "expr": _sample(r.series, r.value), "labels": dict(r.templates)}
            for r in requests[first : first + GROUP_RULES]
        ]
        # The server lists groups by their names.
        yield {"name": f"{first:09}", "interval": INTERVAL, "rules": rules}


def _sample(series: Labels, value: float) -> str:
    """Return an expression whose result is one series with exactly these labels and this value."""
    number = repr(value) if math.isfinite(value) else f"{value:+}".replace("inf", "Inf")
    expr = f"vector({'NaN' if math.isnan(value) else number})"
    for name, text in series:
        quoted = json.dumps(text.replace("$", "$$"), ensure_ascii=False)
        expr = f'label_replace({expr}, {json.dumps(name)}, {quoted}, "", "")'
    return expr


def _evaluated(server: Prometheus) -> list[dict[str, str]]:
    """Return the labels of the one alert of each rule, in their order, once all were evaluated."""
    deadline = time.monotonic() + EVALUATED_WITHIN_S
    while time.monotonic() < deadline:
        rules = server.alerting_rules()
        failed = next((rule.failure for rule in rules if rule.failure), "")
        if failed:
            raise JudgeError(f"label templates cannot be expanded: {failed}")
        if all(rule.alerts for rule in rules):
            return [rule.alerts[0] for rule in rules]
        time.sleep(POLL_S)
    raise server.failure("label templates are not expanded in time")
