"""Read YAML and JSON files so that every value knows its line and column.

Called by every reader of user files: scenarios, topologies, rules, policies, dashboards. Any
mistake is an `InputError` with its place; duplicate keys are refused. Reading is bounded in size,
depth and number of values (aliases counted each time they are used), and constructs plain
values only: mappings, lists, text, numbers, booleans, null. Dates stay text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from documents.json_reader import read_json
from documents.mistakes import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

Step = str | int
YAML_BYTES_MAX = 1 << 20
JSON_BYTES_MAX = 8 << 20
DEPTH_MAX = 64
VALUES_MAX = 200_000
_PLAIN_TAGS = ("null", "bool", "int", "float")
_TEXT_TAGS = ("str", "timestamp", "value")
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: plain `data`, and the place of every value and key in it."""

    path: str
    data: Any
    values: dict[tuple[Step, ...], tuple[int, int]] = field(repr=False)
    keys: dict[tuple[Step, ...], tuple[int, int]] = field(repr=False)

    def position(self, steps: Sequence[Step]) -> tuple[int, int]:
        """Return (line, column), from 1, of the value at `steps`, else of its nearest parent."""
        return _nearest(self.values, tuple(steps))

    def key_position(self, steps: Sequence[Step]) -> tuple[int, int]:
        """Return (line, column), from 1, of the key at `steps`, else as `position`."""
        return self.keys.get(tuple(steps)) or self.position(steps)

    def error(self, message: str, steps: Sequence[Step], *, at_key: bool = False) -> InputError:
        """Return an `InputError` that points at the value (or the key) at `steps`."""
        line, column = self.key_position(steps) if at_key else self.position(steps)
        return InputError(message, path=self.path, line=line, column=column)


def load(path: str | Path) -> Document:
    """Read a `.json` file as JSON, any other as YAML 1.2; raise `InputError` on any mistake."""
    is_json = Path(path).suffix == ".json"
    text = read_text(path, bytes_max=JSON_BYTES_MAX if is_json else YAML_BYTES_MAX)
    return parse_json(text, str(path)) if is_json else parse(text, str(path))


def read_text(path: str | Path, *, bytes_max: int) -> str:
    """Read a UTF-8 text file of at most `bytes_max` bytes; raise `InputError` when it is not."""
    name = str(path)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(bytes_max + 1)
    except FileNotFoundError:
        raise InputError("no such file", path=name) from None
    except IsADirectoryError:
        raise InputError("a file is needed here, this is a directory", path=name) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read: {reason}", path=name) from None
    if len(raw) > bytes_max:
        raise InputError(f"the file must be at most {bytes_max} bytes long", path=name)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = f"the text must be UTF-8, got byte 0x{raw[error.start]:02x}"
        raise InputError(message, path=name, line=line, column=column) from None


def parse_json(text: str, path: str) -> Document:
    """Read JSON text; `path` only names it in errors."""
    return Document(path, *read_json(text, path))


def parse(text: str, path: str) -> Document:
    """Read YAML 1.2 text holding one document; `path` only names it in errors."""
    builder = _Builder(path)
    try:
        node = YAML(typ="safe", pure=True).compose(text)
        data = None if node is None else builder.build(node, ())
    except MarkedYAMLError as error:
        raise _syntax_error(error, path) from None
    except YAMLError as error:
        raise _character_error(error, text, path) from None
    except RecursionError:
        raise InputError(f"values must be nested at most {DEPTH_MAX} deep", path=path) from None
    return Document(path, data, builder.values, builder.keys)


class _Builder:
    """Turns composed nodes into plain values and notes where each stood."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.values: dict[tuple[Step, ...], tuple[int, int]] = {}
        self.keys: dict[tuple[Step, ...], tuple[int, int]] = {}
        self.scalars = YAML(typ="safe", pure=True).constructor

    def build(self, node: Node, steps: tuple[Step, ...]) -> Any:
        """Return the plain value of `node`, which stands at `steps`."""
        if len(steps) > DEPTH_MAX:
            raise self.error(f"values must be nested at most {DEPTH_MAX} deep", node)
        if len(self.values) >= VALUES_MAX:
            raise self.error(f"the file must hold at most {VALUES_MAX} values", node)
        self.values[steps] = _place(node)
        if isinstance(node, MappingNode):
            return self.mapping(node, steps)
        if isinstance(node, SequenceNode):
            return [self.build(child, (*steps, i)) for i, child in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # noqa: S101 - YAML knows no fourth kind
        return self.scalar(node)

    def mapping(self, node: MappingNode, steps: tuple[Step, ...]) -> dict[str, Any]:
        """Return a mapping with text keys; `<<` merges, what stands beside it wins."""
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, ScalarNode):
                raise self.error("a key must be a single word, got a list or mapping", key)
            name = str(key.value)
            if key.tag == f"{_TAG}merge" or (name == "<<" and key.style is None):
                for source in child.value if isinstance(child, SequenceNode) else [child]:
                    if not isinstance(source, MappingNode):
                        raise self.error("'<<' must merge mappings", source)
                    merged = {**self.mapping(source, steps), **merged}
                continue
            if name in own:
                first = self.keys[(*steps, name)][0]
                raise self.error(f"duplicate key {name!r}, first given in line {first}", key)
            self.keys[(*steps, name)] = _place(key)
            own[name] = self.build(child, (*steps, name))
        return {**merged, **own}

    def scalar(self, node: ScalarNode) -> Any:
        """Return text, number, boolean or null; refuse tags that would construct anything else."""
        tag = str(node.tag).removeprefix(_TAG)
        if tag in _TEXT_TAGS or node.style is not None:
            return str(node.value)
        if tag not in _PLAIN_TAGS:
            raise self.error(f"unknown tag {node.tag!s}", node)
        try:
            return self.scalars.construct_object(node)
        except ValueError:
            raise self.error(f"{node.value!r} is no {tag}", node) from None

    def error(self, message: str, node: Node) -> InputError:
        line, column = _place(node)
        return InputError(message, path=self.path, line=line, column=column)


def _place(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _nearest(
    places: dict[tuple[Step, ...], tuple[int, int]], steps: tuple[Step, ...]
) -> tuple[int, int]:
    for length in range(len(steps), -1, -1):
        if steps[:length] in places:
            return places[steps[:length]]
    return 1, 1


def _syntax_error(error: MarkedYAMLError, path: str) -> InputError:
    mark = error.problem_mark or error.context_mark
    parts = [part for part in (error.context, error.problem) if part]
    if error.context_mark is not None and error.context and error.problem:
        parts[0] = f"{error.context} begun in line {error.context_mark.line + 1}"
    message = "this is not YAML: " + ", ".join(part.strip() for part in parts)
    if mark is None:
        return InputError(message, path=path)
    return InputError(message, path=path, line=mark.line + 1, column=mark.column + 1)


def _character_error(error: YAMLError, text: str, path: str) -> InputError:
    at = getattr(error, "position", None)
    if not isinstance(at, int):
        return InputError(f"this is not YAML: {error}", path=path)
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    message = f"this is not YAML: the character {text[at]!r} is not allowed"
    return InputError(message, path=path, line=line, column=column)
