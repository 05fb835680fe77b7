"""The lists of the report in the page: what failed above the table of alerts, the rest below it.

Called by `page`. The lists are those of `verifier.report.lists`; nothing is said here alone.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from verifier.judge.failures.overlay import overlay_lines
from verifier.judge.failures.sentences import culprit_sentence
from verifier.report import real_time_text
from verifier.report.html.writing import alert_anchor, anchor, written
from verifier.report.lists import FAILED, lists
from verifier.report.text import OVERLAY_HEADING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.report.lists import ReportItem, ReportPart


def failures(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return what keeps the run from a pass, each with a way to its place."""
    return "".join(_part(part) for part in lists(outcomes) if part.weight == "failure")


def remarks(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return everything else that the report lists, and the overlay to paste.

    How many alerts of a scenario stayed silent stands with the scenario.
    """
    parts = [
        _part(part)
        for part in lists(outcomes)
        if part.weight == "remark" or part.heading == "Panels"
    ]
    return "".join((*parts, *_clocks(outcomes), *_overlay(outcomes)))


def _part(part: ReportPart) -> str:
    items = "".join(f"<li>{_item(item, part)}</li>\n" for item in part.items)
    return (
        f'<section class="part {part.weight}"><h2>{escape(part.heading)}</h2>'
        f"<ul>\n{items}</ul></section>\n"
    )


def _item(item: ReportItem, part: ReportPart) -> str:
    text = _in_short(item) if part.heading == FAILED else written(item.text)
    if not item.scenario:
        return text
    link = f'<a href="#{anchor(item.scenario)}">{escape(item.scenario)}</a>'
    subject = escape(item.subject)
    if item.alert is not None:
        subject = f'<a href="#{alert_anchor(item.scenario, item.alert)}">{subject}</a>'
    return ": ".join(each for each in (link, subject, text) if each)


def _in_short(item: ReportItem) -> str:
    """Return what failed and who is to blame: all of the reason stands where the link leads to."""
    said = [item.text.partition("; ")[0]]
    evidence = item.alert.evidence if item.alert else None
    if evidence is not None and evidence.culprit is not None:
        said.append(culprit_sentence(evidence.culprit))
    return "<br>".join(written(each) for each in said)


def _clocks(outcomes: Sequence[ScenarioOutcome]) -> Iterator[str]:
    """Yield how virtual and real time compare, with the transitions that differ."""
    comparison = real_time_text.comparison(outcomes)
    if not comparison:
        return
    yield f'<section class="part"><h2>Virtual and real time</h2><p>{escape(comparison)}</p>'
    cells = [
        real_time_text.difference_cells(*difference)
        for difference in real_time_text.differences(outcomes)
    ]
    if cells:
        head = "".join(f'<th scope="col">{name}</th>' for name in real_time_text.DIFFERENCES_HEAD)
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in cells
        )
        yield f'<table class="alerts"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    yield "</section>\n"


def _overlay(outcomes: Sequence[ScenarioOutcome]) -> Iterator[str]:
    """Yield the overlay that would expect what fired unexpectedly."""
    lines = overlay_lines(outcomes)
    if lines:
        text = escape("\n".join(lines))
        heading = escape(OVERLAY_HEADING)
        yield f'<section class="part"><h2>{heading}</h2><pre>{text}</pre></section>\n'
