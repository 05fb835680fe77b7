"""Alertmanager's routes and their label matchers, followed by its own rules.

Built by the reader of an Alertmanager configuration. Matchers are read in the classic syntax, that
of 0.25; later versions read it the same way. Regular expressions are Go's: one that Python would
read otherwise is refused, never silently taken for something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MATCHER: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*((?s:.*?))\s*")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_SAME_ESCAPE: Final = re.compile(r"[dDwWsSbBAzafnrtv\W_]|x", re.DOTALL)
_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]")
_NAMED_CLASS: Final = re.compile(r"\[:\w*:\]")
_NOT_SAME: Final = re.compile(r"\(\?(?!:|P<\w|[ims]+[:)])|[*+?}]\+|\{,")
"""Groups but the plainest, possessive and open repetitions."""

_PATTERNS_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label, `=`, `!=`, `=~` or `!~`; a label not there is an empty text."""

    name: str
    operator: str
    value: str

    def __post_init__(self) -> None:
        """Raise ValueError for a regular expression that cannot be judged here."""
        if self.operator in ("=~", "!~"):
            _compile(self.value)

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert with these labels meets the condition."""
        value = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        return (_compile(self.value).fullmatch(value) is not None) == (self.operator == "=~")


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the route tree; what it did not say itself, it has from its parent. Seconds."""

    receiver: str
    matchers: tuple[Matcher, ...]
    goes_on: bool
    group_wait_s: float
    group_interval_s: float
    routes: tuple[Route, ...]

    def takers(self, labels: Mapping[str, str]) -> Iterator[Route]:
        """Yield the routes that take an alert, as Alertmanager walks its tree."""
        if not all(matcher.takes(labels) for matcher in self.matchers):
            return
        taken = False
        for child in self.routes:
            found = list(child.takers(labels))
            yield from found
            taken = taken or bool(found)
            if found and not child.goes_on:
                return
        if not taken:
            yield self


def parse_matchers(text: str) -> list[Matcher]:
    """Return the matchers of a text such as `severity="critical", team=~"a|b"`, braces or not.

    Raises ValueError when it is none.
    """
    return [_matcher(token) for token in _tokens(text.removeprefix("{").removesuffix("}"))]


def _tokens(text: str) -> list[str]:
    """Cut at the commas that stand outside quotes."""
    tokens = [""]
    quoted = escaped = False
    for letter in text:
        if letter == "," and not quoted:
            tokens.append("")
            continue
        if letter == '"' and not escaped:
            quoted = not quoted
        escaped = letter == "\\" and not escaped
        tokens[-1] += letter
    return tokens if tokens[-1].strip() else tokens[:-1]


def _matcher(token: str) -> Matcher:
    found = _MATCHER.fullmatch(token)
    if found is None:
        raise ValueError(f'a matcher must be written like severity="critical", got {token!r}')
    name, operator, raw = found.groups()
    quoted = raw.startswith('"')
    value, escaped, closed = "", False, not quoted
    letters = raw[1:] if quoted else raw
    for index, letter in enumerate(letters):
        last = index == len(letters) - 1
        if escaped:
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(letter, f"\\{letter}")
            escaped = False
        elif letter == "\\" and not last:
            escaped = True
        elif letter == '"':
            if not quoted or not last:
                raise ValueError(f"a quote within a matcher's value must be escaped, got {token!r}")
            closed = True
        else:
            value += letter
    if not closed:
        raise ValueError(f"a matcher's value must end with its quote, got {token!r}")
    return Matcher(name, operator, value)


@lru_cache(maxsize=_PATTERNS_MAX)
def _compile(pattern: str) -> re.Pattern[str]:
    """Return a Go regular expression as Python's; raise ValueError when that cannot be done."""
    for escaped in _ESCAPE.findall(pattern):
        if not _SAME_ESCAPE.fullmatch(escaped):
            raise ValueError(f"regular expression {pattern!r}: \\{escaped} is not judged here")
    skeleton = _ESCAPE.sub("e", pattern)
    found = _NAMED_CLASS.search(skeleton) or _NOT_SAME.search(_CLASS.sub("c", skeleton))
    if found:
        raise ValueError(f"regular expression {pattern!r}: {found.group()} is not judged here")
    try:
        return re.compile(_ESCAPE.sub(_escape_of_python, pattern), re.ASCII)
    except re.error as error:
        raise ValueError(f"regular expression {pattern!r} is not right: {error}") from error


def _escape_of_python(found: re.Match[str]) -> str:
    return r"\Z" if found[1] == "z" else found[0]
