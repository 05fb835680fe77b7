"""A result as one file of HTML, in the layout of the report: it runs no script and asks nobody.

Called by the front door for `--report`. However large a result is, the page stays below
`BYTES_MAX`: rows that have no room are counted below their table.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from verifier.report.html.run_part import run_part
from verifier.report.html.shell import html_document
from verifier.report.html.writing import written
from verifier.report.pages.result_page import ResultCell, ResultTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.report.pages.result_page import ResultList, ResultPage
    from verifier.run_record import RunRecord

    Row = Sequence[ResultCell | str]

BYTES_MAX: Final = 2_000_000
"""Of a page; mail and code hosts show no larger one."""
ROOM: Final = 1_800_000
"""Bytes for rows and items: the rest is for the style sheet and what stands around them."""
LETTERS_MAX: Final = 2_000
"""Of one text."""


def result_html(page: ResultPage, run: RunRecord | None = None) -> str:
    """Return the page, with what was run where that is known."""
    parts = [part for part in page.parts if _size(part)]
    sections = _sections(parts)
    return html_document(
        f"{page.badge.word}: agentaskit-sim {page.command}",
        (
            '<a class="skip" href="#main">To the results</a>\n',
            _header(page, run),
            '<main id="main" tabindex="-1">\n',
            _contents(parts),
            *sections,
            run_part(run),
            "</main>\n",
        ),
    )


def _sections(parts: Sequence[ResultTable | ResultList]) -> list[str]:
    """Return every part as HTML; what the small ones leave is there for the large ones."""
    room = ROOM
    sections = dict.fromkeys(range(len(parts)), "")
    for count, number in enumerate(sorted(sections, key=lambda each: _size(parts[each]))):
        section, taken = _section(parts[number], room // (len(parts) - count))
        room -= taken
        sections[number] = section
    return list(sections.values())


def _size(part: ResultTable | ResultList) -> int:
    """Return how many rows or items a part has, those that are not shown among them."""
    return len(part.rows) + part.more if isinstance(part, ResultTable) else len(part.items)


def _header(page: ResultPage, run: RunRecord | None) -> str:
    command = f'<p class="command"><code>{_text(run.command)}</code></p>' if run else ""
    return (
        f'<header class="top"><p class="verdict {page.badge.style}">{escape(page.badge.word)}</p>'
        f"<div><h1>{_text(page.headline)}</h1>{command}</div></header>\n"
    )


def _contents(parts: Sequence[ResultTable | ResultList]) -> str:
    """Return a way to every part, with how many rows it has."""
    if not parts:
        return '<p class="hint">There is nothing to show.</p>\n'
    links = "".join(
        f'<li><a href="#{_anchor(part)}">{escape(part.heading)}</a> {_size(part):,}</li>\n'
        for part in parts
    )
    return f'<nav class="contents" aria-label="Parts of this page"><ul>\n{links}</ul></nav>\n'


def _anchor(part: ResultTable | ResultList) -> str:
    return "part-" + part.heading.lower().replace(" ", "-").replace(",", "")


def _section(part: ResultTable | ResultList, room: int) -> tuple[str, int]:
    """Return a part as HTML, and how many bytes its rows or items take."""
    if isinstance(part, ResultTable):
        shown, taken = _fitting(map(_row, part.rows), room)
        inside = _table(part, shown)
    else:
        shown, taken = _fitting((f"<li>{_text(item)}</li>\n" for item in part.items), room)
        inside = f"<ul>\n{''.join(shown)}</ul>"
    weight = "" if isinstance(part, ResultTable) or not part.fails else " failure"
    more = _size(part) - len(shown)
    rest = f'<p class="hint">and {more:,} more, which <code>--json</code> prints</p>'
    section = (
        f'<section class="part{weight}" id="{_anchor(part)}" tabindex="-1">'
        f"<h2>{escape(part.heading)}</h2>{inside}{rest if more else ''}</section>\n"
    )
    return section, taken


def _fitting(pieces: Iterable[str], room: int) -> tuple[list[str], int]:
    """Return the first pieces that fit into so many bytes, and how many they take."""
    shown: list[str] = []
    taken = 0
    for piece in pieces:
        size = len(piece.encode(errors="replace"))
        if taken + size > room:
            break
        shown.append(piece)
        taken += size
    return shown, taken


def _table(part: ResultTable, rows: Sequence[str]) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in part.head)
    hint = f'<p class="hint">{_text(part.hint)}</p>' if part.hint else ""
    table = (
        f'{hint}<div class="scroll" tabindex="0" role="region" aria-label="{escape(part.heading)}">'
        f'<table class="alerts result"><thead><tr>{titles}</tr></thead>'
        f"<tbody>\n{''.join(rows)}</tbody></table></div>"
    )
    if not part.folded:
        return table
    return f'<details class="folded"><summary>Show {_size(part):,} rows</summary>{table}</details>'


def _row(row: Row) -> str:
    first, *others = row
    cells = "".join(map(_cell, others))
    return f'<tr><th scope="row">{_inside(first)}</th>{cells}</tr>\n'


def _cell(cell: ResultCell | str) -> str:
    mood = f' class="{cell.mood}"' if isinstance(cell, ResultCell) and cell.mood else ""
    return f"<td{mood}>{_inside(cell)}</td>"


def _inside(cell: ResultCell | str) -> str:
    if isinstance(cell, str):
        return _text(cell)
    text = f"<code>{escape(_cut(cell.text))}</code>" if cell.code else _text(cell.text)
    return f"{text}<br><small>{escape(_cut(cell.below))}</small>" if cell.below else text


def _text(text: str) -> str:
    return written(_cut(text))


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS_MAX else text[: LETTERS_MAX - 4] + " ..."
