"""Which tests need a Prometheus or an Alertmanager: `make test-engines` repeats them on others.

Only the rooms from `verifier` upwards can start one, as `test_layering` sees to. So a test may
need one if its file, or a helper beside it, names such a room, or names a program of the engine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ABOVE = re.compile(
    r"\b(?:verifier|agentaskit_sim|benchmarks\.(?:scraper|serve|soak))\b(?=[. ])"
    r"|\b(?:promtool|amtool)\b"
)
FOLDERS = ("verifier", "agentaskit_sim", "field", "trials", "observability")
"""Folders below `tests` in which every file counts: their helpers start engines for them."""


def needs_engine(path: Path, source: str, root: Path) -> bool:
    """Return whether the tests of a file may start an engine."""
    return path.relative_to(root).parts[0] in FOLDERS or bool(ABOVE.search(source))
