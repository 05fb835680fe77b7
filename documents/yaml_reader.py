"""Read YAML and JSON files so that every value knows its line and column.

Called by every reader of user files: scenarios, topologies, rules, policies, dashboards. Any
mistake is an `InputError` with its place; duplicate keys are refused. Reading is bounded in size,
depth and number of values (aliases counted each time they are used), and constructs plain
values only: mappings, lists, text, numbers, booleans, null. Dates stay text.

Scalars are read in two ways: `typed`, as YAML 1.2 means them, and `text`, each as it was written,
for files of programs that put them into text fields (`0042`, `1.10`, `1e3`, `True` stay what they
are). The latter also takes what Go's YAML reader takes beyond ours.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from documents.document import Document
from documents.files import read_text
from documents.json_reader import read_json
from documents.mistake_kinds import BrokenRule, DuplicateKey, InvalidSyntax
from documents.mistakes import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documents.document import Places, Steps, Value
    from documents.mistake_kinds import Problem
    from documents.mistakes import InputError

Scalars: TypeAlias = Literal["typed", "text"]

YAML_BYTES_MAX = 1 << 20
JSON_BYTES_MAX = 8 << 20
TEXTS_BYTES_MAX: Final = 4 << 20
"""What programs write for other programs (all rules of a cluster) is YAML and long: 25 s of it.

Dashboards are JSON and long; what people write by hand is YAML and short."""

DEPTH_MAX = 64
"""An alias within itself would never end; no rule file or scenario is half as deep."""

VALUES_MAX = 200_000
"""Nine lines of aliases to aliases are a billion values; the longest rule files have thousands."""

_TOO_DEEP = BrokenRule("values", f"be nested at most {DEPTH_MAX} deep")
_PLAIN_TAGS = ("null", "bool", "int", "float")
_TEXT_TAGS = ("str", "timestamp", "value")
"""Dates stay text: a label `2026-01-05` must not become a date that prints otherwise."""

_TAG = "tag:yaml.org,2002:"

_END: Final = Node(None, None, None, None)
"""After the last document."""

_LOOSE_TAB: Final = re.compile(r"(?<=[:\-,])\t+(?=\S)|[ \t]*\t[ \t]*$", re.MULTILINE)
"""Tabs after a mark or at the end of a line, which Go's reader takes for spaces."""


def load(path: str | Path, *, scalars: Scalars = "typed") -> Document:
    """Read a `.json` file as JSON, any other as YAML 1.2; raise `InputError` on any mistake.

    With `text` scalars it is YAML whatever its name, and its first document.
    """
    if scalars == "text":
        return next(load_texts(path))
    is_json = Path(path).suffix == ".json"
    text = read_text(path, bytes_max=JSON_BYTES_MAX if is_json else YAML_BYTES_MAX)
    return parse_json(text, str(path)) if is_json else parse(text, str(path))


def load_all(path: str | Path) -> list[Document]:
    """Read as `load`, a YAML file with all its documents, which may be as long as JSON."""
    text = read_text(path, bytes_max=JSON_BYTES_MAX)
    if Path(path).suffix == ".json":
        return [parse_json(text, str(path))]
    nodes = YAML(typ="safe", pure=True).compose_all(text)
    return list(_documents(nodes, text, str(path), _Builder))


def load_texts(path: str | Path) -> Iterator[Document]:
    """Read the documents of a YAML file one by one, at least one, each scalar as its text.

    A value that is left out, `~` or `null` is None. A mistake in a document is raised when it is
    its turn: who reads the first only, as many programs do, never hears of it.
    """
    text = read_text(path, bytes_max=TEXTS_BYTES_MAX)
    return parse_texts(text, str(path))


def parse_texts(text: str, path: str) -> Iterator[Document]:
    """Read the documents of YAML text as `load_texts`; `path` only names it in errors."""
    nodes = _nodes_without_loose_tabs(text)
    if nodes is None:
        nodes = YAML(typ="safe", pure=True).compose_all(text)
    yield from _documents(nodes, text, path, _TextBuilder)


def _nodes_without_loose_tabs(text: str) -> Iterator[Node | None] | None:
    """Return the nodes of a text whose tabs only our reader minds; None when that is not it."""
    if not _LOOSE_TAB.search(text):
        return None
    plain = _LOOSE_TAB.sub(lambda tab: " " * len(tab.group()), text)
    try:
        next(YAML(typ="safe", pure=True).compose_all(text), None)
    except YAMLError:
        # As long as before, so that every place stays. Texts lose a tab at the end of a line.
        nodes: Iterator[Node | None] = YAML(typ="safe", pure=True).compose_all(plain)
        return nodes
    except RecursionError:
        pass
    return None


def _documents(
    nodes: Iterator[Node | None], text: str, path: str, kind: type[_Builder]
) -> Iterator[Document]:
    count = 0
    while True:
        builder = kind(path)
        try:
            node = next(nodes, _END)
            data = None if node is None or node is _END else builder.build(node, ())
        except YAMLError as error:
            raise _mistake(error, text, path) from None
        except RecursionError:
            raise Place(path).error(_TOO_DEEP) from None
        if node is _END and count:
            return
        yield Document(path, data, builder.values, builder.keys)
        count += 1


def parse_json(text: str, path: str) -> Document:
    """Read JSON text; `path` only names it in errors."""
    return Document(path, *read_json(text, path))


def parse(text: str, path: str) -> Document:
    """Read YAML 1.2 text holding one document; `path` only names it in errors."""
    builder = _Builder(path)
    try:
        node = YAML(typ="safe", pure=True).compose(text)
        data = None if node is None else builder.build(node, ())
    except YAMLError as error:
        raise _mistake(error, text, path) from None
    except RecursionError:  # the parser's own, before any value is built
        raise Place(path).error(_TOO_DEEP) from None
    return Document(path, data, builder.values, builder.keys)


class _Builder:
    """Turns composed nodes into plain values and notes the place of each."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: Places = {}
        self.keys: Places = {}
        # Of the library's constructor only the reading of plain scalars is used, never of tags.
        self.scalars = YAML(typ="safe", pure=True).constructor

    def build(self, node: Node, steps: Steps) -> Value:
        """Return the plain value of `node`, which stands at `steps`."""
        if len(steps) > DEPTH_MAX:
            raise self.error(_TOO_DEEP, node)
        if len(self.values) >= VALUES_MAX:
            raise self.error(BrokenRule("the file", f"hold at most {VALUES_MAX} values"), node)
        self.values[steps] = _position(node)
        if isinstance(node, MappingNode):
            return self.mapping(node, steps)
        if isinstance(node, SequenceNode):
            return [self.build(child, (*steps, i)) for i, child in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101 - YAML knows no fourth kind
        return self.scalar(node)

    def mapping(self, node: MappingNode, steps: Steps) -> dict[str, Value]:
        """Return a mapping with text keys; `<<` merges, what stands beside it wins."""
        merged: dict[str, Value] = {}
        own: dict[str, Value] = {}
        for key, child in node.value:
            if not isinstance(key, ScalarNode):
                value: Value = [] if isinstance(key, SequenceNode) else {}
                raise self.error(BrokenRule("a key", "be a single word", value), key)
            name = str(key.value)
            if key.tag == f"{_TAG}merge" or (name == "<<" and key.style is None):
                for source in child.value if isinstance(child, SequenceNode) else [child]:
                    if not isinstance(source, MappingNode):
                        raise self.error(BrokenRule("'<<'", "merge mappings"), source)
                    # Of several sources the first wins, as YAML's merge key asks.
                    merged = {**self.mapping(source, steps), **merged}
                continue
            if name in own:
                raise self.error(DuplicateKey(name, self.keys[(*steps, name)][0]), key)
            self.keys[(*steps, name)] = _position(key)
            own[name] = self.build(child, (*steps, name))
        return {**merged, **own}

    def scalar(self, node: ScalarNode) -> bool | int | float | str | None:
        """Return text, number, boolean or null; refuse tags that would construct anything else."""
        tag = str(node.tag).removeprefix(_TAG)
        if tag in _TEXT_TAGS or node.style is not None:
            return str(node.value)
        if tag not in _PLAIN_TAGS:
            raise self.error(f"unknown tag {node.tag!s}", node)
        try:
            value: bool | int | float | str | None = self.scalars.construct_object(node)
        except ValueError:
            subject = f"a value tagged !!{tag}"
            raise self.error(BrokenRule(subject, "be of that type", node.value), node) from None
        return value

    def error(self, problem: Problem | str, node: Node) -> InputError:
        return Place(self.path, *_position(node)).error(problem)


class _TextBuilder(_Builder):
    """Builds every scalar as the text that stands there, which is what Go puts into text fields."""

    def mapping(self, node: MappingNode, steps: Steps) -> dict[str, Value]:
        node.value = [(key, child) for key, child in node.value if not _is_null(key)]
        return super().mapping(node, steps)

    def scalar(self, node: ScalarNode) -> str | None:
        if _is_null(node):
            return None
        if str(node.tag) == f"{_TAG}binary":
            try:
                return base64.b64decode(str(node.value)).decode()
            except (binascii.Error, ValueError):
                raise self.error(BrokenRule("binary text", "be base64 of UTF-8"), node) from None
        return str(node.value)


def _is_null(node: Node) -> bool:
    return str(node.tag) == f"{_TAG}null" and getattr(node, "style", None) is None


def _mistake(error: YAMLError, text: str, path: str) -> InputError:
    if isinstance(error, MarkedYAMLError):
        return _syntax_error(error, path)
    return _character_error(error, text, path)


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _syntax_error(error: MarkedYAMLError, path: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    parts = [part for part in (error.context, error.problem) if part]
    if error.context_mark is not None and error.context and error.problem:
        parts[0] = f"{error.context} begun in line {error.context_mark.line + 1}"
    problem = InvalidSyntax("this", "YAML", ", ".join(part.strip() for part in parts))
    if mark is None:
        return Place(path).error(problem)
    return Place(path, mark.line + 1, mark.column + 1).error(problem)


def _character_error(error: YAMLError, text: str, path: str) -> InputError:
    at = getattr(error, "position", None)
    if not isinstance(at, int):
        return Place(path).error(InvalidSyntax("this", "YAML", str(error)))
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    detail = f"the character {text[at]!r} is not allowed"
    return Place(path, line, column).error(InvalidSyntax("this", "YAML", detail))
