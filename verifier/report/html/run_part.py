"""What was run, in the page: when, by what, the command and the files, to repeat it.

Called by `page`.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from verifier.run_record import run_facts

if TYPE_CHECKING:
    from verifier.run_record import RunRecord


def run_part(run: RunRecord | None) -> str:
    """Return the facts of a run as a list; nothing where nobody noted them."""
    if run is None:
        return ""
    items = "".join(
        f"<dt>{escape(name)}</dt><dd>{'<br>'.join(map(escape, lines))}</dd>\n"
        for name, lines in run_facts(run)
    )
    return f'<section class="part run"><h2>This run</h2><dl>\n{items}</dl></section>\n'
