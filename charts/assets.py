"""The files that draw charts: our own modules of JavaScript, a style sheet, and the chart library.

The live page serves them one by one; the report holds them in its one file, since a page opened
from a disk may load nothing. The library is no part of the source (`tools/chart_library.py` fetches
it): where it is missing, there are tables and no charts.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).with_name("static")
LIBRARY: Final = STATIC / "vendor" / "uPlot.iife.min.js"
LIBRARY_STYLE: Final = STATIC / "vendor" / "uPlot.min.css"
_IMPORT: Final = re.compile(r"^import \{[^}]*\} from \"\./([a-z_]+\.js)\";\n", re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(async )?(function|const|class) )", re.MULTILINE)


def library() -> tuple[str, str] | None:
    """Return the chart library and its style sheet; None where they were not fetched."""
    if not (LIBRARY.is_file() and LIBRARY_STYLE.is_file()):
        return None
    return LIBRARY.read_text(encoding="utf-8"), LIBRARY_STYLE.read_text(encoding="utf-8")


def style() -> str:
    """Return our style sheet."""
    return (STATIC / "style.css").read_text(encoding="utf-8")


def bundle(name: str) -> str:
    """Return a module with all that it imports as one script, each module once, imports first.

    Its modules import each other by name (`import { a } from "./b.js";`, on lines of their own) and
    share one scope afterwards, so what two of them define at their top must differ in name.
    """
    order: list[str] = []
    _visit(name, order)
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", _module(each))) for each in order)


def _visit(name: str, order: list[str]) -> None:
    """Append a module behind those that it imports; no module imports itself in a circle."""
    for imported in _IMPORT.findall(_module(name)):
        if imported not in order:
            _visit(imported, order)
    if name not in order:
        order.append(name)


def _module(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
