"""Tables of commands: as wide as the terminal, names wrapped where they do not fit, never cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, plain_width: int) -> None:
    """Print a table; `plain_width` columns where neither a terminal nor COLUMNS says how many."""
    table = Table(box=box.SIMPLE_HEAD)
    # The first column is a name that a reader copies: the others make room for it.
    for index, title in enumerate(titles):
        table.add_column(title, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*map(Text, row))
    plain_console(plain_width).print(table)


def plain_console(plain_width: int) -> Console:
    """Return a console on standard output that marks nothing up by itself."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = plain_width
    return console
