"""A scenario as text, in the form of the bundled ones: keys line by line, a fault in each line.

Called for every probe, which is read again by the loader as a file would be, and for what is saved.
Pure, but for the schema's place.
"""

from __future__ import annotations

import json
import os
import re
from copy import deepcopy
from textwrap import fill, indent
from typing import TYPE_CHECKING, Any, Final

from documents.yaml_reader import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from documents.document import Value

WIDTH: Final = 100
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./ -]*[A-Za-z0-9]|[0-9]+[a-z0-9]*[a-z]")
"""Texts that mean themselves without quotes, unless they are a word of YAML's own."""
FIRST: Final = ("name", "story", "seed", "duration")
LAST: Final = ("faults", "expectations")


def scenario_text(document: Mapping[str, Any], schema: str | None = None) -> str:
    """Return the text of a scenario's file; `schema` is where editors find the form of it."""
    lines = [] if schema is None else [f"# yaml-language-server: $schema={schema}"]
    others = [key for key in document if key not in (*FIRST, *LAST)]
    for key in (*FIRST, *others, *LAST):
        value = document.get(key)
        if key == "story" and isinstance(value, str):
            lines += ["story: |", indent(fill(value, WIDTH - 2), "  ")]
        elif isinstance(value, list):
            lines += [f"{key}:" + (" []" if not value else "")]
            lines += [f"  - {flow(each)}" for each in value]
        elif key in document:
            lines.append(f"{key}: {flow(value)}")
    return "\n".join(lines) + "\n"


def flow(value: Value) -> str:
    """Return a value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        return value if _means_itself(value) else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _means_itself(text: str) -> bool:
    """Whether a text without quotes is read as that text."""
    return bool(_PLAIN.fullmatch(text)) and parse(text, "text").data == text


def moved(document: Mapping[str, Any], source: Path, target: Path) -> dict[str, Any]:
    """Return a document whose files, named from the folder of `source`, are named from `target`."""
    copy: dict[str, Any] = deepcopy(dict(document))
    load = copy.get("load")
    if isinstance(copy.get("topology"), str):
        copy["topology"] = _named_from(target, source, copy["topology"])
    if isinstance(load, dict) and isinstance(load.get("trace"), str):
        load["trace"] = _named_from(target, source, load["trace"])
    return copy


def _named_from(target: Path, source: Path, name: str) -> str:
    file = (source.parent / name).resolve()
    return os.path.relpath(file, target.parent.resolve())
