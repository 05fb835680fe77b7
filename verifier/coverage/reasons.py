"""Why a cell cannot be proven, as somebody wrote it down: a small file beside the rules.

Called by `coverage`. A reason closes nothing that a scenario could prove: it is shown beside the
score, and one for a cell that is proven all the same is reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from documents.mistake_kinds import UnknownName
from documents.walker import Walker
from documents.yaml_reader import load
from verifier.coverage.cells import CELLS

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from verifier.coverage.cells import Cell

Reasons: TypeAlias = "dict[tuple[str, Cell], str]"
"""By alert and cell."""


def load_reasons(path: str | Path, alerts: Collection[str]) -> Reasons:
    """Read `ALERT: {CELL: reason}`; raise `InputError` with every mistake."""
    document = load(path)
    walker = Walker(document)
    reasons: Reasons = {}
    for alert, raw in walker.mapping(document.data, ()).items():
        if alert not in alerts:
            walker.reject(UnknownName("alert", alert, tuple(alerts)), (alert,), at_key=True)
        cells = walker.mapping(raw, (alert,), CELLS)
        for cell in CELLS:
            if cell in cells:
                reasons[alert, cell] = " ".join(walker.text(cells, cell, (alert,)).split())
    walker.raise_mistakes()
    return reasons
