"""Tables of commands: as wide as the terminal, names wrapped where they do not fit, never cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


WIDEST: Final = 10_000
"""Columns of the widest table that is printed unfolded."""


def print_table(
    titles: Sequence[str], rows: Iterable[Sequence[str]], *, plain_width: int | None = None
) -> None:
    """Print a table; `plain_width` columns where neither a terminal nor COLUMNS says how many.

    Without a `plain_width` it is as wide there as it needs: a reader of a pipe searches for names.
    """
    table = Table(box=box.SIMPLE_HEAD)
    # The first column is a name that a reader copies: the others make room for it.
    for index, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*map(Text, row))
    plain_console(needed_width(table) if plain_width is None else plain_width).print(table)


def needed_width(table: Table) -> int:
    """Return how many columns a table needs so that none of its cells is folded."""
    console = Console(width=WIDEST)
    return Measurement.get(console, console.options, table).maximum


def plain_console(plain_width: int, *, soft_wrap: bool = False) -> Console:
    """Return a console on standard output that marks nothing up by itself."""
    console = Console(highlight=False, soft_wrap=soft_wrap)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = plain_width
    return console
