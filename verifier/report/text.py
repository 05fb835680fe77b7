"""What a person reads at the end: the table of alerts, what failed and why, the speed reached.

Called by the front door with the outcomes of a run; the same rows become a table for a terminal,
plain text for a pipe, and Markdown for `summary.md`. It judges nothing and leaves nothing out: the
reason of every verdict that is not ok stands in full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from documents.durations import format_duration
from verifier.judge.failures.overlay import overlay_lines
from verifier.judge.verdict import UNKNOWN_ENGINE, engine_of, overall
from verifier.report import real_time_text, virtual_time_text
from verifier.report.lists import lists
from verifier.report.tally import counts, verdict_line
from verifier.report.wording import cause_span, instant
from verifier.run_record import run_facts
from verifier.seeds.across import representatives

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from verifier.judge.verdict import AlertVerdict, Engine, ScenarioOutcome
    from verifier.report.real_time_text import RealTimeRow
    from verifier.report.virtual_time_text import VirtualTimeRow
    from verifier.run_record import RunRecord

PLAIN_WIDTH: Final = 120
"""Columns of plain text: a pipe has no width of its own, and rows are easier to search unfolded."""

OVERLAY_HEADING: Final = "To expect what fired unexpectedly: save as a file, then --overlay FILE"
WIDEST: Final = 10_000
"""Columns of the widest table that is printed unfolded."""
_STYLES: Final = {"pass": "bold green", "fail": "bold red", "invalid": "bold yellow"}


def print_report(console: Console, outcomes: Sequence[ScenarioOutcome], saved_in: str) -> None:
    """Print the whole report; plain text when `console` is no terminal, with no cell folded."""
    parts = _report(outcomes, saved_in)
    if not console.is_terminal:
        wide = Console(width=WIDEST)
        needed = (Measurement.get(wide, wide.options, part).maximum
                  for part in parts if not isinstance(part, Text))  # fmt: skip
        width = max(PLAIN_WIDTH, console.width, *needed)
        console = Console(file=console.file, width=width, no_color=True)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, Text))


def summary(outcomes: Sequence[ScenarioOutcome], run: RunRecord | None = None) -> str:
    """Return the report as Markdown, with what was run where that is known."""
    lines = [f"# Verdict: {overall(outcomes)}", "", f"{counts(outcomes)}.", ""]
    lines += [f"{engine_and_speed(outcomes)}", ""]
    if _in_real_time(outcomes):
        cells = _with_causes(outcomes, real_time_text.rows(outcomes))
        lines += _markdown_table(
            _with_cause(real_time_text.HEAD), cells, real_time_text.caption(outcomes)
        )
    else:
        runs = representatives(outcomes)
        cells = _with_causes(runs, virtual_time_text.rows(runs))
        caption = virtual_time_text.CAPTION
        lines += _markdown_table(_with_cause(virtual_time_text.HEAD), cells, caption)
    if comparison := real_time_text.comparison(outcomes):
        differences = real_time_text.differences(outcomes)
        cells = [real_time_text.difference_cells(*difference) for difference in differences]
        lines += ["## Virtual and real time", ""]
        head = real_time_text.DIFFERENCES_HEAD
        lines += _markdown_table(head, cells, comparison) or [comparison, ""]
    for part in lists(outcomes):
        lines += [f"## {part.heading}", "", *(f"- {line}" for line in part.lines), ""]
    if overlay := overlay_lines(outcomes):
        lines += [f"## {OVERLAY_HEADING}", "", "```yaml", *overlay, "```", ""]
    if run is not None:
        facts = (f"- {name}: {'; '.join(lines_)}" for name, lines_ in run_facts(run))
        lines += ["## This run", "", *facts, ""]
    return "\n".join(lines)


def _report(outcomes: Sequence[ScenarioOutcome], saved_in: str) -> list[Table | Text]:
    parts: list[Table | Text] = []
    if _in_real_time(outcomes):
        if real_time_rows := real_time_text.rows(outcomes):
            caption = Text(real_time_text.caption(outcomes))
            parts += [real_time_text.table(real_time_rows), caption]
    elif virtual_time_rows := virtual_time_text.rows(representatives(outcomes)):
        parts += [virtual_time_text.table(virtual_time_rows), Text(virtual_time_text.CAPTION)]
        parts += [Text(line) for line in _faults(outcomes)]
    if comparison := real_time_text.comparison(outcomes):
        parts += [Text(), Text("Virtual and real time", style="bold"), Text(f"  {comparison}")]
        if differences := real_time_text.differences(outcomes):
            parts.append(real_time_text.difference_table(differences))
    for part in lists(outcomes):
        heading = Text(part.heading, style="bold")
        parts += [Text(), heading, *(Text(f"  {line}") for line in part.lines)]
    if overlay := overlay_lines(outcomes):
        parts += [Text(), Text(OVERLAY_HEADING, style="bold"), *(Text(f"  {x}") for x in overlay)]
    word, line = overall(outcomes), verdict_line(outcomes)
    parts += [
        Text(),
        Text(engine_and_speed(outcomes)),
        Text(f"Results: {saved_in}"),
        Text.assemble((line[: len(word)], _STYLES[word]), line[len(word) :]),
    ]
    return parts


def _with_causes(
    outcomes: Sequence[ScenarioOutcome], rows: Iterable[VirtualTimeRow | RealTimeRow]
) -> list[tuple[str, ...]]:
    """Return the cells of rows, each with the cause that its times count from, and when it was."""
    named = {outcome.name: outcome for outcome in outcomes}
    return [_with_cause(row.cells, _cause(named[row.scenario], row.alert)) for row in rows]


def _with_cause(cells: Sequence[str], cause: str = "Cause") -> tuple[str, ...]:
    """Return cells with a cause behind the scenario."""
    return (*cells[:2], cause, *cells[2:])


def _faults(outcomes: Sequence[ScenarioOutcome]) -> list[str]:
    """Say when the faults were that times count from, where one scenario alone was run."""
    if len(outcomes) != 1 or outcomes[0].record is None or not outcomes[0].record.faults:
        return []
    spans = (
        f"{fault.name} ({fault.kind}) from {instant(fault.start_s)} to {instant(fault.end_s)}"
        for fault in outcomes[0].record.faults
    )
    return [f"Faults, in the scenario's time: {', '.join(spans)}."]


def _cause(outcome: ScenarioOutcome, alert: AlertVerdict) -> str:
    return "none" if alert.cause is None else f"{alert.cause}, {cause_span(outcome, alert)}"


def _in_real_time(outcomes: Sequence[ScenarioOutcome]) -> bool:
    return any(outcome.clock == "real" for outcome in outcomes)


def engine_and_speed(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Say what judged the run, and how much of it was simulated in how much time."""
    engine = engine_of(outcomes)
    if engine == UNKNOWN_ENGINE:
        return "No engine got as far as judging anything"
    if _in_real_time(outcomes):
        return _engine_and_pace(engine, outcomes)
    exact_s, resampled_s, wall_s = (
        format_duration(round(sum(getattr(outcome, field) for outcome in outcomes)))
        for field in ("exact_s", "resampled_s", "wall_s")
    )
    summed = ", summed over the scenarios" if len(outcomes) > 1 else ""
    # No ratio of these: what is resampled costs next to nothing, and would make any figure large.
    return (
        f"Judged by {engine.name} {engine.version}: {exact_s} simulated event by event,"
        f" {resampled_s} resampled, in {wall_s} of wall time{summed}"
    )


def _engine_and_pace(engine: Engine, outcomes: Sequence[ScenarioOutcome]) -> str:
    compress = max(outcome.compress for outcome in outcomes)
    pace = f"compressed {compress:g} times" if compress > 1 else "not compressed"
    scenarios_s = sum(outcome.duration_s for outcome in outcomes if outcome.clock == "real")
    wall_s = sum(outcome.wall_s for outcome in outcomes)
    return (
        f"Judged in real time by {engine.name} {engine.version}, Alertmanager and a webhook"
        f" receiver, time {pace}: {format_duration(round(scenarios_s))} of scenarios in"
        f" {format_duration(round(wall_s))} of stack time"
    )


def _markdown_table(head: Sequence[str], rows_: Sequence[Sequence[str]], caption: str) -> list[str]:
    """Return the lines of a table and of its caption; none without rows."""
    if not rows_:
        return []
    lines = [_markdown_row(head), _markdown_row(["---"] * len(head))]
    return [*lines, *map(_markdown_row, rows_), "", caption, ""]


def _markdown_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
