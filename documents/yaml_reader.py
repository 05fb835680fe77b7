"""Read YAML and JSON files so that every value knows its line and column.

Called by every reader of user files: scenarios, topologies, rules, policies, dashboards. Any
mistake is an `InputError` with its place; duplicate keys are refused. Reading is bounded in size,
depth and number of values (aliases counted each time they are used), and constructs plain
values only: mappings, lists, text, numbers, booleans, null. Dates stay text.

Scalars are read in two ways: `typed`, as YAML 1.2 means them, and `text`, each as it was written
(`0042`, `1e3`, `True`), for files of programs written in Go, with what their reader takes as well.
"""

from __future__ import annotations

import base64
import re
from contextlib import contextmanager, suppress
from copy import copy
from functools import lru_cache
from itertools import islice
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scanner import Scanner

from documents.document import VALUES_MAX, WHOLE_MAX, Document, check_scalar, first_too_large
from documents.files import read_text
from documents.json_reader import read_json
from documents.mistake_kinds import BrokenRule, DuplicateKey, InvalidSyntax
from documents.mistakes import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ruamel.yaml.error import StreamMark

    from documents.document import Places, Steps, Value
    from documents.mistake_kinds import Problem
    from documents.mistakes import InputError

T = TypeVar("T", bound="Value")
Scalars: TypeAlias = Literal["typed", "text"]

YAML_BYTES_MAX, JSON_BYTES_MAX = 1 << 20, 8 << 20
TEXTS_BYTES_MAX: Final = 4 << 20
"""What people write by hand is YAML and short; dashboards are JSON and long, and what programs
write for programs (all rules of a cluster) is YAML and long: 25 s of it."""

DEPTH_MAX = 64
"""An alias within itself would never end; no rule file or scenario is half as deep."""

KEPT_LETTERS_MAX, KEPT_TEXTS = 6 << 10, 40
"""So many short texts, as bundled scenarios, are parsed once; at most 400 bytes a letter stay."""
NUMBER_LETTERS_MAX: Final = 400
"""Of a whole number, signs and `_` included; longer ones are not even converted."""

_TOO_DEEP = BrokenRule("values", f"be nested at most {DEPTH_MAX} deep")
_TOO_MANY = BrokenRule("the file", f"hold at most {VALUES_MAX} values")
_PLAIN_TAGS, _TEXT_TAGS = ("null", "bool", "int", "float"), ("str", "timestamp", "value")
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
    if Path(path).suffix == ".json":
        return parse_json(read_text(path, bytes_max=JSON_BYTES_MAX), str(path))
    return parse(read_text(path, bytes_max=YAML_BYTES_MAX), str(path))


def load_all(path: str | Path) -> list[Document]:
    """Read as `load`, a YAML file with all its documents, which may be as long as JSON."""
    text = read_text(path, bytes_max=JSON_BYTES_MAX)
    if Path(path).suffix == ".json":
        return [parse_json(text, str(path))]
    return list(_documents(_nodes(text), text, str(path), _Builder))


def load_texts(path: str | Path) -> Iterator[Document]:
    """Read the documents of a YAML file one by one, at least one, each scalar as its text.

    A value that is left out, `~` or `null` is None. A mistake in a document is raised when it is
    its turn: who reads the first only, as many programs do, never hears of it.
    """
    text = read_text(path, bytes_max=TEXTS_BYTES_MAX)
    return parse_texts(text, str(path))


def parse_texts(text: str, path: str) -> Iterator[Document]:
    """Read the documents of YAML text as `load_texts`; `path` only names it in errors."""
    yield from _documents(_nodes_without_loose_tabs(text), text, path, _TextBuilder)


def _nodes(text: str) -> Iterator[Node | None]:
    """Yield the nodes of all documents of a text; raise YAMLError where it is no YAML."""
    if len(text) <= KEPT_LETTERS_MAX:
        with suppress(YAMLError):  # raised below, after the documents before it
            yield from _kept_nodes(text)
            return
    with _in_words_of_yaml():
        yield from _yaml().compose_all(text)


@lru_cache(KEPT_TEXTS)
def _kept_nodes(text: str) -> tuple[Node | None, ...]:
    with _in_words_of_yaml():
        return tuple(_yaml().compose_all(text))


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner, yaml.composer.warn_double_anchors = _BoundedScanner, False  # the later one counts
    return yaml


@contextmanager
def _in_words_of_yaml() -> Iterator[None]:
    """Raise what the library's own code stumbles over as YAMLError."""
    try:
        yield
    except (LookupError, AttributeError, TypeError, ValueError, AssertionError) as error:
        # What the library does not know how to refuse: a version of YAML that does not exist.
        raise YAMLError(f"it cannot be read ({type(error).__name__} {error})") from None


def _nodes_without_loose_tabs(text: str) -> Iterator[Node | None]:
    """Return the nodes of a text, without the tabs that only our reader minds."""
    with suppress(YAMLError):
        if _LOOSE_TAB.search(text):
            next(_nodes(text), None)
        return _nodes(text)
    # As long as before, so that every place stays. Texts lose a tab at the end of a line.
    return _nodes(_LOOSE_TAB.sub(lambda tab: " " * len(tab.group()), text))


class _TooDeepError(YAMLError):
    """Brackets or blocks are nested deeper than is read; `mark` is where."""

    def __init__(self, mark: StreamMark) -> None:
        super().__init__()
        self.mark = mark


class _BoundedScanner(Scanner):
    """Stops at what is nested too deep: to find the end of it costs the square of its depth."""

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 - the library calls it so
        """Open a bracket."""
        if len(self.flow_context) > DEPTH_MAX:
            raise _TooDeepError(self.reader.get_mark())
        super().fetch_flow_collection_start(TokenClass, to_push)

    def add_indent(self, column: int) -> bool:
        """Open a block."""
        if len(self.indents) > DEPTH_MAX:
            raise _TooDeepError(self.reader.get_mark())
        return bool(super().add_indent(column))


def _documents(
    nodes: Iterator[Node | None], text: str, path: str, kind: type[_Builder]
) -> Iterator[Document]:
    count = 0
    while True:
        builder = kind(path)
        try:
            node = next(nodes, _END)
            data = builder.whole(node, text)
        except YAMLError as error:
            raise _mistake(error, text, path) from None
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
        node, *others = [*islice(_nodes(text), 2)] or [None]
        if others:
            _yaml().compose(text)  # it says where the second begins
        data = builder.whole(node, text)
    except YAMLError as error:
        raise _mistake(error, text, path) from None
    return Document(path, data, builder.values, builder.keys)


class _Builder:
    """Turns composed nodes into plain values and notes the place of each."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: Places = {}
        self.keys: Places = {}
        self.count = 0  # of values, those that were merged included
        # Of the library's constructor only the reading of plain scalars is used, never of tags.
        self.scalars = YAML(typ="safe", pure=True).constructor

    def whole(self, node: Node | None, text: str) -> Value:
        """Return the plain value of a document of `text`; aliases are counted before."""
        if node is None or node is _END:
            return None
        if "*" in text and (large := first_too_large(node, {})) is not None:
            raise self.error(_TOO_MANY, large)
        return self.build(node, ())

    def build(self, node: Node, steps: Steps) -> Value:
        """Return the plain value of `node`, which stands at `steps`."""
        if len(steps) > DEPTH_MAX:
            raise self.error(_TOO_DEEP, node)
        self.count += 1
        if self.count > VALUES_MAX:
            raise self.error(_TOO_MANY, node)
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
            name = self.text(key)
            if key.tag == f"{_TAG}merge" or (name == "<<" and key.style is None):
                for source in child.value if isinstance(child, SequenceNode) else [child]:
                    if not isinstance(source, MappingNode):
                        raise self.error(BrokenRule("'<<'", "merge mappings"), source)
                    # Of several sources the first wins, as YAML's merge key asks.
                    self.count += 1
                    for inner, value in self.mapping(source, steps).items():
                        merged.setdefault(inner, value)
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
            return self.text(node)
        if tag not in _PLAIN_TAGS:
            raise self.error(f"unknown tag {node.tag!s}", node)
        if tag == "int" and len(node.value) > NUMBER_LETTERS_MAX:
            return self.check(WHOLE_MAX + 1, node)
        try:
            value: bool | int | float | str | None = self.scalars.construct_object(node)
        except ValueError:
            wrong = BrokenRule(f"a value tagged !!{tag}", "be of that type", node.value)
            raise self.error(wrong, node) from None
        overflowed = isinstance(value, float) and isinf(value) and "inf" not in node.value.lower()
        return self.check(value, node, overflowed=overflowed)

    def text(self, node: Node) -> str:
        """Return the text of a scalar; letters that are written as two halves are joined."""
        text = str(node.value)
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return self.check(text, node)

    def check(self, value: T, node: Node, *, overflowed: bool = False) -> T:
        """Return a single value; raise `InputError` for one that no reader can use."""
        if (broken := check_scalar(value, overflowed=overflowed)) is not None:
            raise self.error(broken, node)
        return value

    def error(self, problem: Problem | str, node: Node) -> InputError:
        return Place(self.path, *_position(node)).error(problem)


class _TextBuilder(_Builder):
    """Builds every scalar as the text that stands there, which is what Go puts into text fields."""

    def mapping(self, node: MappingNode, steps: Steps) -> dict[str, Value]:
        if any(_is_null(key) for key, _ in node.value):
            node, written = copy(node), node.value
            node.value = [(key, child) for key, child in written if not _is_null(key)]
        return super().mapping(node, steps)

    def scalar(self, node: ScalarNode) -> str | None:
        if _is_null(node):
            return None
        if str(node.tag) == f"{_TAG}binary":
            try:
                return base64.b64decode(str(node.value)).decode()
            except ValueError:
                raise self.error(BrokenRule("binary text", "be base64 of UTF-8"), node) from None
        return self.text(node)


def _is_null(node: Node) -> bool:
    return str(node.tag) == f"{_TAG}null" and getattr(node, "style", None) is None


def _mistake(error: YAMLError, text: str, path: str) -> InputError:
    if isinstance(error, _TooDeepError):
        return Place(path, error.mark.line + 1, error.mark.column + 1).error(_TOO_DEEP)
    if isinstance(error, MarkedYAMLError):
        return _syntax_error(error, path)
    return _character_error(error, text, path)


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _syntax_error(error: MarkedYAMLError, path: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    parts = [part.strip() for part in (error.context, error.problem) if part]
    if error.context_mark is not None and error.context and error.problem:
        parts[0] = f"{error.context} begun in line {error.context_mark.line + 1}".strip()
    place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
    return place.error(InvalidSyntax("this", "YAML", ", ".join(parts)))


def _character_error(error: YAMLError, text: str, path: str) -> InputError:
    at = getattr(error, "position", None)
    if not isinstance(at, int):
        return Place(path).error(InvalidSyntax("this", "YAML", str(error)))
    detail = InvalidSyntax("this", "YAML", f"the character {text[at]!r} is not allowed")
    return Place(path, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)).error(detail)
