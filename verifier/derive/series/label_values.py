"""Values of a label that satisfy its matchers, and values that break one of them.

Called where series are named. A regular expression is answered with a short text that it matches,
made from its own syntax tree and then checked as an engine would. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from re import _constants as codes  # type: ignore[attr-defined]  # the tree has no public door
from re import _parser as trees  # type: ignore[attr-defined]  # the tree has no public door
from typing import TYPE_CHECKING, Any, Final

import re2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import promql_parser as promql

_SIGNS: Final = {
    "MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~",
}  # fmt: skip
PLAIN: Final = ("other", "another", "value", "a", "200", "500", "0", "1", "/", "")
"""Tried where a value need only be another one; the last is a label that is not there."""
_BY_CATEGORY: Final = {
    codes.CATEGORY_DIGIT: "0",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_NOT_WORD: "-",
}


@dataclass(frozen=True, slots=True)
class SelectorMatcher:
    """One matcher of a selector."""

    label: str
    sign: str
    value: str

    def accepts(self, text: str) -> bool:
        """Return whether a series with this text for the label passes."""
        if self.sign in ("=", "!="):
            return (text == self.value) == (self.sign == "=")
        try:
            matches = re2.fullmatch(self.value, text) is not None
        except re2.error:
            return False
        return matches == (self.sign == "=~")


def matchers_of(selector: promql.VectorSelector) -> tuple[SelectorMatcher, ...]:
    """Return the matchers of a selector, without those of alternatives."""
    return tuple(
        SelectorMatcher(each.name, _SIGNS[str(each.op)], each.value)
        for each in selector.matchers.matchers
    )


def accepted_value(
    matchers: Sequence[SelectorMatcher], preferred: Iterable[str] = ()
) -> str | None:
    """Return a text that passes all `matchers` of one label, a preferred one first."""
    candidates = [
        *preferred,
        *(m.value for m in matchers if m.sign == "="),
        *(text for m in matchers if m.sign == "=~" for text in samples_of(m.value)),
        *PLAIN,
    ]
    return next((text for text in candidates if all(m.accepts(text) for m in matchers)), None)


def refused_value(broken: SelectorMatcher, others: Sequence[SelectorMatcher]) -> str | None:
    """Return a text that `broken` refuses while `others` of the same label pass it."""
    like: list[str] = []
    if broken.sign == "=" and broken.value:
        like = [f"{broken.value}-other"]  # so that a matcher widened to a prefix reads it too
    elif broken.sign[0] == "!":
        like = [broken.value, *samples_of(broken.value)]
    candidates = [*like, *(each.value for each in others), *PLAIN]
    return next(
        (
            text
            for text in candidates
            if not broken.accepts(text) and all(each.accepts(text) for each in others)
        ),
        None,
    )


def samples_of(pattern: str) -> list[str]:
    """Return a few short texts that a regular expression matches, the plainest first."""
    try:
        tree = trees.parse(pattern)
    except (ValueError, RecursionError, OverflowError, trees.error):
        return []
    return list(dict.fromkeys(_texts(tree)))[:12]


def _texts(tree: Any) -> Iterator[str]:
    """Yield texts of a sequence: one for each alternative of its first branch."""
    variants = [""]
    for code, argument in tree:
        parts = _part(code, argument)
        variants = [before + part for before in variants for part in parts][:12]
    yield from variants


def _part(code: Any, argument: Any) -> list[str]:  # noqa: PLR0911 - one for each kind of part
    if code is codes.LITERAL:
        return [chr(argument)]
    if code is codes.NOT_LITERAL:
        return ["a" if argument != ord("a") else "b"]
    if code is codes.ANY:
        return ["x"]
    if code is codes.IN:
        return _of_set(argument)
    if code is codes.BRANCH:
        return [text for branch in argument[1] for text in _texts(branch)]
    if code is codes.SUBPATTERN:
        return list(_texts(argument[-1]))
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        low, _, inner = argument
        return [text * max(low, 0) for text in list(_texts(inner))[:4]]
    return [""]


def _of_set(members: Any) -> list[str]:
    texts = []
    for code, argument in members:
        if code is codes.NEGATE:
            return ["z"]
        if code is codes.LITERAL:
            texts.append(chr(argument))
        elif code is codes.RANGE:
            texts.append(chr(argument[0]))
        elif code is codes.CATEGORY:
            texts.append(_BY_CATEGORY.get(argument, "a"))
    return texts[:3] or ["a"]
