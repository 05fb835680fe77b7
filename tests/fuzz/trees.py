"""Documents as trees that may be wrong: keys twice, scalars that no writer would write.

A tree is read from a good document, pruned to a few entries of each list, mutated, and written as
YAML or JSON, one entry a line.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

LIST_MAX: Final = 3
"""Entries of a list that are kept: what is wrong with the twentieth is wrong with the first."""


@dataclass(slots=True)
class Scalar:
    """A value as it is written, with its quotes."""

    text: str


@dataclass(slots=True)
class Items:
    """A list."""

    children: list[Tree] = field(default_factory=list)


@dataclass(slots=True)
class Pairs:
    """A mapping: keys as they are written, any of them twice."""

    children: list[tuple[str, Tree]] = field(default_factory=list)


Tree: TypeAlias = "Scalar | Items | Pairs"


def tree_of(value: object, random: Random | None = None) -> Tree:
    """Return a value as a tree; with `random`, of each list a few entries."""
    if isinstance(value, dict):
        return Pairs([(json.dumps(key), tree_of(child, random)) for key, child in value.items()])
    if isinstance(value, list):
        kept = value
        if random is not None and len(value) > LIST_MAX:
            first = random.randrange(len(value) - LIST_MAX + 1)
            kept = value[first : first + random.randint(1, LIST_MAX)]
        return Items([tree_of(child, random) for child in kept])
    return Scalar(json.dumps(value))


def places(tree: Tree) -> Iterator[tuple[Items | Pairs, int]]:
    """Yield every place below `tree`: what holds it, and its number there."""
    waiting: list[Tree] = [tree]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, Scalar):
            continue
        for number, child in enumerate(holder.children):
            yield holder, number
            waiting.append(child[1] if isinstance(child, tuple) else child)


def at(holder: Items | Pairs, number: int) -> Tree:
    """Return what stands at a place."""
    return holder.children[number][1] if isinstance(holder, Pairs) else holder.children[number]


def put(holder: Items | Pairs, number: int, tree: Tree) -> None:
    """Put `tree` at a place."""
    if isinstance(holder, Pairs):
        holder.children[number] = (holder.children[number][0], tree)
    else:
        holder.children[number] = tree


def written(tree: Tree, indent: int = 0) -> str:
    """Return a tree as JSON, which is YAML in braces as well."""
    if isinstance(tree, Scalar):
        return tree.text
    inner = "\n" + " " * (indent + 1)
    if isinstance(tree, Items):
        parts = [written(child, indent + 1) for child in tree.children]
    else:
        parts = [f"{key}: {written(child, indent + 1)}" for key, child in tree.children]
    marks = "[]" if isinstance(tree, Items) else "{}"
    return (
        f"{marks[0]}{inner}{f',{inner}'.join(parts)}\n{' ' * indent}{marks[1]}" if parts else marks
    )


def in_lines(tree: Tree, indent: int = 0) -> str:
    """Return a tree as YAML in lines, as people write it."""
    space = " " * indent
    if isinstance(tree, Scalar) or not tree.children:
        return f"{space}{written(tree)}\n"
    lines = []
    for child in tree.children:
        key, value = (f"{child[0]}:", child[1]) if isinstance(child, tuple) else ("-", child)
        if isinstance(value, Scalar) or not value.children:
            lines.append(f"{space}{key} {written(value)}\n")
        else:
            lines.append(f"{space}{key}\n{in_lines(value, indent + 2)}")
    return "".join(lines)
