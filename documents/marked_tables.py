"""Markdown tables between marks in a page of the documentation: written by code, never by hand.

`make docs` fills them, and tests fail when a page differs. A table stands between
`<!-- `make docs` writes NAME -->` and `<!-- end -->`. Pure: text in, text out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Tables: TypeAlias = "Mapping[str, Callable[[], str]]"
"""What writes each table, by the name in its mark."""

_MARKED: Final = re.compile(r"(<!-- `make docs` writes (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(page: str, tables: Tables) -> str:
    """Return a page with every marked table up to date; `KeyError` for a name not in `tables`."""
    return _MARKED.sub(lambda mark: mark[1] + tables[mark[2]]() + mark[3], page)


def markdown_table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table, a line for each row; cells must contain no `|`."""
    lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    lines.insert(1, f"|{'---|' * len(tuple(header))}")
    return "\n".join(lines) + "\n"
