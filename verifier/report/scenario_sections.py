"""A scenario in the report: its verdict, its alerts in a table, a place for its chart.

Called by `page`. It is plain HTML: nothing has to run for it to be read.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from documents.durations import format_duration
from verifier.report.wording import time_cell, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import AlertVerdict, ScenarioOutcome

_NO_ANCHOR = re.compile(r"[^A-Za-z0-9_-]")


def anchor(outcome: ScenarioOutcome) -> str:
    """Return the name of a scenario's place in the page: letters, digits, `-` and `_` alone."""
    plain = _NO_ANCHOR.sub(lambda match: f"_{ord(match[0]):x}_", outcome.name)
    return f"scenario-{plain}"


def sentences(reason: str) -> str:
    """Return a reason as HTML, each of its sentences on a line of its own."""
    return "<br>".join(escape(part) for part in reason.split("; "))


def section(outcome: ScenarioOutcome) -> str:
    """Return the part on one scenario."""
    name = anchor(outcome)
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in outcome.invalid)
    notes = "".join(f"<li>{escape(note)}</li>" for note in outcome.notes)
    return (
        f'<section class="scenario" id="{name}" tabindex="-1">'
        f"<h2>{escape(outcome.name)} "
        f'<span class="verdict {outcome.verdict}">{outcome.verdict}</span>'
        f" <small>{format_duration(round(outcome.duration_s))}, seed {outcome.seed}</small></h2>\n"
        + (f'<ul class="reasons">{reasons}</ul>\n' if reasons else "")
        + (f'<ul class="notes">{notes}</ul>\n' if notes else "")
        + _alerts(outcome)
        + (f'<div class="drawing" data-chart="chart-{name}"></div>\n' if outcome.chart else "")
        + '<p class="back"><a href="#main">Back to the table</a></p></section>\n'
    )


def _alerts(outcome: ScenarioOutcome) -> str:
    """Return the alerts that had to fire, fired or failed, as a table; the others in a line."""
    reported = [
        a for a in outcome.alerts if a.expected == "fires" or a.firing_s is not None or not a.ok
    ]
    silent = len({a.alert for a in outcome.alerts} - {a.alert for a in reported})
    rest = f"<p>{silent} alerts stayed silent, as expected.</p>\n" if silent else ""
    if not reported:
        return rest
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Alert", "Expected", "Pending", "Fired", "Resolved", "Result")
    )
    rows = "".join(_row(alert, reported) for alert in reported)
    return (
        '<div class="scroll" tabindex="0" role="region" aria-label="Alerts"><table class="alerts">'
        f"<thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table></div>\n{rest}"
    )


def _row(alert: AlertVerdict, reported: Sequence[AlertVerdict]) -> str:
    siblings = [other for other in reported if other.alert == alert.alert]
    labels = ", ".join(f'{name}="{text}"' for name, text in alert.labels)
    times = (
        time_cell(alert.pending_s),
        time_cell(alert.firing_s, alert.fires_within_s),
        time_cell(alert.resolved_s, alert.resolved_limit_s),
    )
    cells = "".join(f"<td>{escape(str(time))}</td>" for time in times)
    return (
        f'<tr class="{"ok" if alert.ok else "failed"}"><th scope="row" title="{escape(labels)}">'
        f"{escape(str(title(alert, siblings)))}</th>"
        f"<td>{alert.expected}</td>{cells}"
        f"<td>{'✓' if alert.ok else '✗'} {sentences(alert.reason)}</td></tr>\n"
    )
