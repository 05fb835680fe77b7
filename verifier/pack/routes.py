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

from documents.mistake_kinds import BrokenRule, InvalidSyntax
from documents.mistakes import InputError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MATCHER: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*((?s:.*?))\s*")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_SAME_ESCAPE: Final = re.compile(r"[dDwWsSbBAzafnrtv\W_]|x", re.DOTALL)
"""Escapes that Go and Python read alike; `\\z` is rewritten, `\\pL` is Go's alone."""

_CLASS: Final = re.compile(r"\[\^?\]?[^\]]*\]")
_NAMED_CLASS: Final = re.compile(r"\[:\w*:\]")
_NOT_SAME: Final = re.compile(r"\(\?(?!:|P<\w|[ims]+[:)])|[*+?}]\+|\{,")
"""Groups but the plainest, possessive and open repetitions: Go and Python differ in them."""

_PATTERNS_MAX: Final = 1024
"""Patterns that stay compiled: more than any configuration has matchers."""

_EXAMPLE: Final = 'severity="critical"'


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label, `=`, `!=`, `=~` or `!~`; a missing label has the empty value."""

    name: str
    operator: str
    value: str

    def __post_init__(self) -> None:
        """Raise `InputError` for a regular expression that cannot be judged here."""
        if self.operator in ("=~", "!~"):
            _compile(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert with these labels meets the condition."""
        value = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        return (_compile(self.value).fullmatch(value) is not None) == (self.operator == "=~")


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the route tree; what it does not say itself, it has from its parent. Seconds.

    `continues` is Alertmanager's `continue`: the siblings after it are asked as well.
    """

    receiver: str
    matchers: tuple[Matcher, ...]
    continues: bool
    group_wait_s: float
    group_interval_s: float
    routes: tuple[Route, ...]

    def matching(self, labels: Mapping[str, str]) -> Iterator[Route]:
        """Yield the routes that take an alert, as Alertmanager walks its tree.

        The deepest that match; a route takes the alert itself when none of its children does.
        """
        if not all(matcher.matches(labels) for matcher in self.matchers):
            return
        taken = False
        for child in self.routes:
            below = list(child.matching(labels))
            yield from below
            taken = taken or bool(below)
            if below and not child.continues:
                return
        if not taken:
            yield self


def parse_matchers(text: str) -> list[Matcher]:
    """Return the matchers of a text such as `severity="critical", team=~"a|b"`, braces or not.

    Raises `InputError` when it is none.
    """
    return [_parse_matcher(part) for part in _split(text.removeprefix("{").removesuffix("}"))]


def _split(text: str) -> list[str]:
    """Return the parts between the commas that stand outside quotes."""
    parts = [""]
    quoted = escaped = False
    for letter in text:
        if letter == "," and not quoted:
            parts.append("")
            continue
        if letter == '"' and not escaped:
            quoted = not quoted
        escaped = letter == "\\" and not escaped
        parts[-1] += letter
    return parts if parts[-1].strip() else parts[:-1]


def _parse_matcher(text: str) -> Matcher:
    match = _MATCHER.fullmatch(text)
    if match is None:
        raise _broken("a matcher", f"be written like {_EXAMPLE}", text)
    name, operator, raw = match.groups()
    return Matcher(name, operator, _unquote(raw, text))


def _unquote(raw: str, matcher: str) -> str:
    """Return the value that `raw` stands for, in quotes or not, by Alertmanager's own rules."""
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
                raise _broken("a quote within a matcher's value", "be escaped", matcher)
            closed = True
        else:
            value += letter
    if not closed:
        raise _broken("a matcher's value", "end with its quote", matcher)
    return value


@lru_cache(maxsize=_PATTERNS_MAX)
def _compile(pattern: str) -> re.Pattern[str]:
    """Return a Go regular expression as Python's; raise `InputError` when that cannot be done."""
    for escaped in _ESCAPE.findall(pattern):
        if not _SAME_ESCAPE.fullmatch(escaped):
            raise _unsupported(pattern, f"\\{escaped}")
    skeleton = _ESCAPE.sub("e", pattern)
    unsupported = _NAMED_CLASS.search(skeleton) or _NOT_SAME.search(_CLASS.sub("c", skeleton))
    if unsupported:
        raise _unsupported(pattern, unsupported.group())
    try:
        return re.compile(_ESCAPE.sub(_escape_of_python, pattern), re.ASCII)
    except re.error as error:
        problem = InvalidSyntax(f"regular expression {pattern!r}", "valid", str(error))
        raise InputError(Mistake(problem)) from error


def _escape_of_python(match: re.Match[str]) -> str:
    return r"\Z" if match[1] == "z" else match[0]


def _broken(field: str, rule: str, value: str) -> InputError:
    return InputError(Mistake(BrokenRule(field, rule, value)))


def _unsupported(pattern: str, part: str) -> InputError:
    rule = f"do without {part}, which is not supported here"
    return InputError(Mistake(BrokenRule(f"regular expression {pattern!r}", rule)))
