"""The table of findings in docs/check.md, made from the kinds.

`make docs` writes it, and a test fails when the page differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.marked_tables import markdown_table
from verifier.check.findings.kinds import KINDS

if TYPE_CHECKING:
    from documents.marked_tables import Tables


def kinds_table() -> str:
    """Return the id, severity, meaning and way out of each kind, and its names elsewhere."""
    rows = (
        (
            f"`{kind.id}`",
            kind.severity,
            kind.title,
            kind.way_out,
            ", ".join(f"`{name}`" for name in kind.also) or "-",
        )
        for kind in KINDS.values()
    )
    return markdown_table(("id", "severity", "what it says", "to mend it", "also known as"), rows)


KIND_TABLES: Final[Tables] = {"findings": kinds_table}
"""What writes each table, by the name in its mark."""
