"""Texts of alerts that the template language broke: annotations and labels, as they are sent.

Called by the judges of both clocks: in real time with what a receiver was notified of, in virtual
time with what the engine makes of the templates of an alert that fired. A text is broken when it
holds the engine's own words about a template that failed, or Go's about a verb that does not fit
its value. They are findings, and change no verdict. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from verifier.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from verifier.labels import Labels
    from verifier.pack.rules import AlertRule, RuleFiles
    from verifier.servers.ledger import Notification

Kind: TypeAlias = Literal["annotation", "label"]

TEXT_MAX: Final = 300
"""Characters of a broken text that are shown."""
_BROKEN: Final = re.compile(
    r"<error expanding template"
    r"|%!\(EXTRA |%!\(NOVERB\)|%!\(BAD(?:WIDTH|PREC|INDEX)\)"
    r"|%!\S\((?:MISSING\)|BADINDEX\)|PANIC=|<nil>\)|[\w.*\[\]{}]+=)"
)
"""The engine's words, and those of Go's package fmt (see its section on format errors)."""


@dataclass(frozen=True, slots=True)
class AlertText:
    """A text of an alert that fired: which of its annotations or labels, and what it became."""

    alert: str
    kind: Kind
    name: str
    text: str


def is_broken(text: str) -> bool:
    """Return whether a text holds what the template language says when it fails."""
    return _BROKEN.search(text) is not None


def notified_texts(notifications: Iterable[Notification]) -> Iterator[AlertText]:
    """Yield the annotations and labels that a receiver was sent."""
    for each in notifications:
        alert = dict(each.labels).get("alertname", "")
        yield from named_texts(alert, "annotation", each.annotations)
        yield from named_texts(alert, "label", each.labels)


def named_texts(alert: str, kind: Kind, texts: Labels) -> Iterator[AlertText]:
    """Yield each of an alert's annotations, or of its labels."""
    return (AlertText(alert, kind, name, text) for name, text in texts)


def text_findings(rules: RuleFiles, texts: Iterable[AlertText]) -> tuple[str, ...]:
    """Return a finding for each annotation and label of `rules` that is broken in `texts`.

    The first broken text of each is shown; that a series brings such a text is no mistake of a
    rule, so that only what is a template there counts.
    """
    firsts: dict[tuple[str, Kind, str], AlertText] = {}
    for each in texts:
        if is_broken(each.text):
            firsts.setdefault((each.alert, each.kind, each.name), each)
    findings = (_finding(rules, each) for each in firsts.values())
    return tuple(str(finding) for finding in findings if finding is not None)


def _finding(rules: RuleFiles, broken: AlertText) -> Finding | None:
    for _, rule in rules.alerts:
        if rule.alert == broken.alert and "{{" in dict(_texts(rule, broken.kind)).get(
            broken.name, ""
        ):
            text = broken.text
            shown = text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
            message = (
                f"alert {broken.alert}: its {broken.kind} {broken.name} is sent as {shown!r}:"
                " mend the template"
            )
            return Finding(rule.position, message)
    return None


def _texts(rule: AlertRule, kind: Kind) -> Labels:
    return rule.annotations if kind == "annotation" else rule.labels
