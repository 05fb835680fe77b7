"""The first table of the report: alerts by scenarios, what each did, in a word and a sign.

Called by `page`. It is plain HTML: nothing has to run for it to be read.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from verifier.report.alert_states import WORST_FIRST, alert_states
from verifier.report.html.writing import anchor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.report.alert_states import State

SIGNS: Final[dict[State, str]] = {
    "failed": "✗",
    "vacuous": "?",
    "resolved": "✓",
    "fired": "●",
    "explained": "○",
    "pending": "·",
    "could not fire": "∅",
    "need not fire": "",
    "silent": "",
    "not judged": "-",
}
"""What stands in a cell for each thing that an alert may have done."""
MEANINGS: Final[dict[State, str]] = {
    "vacuous": "vacuous: could not have fired",
    "explained": "fired, as explained",
    "could not fire": "could not have fired, and need not",
    "need not fire": "did not fire, and need not",
}
"""What a state is called where its name alone says too little."""


def matrix(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return the table, a row for each alert and a column for each scenario."""
    did = [alert_states(outcome) for outcome in outcomes]
    alerts = list(dict.fromkeys(name for states in did for name in states))
    # What did something somewhere stands first.
    alerts.sort(key=lambda name: all(states.get(name, "silent") == "silent" for states in did))
    head = "".join(_column_head(outcome) for outcome in outcomes)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            _cell(outcome, name, states.get(name, "not judged"))
            for outcome, states in zip(outcomes, did, strict=True)
        )
        + "</tr>\n"
        for name in alerts
    )
    longest = max((len(outcome.name) for outcome in outcomes), default=0)
    return (
        f'<section class="matrix" style="--longest: {longest}; --scenarios: {len(outcomes)}">'
        f"<h2>Alerts and scenarios</h2>{_words(did, alerts)}"
        '<div class="scroll" tabindex="0" role="region" aria-label="Alerts by scenarios"><table>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>\n{rows}</tbody></table></div></section>\n"
    )


def _words(did: Sequence[Mapping[str, State]], alerts: Sequence[str]) -> str:
    """Return what the signs mean, of those that are there."""
    there = {states.get(name, "not judged") for states in did for name in alerts}
    words = " ".join(
        f'<span class="did {_style(state)}">{SIGNS[state] or "&nbsp;"}</span>'
        f" {MEANINGS.get(state, state)}"
        for state in WORST_FIRST
        if state in there
    )
    return f'<p class="words">{words}</p>'


def _style(state: State) -> str:
    return state.replace(" ", "-")


def _column_head(outcome: ScenarioOutcome) -> str:
    return (
        f'<th scope="col" class="{outcome.verdict}"><a href="#{anchor(outcome.name)}">'
        f"<span>{escape(outcome.name)}</span></a></th>"
    )


def _cell(outcome: ScenarioOutcome, alert: str, state: State) -> str:
    sign, word = SIGNS[state], MEANINGS.get(state, state)
    label = escape(f"{alert}, {outcome.name}: {word}")
    opening = f'<td class="did {_style(state)}"'
    if not sign:
        return f'{opening} title="{label}"><span class="sr">{word}</span></td>'
    # One stop of the keyboard for each scenario is enough: the head of its column.
    return (
        f'{opening}><a tabindex="-1" href="#{anchor(outcome.name)}"'
        f' title="{label}"><span aria-hidden="true">{sign}</span>'
        f'<span class="sr">{word}</span></a></td>'
    )
