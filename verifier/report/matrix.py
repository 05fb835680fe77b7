"""The first table of the report: alerts by scenarios, what each did, in a word and a sign.

Called by `page`. It is plain HTML: nothing has to run for it to be read.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from verifier.report.scenario_sections import anchor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

SIGNS: Final = {
    "failed": "✗",
    "vacuous": "?",
    "resolved": "✓",
    "fired": "●",
    "explained": "○",
    "pending": "·",
    "silent": "",
    "not judged": "",
}
"""What stands in a cell for each thing that an alert may have done, the worst first."""


def matrix(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return the table, a row for each alert and a column for each scenario."""
    alerts = list(dict.fromkeys(alert.alert for o in outcomes for alert in o.alerts))
    did = [_state_words(outcome) for outcome in outcomes]
    # What did something somewhere stands first.
    alerts.sort(key=lambda name: all(d.get(name, "silent") == "silent" for d in did))
    head = "".join(_column_head(outcome) for outcome in outcomes)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            _cell(outcome, name, words_.get(name, "not judged"))
            for outcome, words_ in zip(outcomes, did, strict=True)
        )
        + "</tr>\n"
        for name in alerts
    )
    words = " ".join(
        f'<span class="did {word.replace(" ", "-")}">{sign or "&nbsp;"}</span> {word}'
        for word, sign in SIGNS.items()
    )
    return (
        '<section class="matrix"><h2>Alerts and scenarios</h2>'
        f'<p class="words">{words}</p>'
        '<div class="scroll" tabindex="0" role="region" aria-label="Alerts by scenarios"><table>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>\n{rows}</tbody></table></div></section>\n"
    )


def state_word(alert: AlertVerdict) -> str:
    """Return what an alert did, one of the words of `SIGNS`."""
    if not alert.ok:
        return "vacuous" if alert.is_vacuous else "failed"
    if alert.firing_s is None:
        return "silent" if alert.pending_s is None else "pending"
    if alert.expected == "explained":
        return "explained"
    return "fired" if alert.resolved_s is None else "resolved"


def _state_words(outcome: ScenarioOutcome) -> dict[str, str]:
    """Return what each alert did, the first of `SIGNS` where its label sets differ."""
    words = list(SIGNS)
    did: dict[str, str] = {}
    for alert in outcome.alerts:
        known = did.get(alert.alert)
        word = state_word(alert)
        if known is None or words.index(word) < words.index(known):
            did[alert.alert] = word
    return did


def _column_head(outcome: ScenarioOutcome) -> str:
    return (
        f'<th scope="col" class="{outcome.verdict}"><a href="#{anchor(outcome)}">'
        f"<span>{escape(outcome.name)}</span></a></th>"
    )


def _cell(outcome: ScenarioOutcome, alert: str, word: str) -> str:
    style = word.replace(" ", "-")
    sign = SIGNS[word]
    label = f"{alert}, {outcome.name}: {word}"
    if not sign:
        return (
            f'<td class="did {style}" title="{escape(label)}"><span class="sr">{word}</span></td>'
        )
    # One stop of the keyboard for each scenario is enough: the head of its column.
    return (
        f'<td class="did {style}"><a tabindex="-1" href="#{anchor(outcome)}"'
        f' title="{escape(label)}"><span aria-hidden="true">{sign}</span>'
        f'<span class="sr">{word}</span></a></td>'
    )
