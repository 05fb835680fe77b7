"""A selector as plain values: its metric and its matchers, and which label sets it takes.

Called by every check that holds a selector against what is exported. Patterns are RE2's, as the
engine's are; one that is none takes nothing here, and the engine refuses it anyway.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.mistakes import InputError
from verifier.pack.routes.go_regexp import matches_whole
from verifier.promql.reads import NAME

if TYPE_CHECKING:
    import promql_parser as promql

    from verifier.labels import Labels

SIGNS: Final = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_PLAIN: Final = re.compile(r"[\w ./:-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class LabelMatcher:
    """A condition on one label; a label that a series does not have has the empty value."""

    name: str
    operator: str
    value: str

    @property
    def is_positive(self) -> bool:
        """Whether it takes what matches, and not all else."""
        return self.operator in ("=", "=~")

    @property
    def is_pattern(self) -> bool:
        """Whether its value is a regular expression."""
        return self.operator.endswith("~")

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The plain values that it lists, none when it is a pattern of any other kind."""
        if not self.is_pattern:
            return (self.value,)
        parts = self.value.removeprefix("(").removesuffix(")").split("|")
        plain = all(part == "" or (_PLAIN.fullmatch(part) and "." not in part) for part in parts)
        return tuple(part for part in parts if part) if plain else ()

    def takes(self, value: str) -> bool:
        """Whether a value of the label meets it."""
        if not self.is_pattern:
            return (value == self.value) == self.is_positive
        try:
            return matches_whole(self.value, value) == self.is_positive
        except InputError:
            return False

    def __str__(self) -> str:
        """Write it as it stands in a selector."""
        return f'{self.name}{self.operator}"{self.value}"'


def matchers_of(node: promql.VectorSelector) -> tuple[LabelMatcher, ...]:
    """Return the conditions of a selector on labels, without that on the name."""
    return tuple(
        LabelMatcher(each.name, SIGNS[str(each.op)], each.value)
        for each in node.matchers.matchers
        if each.name != NAME
    )


def takes_all(matchers: tuple[LabelMatcher, ...], labels: Labels, ignored: frozenset[str]) -> bool:
    """Whether a series meets every matcher; those on `ignored` labels count as met."""
    own = dict(labels)
    return all(m.name in ignored or m.takes(own.get(m.name, "")) for m in matchers)
