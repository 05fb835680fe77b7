"""What a person reads at the end: the table of alerts, what failed and why, the speed reached.

Called by the front door with the outcomes of a run; the same rows become a table for a terminal,
plain text for a pipe, and Markdown for `summary.md`. It judges nothing and leaves nothing out: a
verdict that is not ok is always told in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from documents.durations import format_duration
from verifier.judge.verdict import engine_of, overall
from verifier.report import real_time_text as live_report
from verifier.report.real_time_text import LiveRow, told
from verifier.report.wording import time_text, title

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from verifier.judge.verdict import AlertVerdict, Engine, ScenarioOutcome

PLAIN_WIDTH = 120
_STYLES = {"pass": "bold green", "fail": "bold red", "invalid": "bold yellow"}
_CAPTION = (
    "Pending and fired count from the cause's onset, resolved from its end; all of them from the"
    " scenario's start where there is no cause."
)
_HEAD = ("Alert", "Scenario", "Pending", "Fired", "Resolved", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One alert that had to fire, or that fired against expectation, as a person reads it.

    `pending` and `fired` count from the cause's onset, `resolved` from its end, `of` their bounds.
    """

    alert: str
    scenario: str
    pending: str
    fired: str
    resolved: str
    ok: bool
    reason: str

    @property
    def cells(self) -> tuple[str, ...]:
        """The row's text, column by column."""
        mark = "ok" if self.ok else "FAIL"
        return (self.alert, self.scenario, self.pending, self.fired, self.resolved, mark)


def print_report(console: Console, outcomes: Sequence[ScenarioOutcome], saved_in: str) -> None:
    """Print the whole report; plain text when `console` is no terminal."""
    if not console.is_terminal:
        console = Console(file=console.file, width=max(PLAIN_WIDTH, console.width), no_color=True)
    for part in _report(outcomes, saved_in):
        console.print(part, soft_wrap=isinstance(part, Text))


def rows(outcomes: Sequence[ScenarioOutcome]) -> list[Row]:
    """Return a row for every alert that had to fire or broke a rule, in the order of verdicts."""
    found = [_row(outcome, alert, name) for outcome, alert, name in _shown(outcomes)]
    return sorted(found, key=lambda row: row.alert)


def summary(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return the report as Markdown."""
    lines = [f"# Verdict: {overall(outcomes)}", "", f"{_engine_and_speed(outcomes)}", ""]
    if _is_live(outcomes):
        cells = [row.cells for row in _live_rows(outcomes)]
        lines += _markdown_table(live_report.HEAD, cells, live_report.caption(outcomes))
    else:
        head = (*_HEAD[:-1], "Holds")
        lines += _markdown_table(head, [row.cells for row in rows(outcomes)], _CAPTION)
    if compared := live_report.compared(outcomes):
        found = live_report.differences(outcomes)
        cells = [live_report.difference_cells(*one) for one in found]
        lines += ["## Two clocks", ""]
        lines += _markdown_table(live_report.DIFFERENCES_HEAD, cells, compared) or [compared, ""]
    for heading, items in _lists(outcomes):
        lines += [f"## {heading}", "", *(f"- {item}" for item in items), ""]
    return "\n".join(lines)


def _report(outcomes: Sequence[ScenarioOutcome], saved_in: str) -> list[Table | Text]:
    parts: list[Table | Text] = []
    if _is_live(outcomes):
        if live_rows := _live_rows(outcomes):
            parts += [live_report.live_table(live_rows), Text(live_report.caption(outcomes))]
    elif table_rows := rows(outcomes):
        parts += [_table(table_rows), Text(_CAPTION)]
    if compared := live_report.compared(outcomes):
        parts += [Text(), Text("Two clocks", style="bold"), Text(f"  {compared}")]
        if found := live_report.differences(outcomes):
            parts.append(live_report.difference_table(found))
    for heading, items in _lists(outcomes):
        parts += [Text(), Text(heading, style="bold"), *(Text(f"  {item}") for item in items)]
    verdict = overall(outcomes)
    held = sum(outcome.verdict == "pass" for outcome in outcomes)
    names = {alert.alert for outcome in outcomes for alert in outcome.alerts}
    provoked = {
        alert.alert
        for outcome in outcomes
        for alert in outcome.alerts
        if alert.expected == "fires" and alert.ok
    }
    count = (
        f"{held} of {len(outcomes)} scenarios hold,"
        f" {len(provoked)} of {len(names)} alerts fired as they should"
    )
    parts += [
        Text(),
        Text(_engine_and_speed(outcomes)),
        Text(f"Results: {saved_in}"),
        Text.assemble((verdict.upper(), _STYLES[verdict]), f": {count}"),
    ]
    return parts


def _table(table_rows: Sequence[Row]) -> Table:
    table = Table(*_HEAD, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in table_rows:
        table.add_row(*(Text(cell) for cell in row.cells), style="" if row.ok else "red")
    return table


def _is_live(outcomes: Sequence[ScenarioOutcome]) -> bool:
    return any(outcome.clock == "real" for outcome in outcomes)


def _shown(
    outcomes: Sequence[ScenarioOutcome],
) -> Iterator[tuple[ScenarioOutcome, AlertVerdict, str]]:
    """Yield every alert that had to fire or broke a rule, with its scenario and its title."""
    for outcome in outcomes:
        shown = [a for a in outcome.alerts if a.expected == "fires" or not a.ok]
        for alert in shown:
            yield outcome, alert, title(alert, [one for one in shown if one.alert == alert.alert])


def _live_rows(outcomes: Sequence[ScenarioOutcome]) -> list[LiveRow]:
    return [LiveRow(name, outcome.name, alert) for outcome, alert, name in _shown(outcomes)]


def _lists(outcomes: Sequence[ScenarioOutcome]) -> Iterable[tuple[str, list[str]]]:
    """Yield (title, lines) for every part of the report that has something to say."""
    invalid = [f"{o.name}: {reason}" for o in outcomes for reason in o.invalid]
    broken = sorted((r for r in rows(outcomes) if not r.ok), key=lambda row: row.scenario)
    failed = [f"{row.scenario}: {row.alert}: {row.reason}" for row in broken]
    panels = [(o, panel) for o in outcomes for panel in o.panels]
    mute = [f"{o.name}: {p.dashboard} / {p.panel}: {p.reason}" for o, p in panels if not p.ok]
    explained = [
        f"{o.name}: {a.alert}: {a.reason}{_to_whom(a)}"
        for o in outcomes
        for a in o.alerts
        if a.expected == "explained" and a.ok and a.firing_s is not None
    ]
    parts = {
        "Could not be judged": invalid,
        "Failed": failed,
        "Panels that did not answer": mute,
        "Fired as well, as explained": explained,
        "Stayed silent, as they had to": [
            _silence(outcome) for outcome in outcomes if not outcome.invalid
        ],
        "Never provoked": _unprovoked(outcomes),
        "What befell the runs": list(live_report.notes(outcomes)),
        "Findings in rules and dashboards": _unique(f for o in outcomes for f in o.findings),
    }
    if panels and not mute:
        asked = len({(p.dashboard, p.panel) for _, p in panels})
        parts["Panels"] = [f"all {asked} answered"]
    return ((heading, items) for heading, items in parts.items() if items)


def _to_whom(alert: AlertVerdict) -> str:
    names = told(alert, "firing")
    return f" (told: {', '.join(names)})" if names else ""


def _row(outcome: ScenarioOutcome, alert: AlertVerdict, name: str) -> Row:
    ended_s = alert.cause_end_s or 0.0
    resolved_s = None if alert.resolved_s is None else alert.resolved_s - ended_s
    return Row(
        alert=name,
        scenario=outcome.name,
        pending=time_text(alert.pending_s),
        fired=time_text(alert.firing_s, alert.fires_within_s),
        resolved=time_text(resolved_s, alert.resolves_within_s),
        ok=alert.ok,
        reason=alert.reason,
    )


def _silence(outcome: ScenarioOutcome) -> str:
    quiet = {alert.alert for alert in outcome.alerts if alert.expected == "silent" and alert.ok}
    names = {alert.alert for alert in outcome.alerts}
    return f"{outcome.name}: {len(quiet)} of {len(names)} alerts"


def _unprovoked(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Return the alerts that no scenario made fire; of interest in a run of several scenarios."""
    if len(outcomes) < 2:
        return []
    names = _unique(alert.alert for o in outcomes for alert in o.alerts)
    fired = {alert.alert for o in outcomes for alert in o.alerts if alert.firing_s is not None}
    return [name for name in names if name not in fired]


def _engine_and_speed(outcomes: Sequence[ScenarioOutcome]) -> str:
    engine = engine_of(outcomes)
    if _is_live(outcomes):
        return _engine_and_pace(engine, outcomes)
    virtual_s = sum(outcome.virtual_s for outcome in outcomes)
    exact_s = sum(outcome.exact_s for outcome in outcomes)
    wall_s = sum(outcome.wall_s for outcome in outcomes)
    speed = virtual_s / wall_s if wall_s else 0.0
    exact = format_duration(round(exact_s))
    rest = f"{exact} simulated event by event, the rest resampled"
    return (
        f"Judged by {engine.name} {engine.version}: {format_duration(round(virtual_s))} of virtual"
        f" time in {format_duration(round(wall_s))} on one core, {speed:,.0f} times real time"
        f" ({rest if exact_s < virtual_s else 'all simulated event by event'})"
    )


def _engine_and_pace(engine: Engine, outcomes: Sequence[ScenarioOutcome]) -> str:
    compress = max(outcome.compress for outcome in outcomes)
    pace = f"compressed {compress:g} times" if compress > 1 else "uncompressed"
    lived_s = sum(outcome.duration_s for outcome in outcomes if outcome.clock == "real")
    wall_s = sum(outcome.wall_s for outcome in outcomes)
    return (
        f"Judged live by {engine.name} {engine.version}, Alertmanager and a webhook receiver, time"
        f" {pace}: {format_duration(round(lived_s))} of scenarios in"
        f" {format_duration(round(wall_s))} of stack time"
    )


def _markdown_table(head: Sequence[str], rows_: Sequence[Sequence[str]], caption: str) -> list[str]:
    """Return the lines of a table and what stands below it; none without rows."""
    if not rows_:
        return []
    lines = [_markdown_row(head), _markdown_row(["---"] * len(head))]
    return [*lines, *map(_markdown_row, rows_), "", caption, ""]


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
