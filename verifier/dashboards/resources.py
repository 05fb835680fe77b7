"""Finds dashboards in files and folders, in every wrapping that people keep them in.

A file holds the classic model, the same inside `dashboard` (Grafana's API) or `spec` (a resource of
version 1), a resource of version 2 with or without its head, a GrafanaDashboard of the operator, a
ConfigMap of the sidecar, or a list of those. What is not a dashboard is a mistake when the file was
named, and is noted when a folder was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.files import files_below
from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Place
from documents.yaml_reader import load_all, parse_json
from verifier.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from documents.document import Document, Steps, Value
    from documents.mistakes import Mistake

RULE_SUFFIXES: Final = (".yaml", ".yml", ".rules")
SUFFIXES: Final = (".json", ".yaml", ".yml")
"""Names of files in a folder that may be dashboards."""
WRAPPINGS_MAX: Final = 6
"""A list of config maps with texts with an export in them is four deep."""

_RULE: Final = "be a Grafana dashboard: a list of panels, or elements and a layout"


@dataclass(frozen=True, slots=True)
class BoardSource:
    """The model of a dashboard, which stands at `steps` of `document`."""

    document: Document
    model: dict[str, Value]
    steps: Steps

    @property
    def is_classic(self) -> bool:
        """Whether it has a list of panels, rather than elements and a layout."""
        return "elements" not in self.model


class BoardFinder:
    """Collects dashboards, and what was wrong or passed over on the way."""

    def __init__(self) -> None:
        """Know of none yet."""
        self.boards: list[BoardSource] = []
        self.mistakes: list[InputError | Mistake] = []
        self.findings: list[Finding] = []

    def read(self, paths: Iterable[Path]) -> None:
        """Read files, and folders with all that is below them."""
        for path in paths:
            try:
                if path.is_dir():
                    self._read_folder(path)
                    continue
                boards = _unwrapped(path)
                if not boards:
                    raise Place(str(path)).error(BrokenRule("a dashboard", _RULE))
                self.boards += boards
            except InputError as error:
                self.mistakes.append(error)

    def _read_folder(self, folder: Path) -> None:
        count = len(self.boards) + len(self.mistakes)
        for path in files_below(folder):
            if path.suffix not in SUFFIXES:
                self._skip(path, "neither .json nor .yaml")
                continue
            try:
                boards = _unwrapped(path)
            except InputError as error:
                if path.suffix == ".json":
                    self.mistakes.append(error)
                else:  # most often a template, which becomes YAML only when it is filled in
                    self._skip(path, error.mistakes[0].sentence)
                continue
            self.boards += boards
            if not boards:
                self._skip(path, "no dashboard")
        if len(self.boards) + len(self.mistakes) == count:
            rules = any(path.suffix in RULE_SUFFIXES for path in folder.rglob("*"))
            hint = "; rule files go with --rules" if rules else ""
            sentence = f"the folder holds no dashboard{hint}"
            self.mistakes.append(InputError(sentence, path=str(folder)))

    def _skip(self, path: Path, reason: str) -> None:
        self.findings.append(Finding(Place(str(path)), f"not read: {reason}"))


def _unwrapped(path: Path) -> list[BoardSource]:
    """Return the dashboards in a file; raise `InputError` for one that cannot be read."""
    return [
        board
        for document in load_all(path)
        for board in _inside(document, document.data, (), WRAPPINGS_MAX)
    ]


def _inside(document: Document, value: Value, steps: Steps, depth: int) -> Iterator[BoardSource]:
    """Yield the dashboards in a value, whatever it is wrapped in."""
    if depth == 0:
        return
    if isinstance(value, list) and not steps:
        for index, item in enumerate(value):
            yield from _inside(document, item, (index,), depth - 1)
    if not isinstance(value, dict):
        return
    if _is_model(value):
        yield BoardSource(document, value, steps)
        return
    for key in ("dashboard", "spec"):
        inner = value.get(key)
        if isinstance(inner, dict):
            yield from _inside(document, inner, (*steps, key), depth - 1)
    items = value.get("items")
    if isinstance(items, list) and str(value.get("kind", "")).endswith("List"):
        for index, item in enumerate(items):
            yield from _inside(document, item, (*steps, "items", index), depth - 1)
    yield from _in_texts(document, value, steps, depth)


def _in_texts(
    document: Document, value: dict[str, Value], steps: Steps, depth: int
) -> Iterator[BoardSource]:
    """Yield the dashboards that stand as JSON texts in a config map or an operator's resource."""
    texts: list[tuple[Sequence[str], Value]] = [(("json",), value.get("json"))]
    data = value.get("data")
    if value.get("kind") == "ConfigMap" and isinstance(data, dict):
        texts += [(("data", key), text) for key, text in data.items() if key.endswith(".json")]
    for keys, text in texts:
        if isinstance(text, str):
            inner = parse_json(text, f"{document.path}#{'.'.join((*map(str, steps), *keys))}")
            yield from _inside(inner, inner.data, (), depth - 1)
        elif isinstance(text, dict):
            yield from _inside(document, text, (*steps, *keys), depth - 1)


def _is_model(value: dict[str, Value]) -> bool:
    """Return whether a mapping is a dashboard itself."""
    if "kind" in value and "apiVersion" in value:
        return False
    if isinstance(value.get("elements"), dict):
        return "layout" in value or "title" in value
    if "panels" in value or "rows" in value:
        return True
    # A new dashboard has neither, but is told by its other keys.
    return "schemaVersion" in value and ("title" in value or "templating" in value)
