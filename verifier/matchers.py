"""Alertmanager's label matchers, read and applied by its own rules.

Called by the reader of an Alertmanager configuration. The classic syntax, that of 0.25; later
versions read it the same way. Regular expressions are Go's: those that Python reads otherwise are
translated or refused, never silently taken for something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_MATCHER: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*((?s:.*?))\s*")
_ONLY_PYTHON: Final = re.compile(r"\(\?(?:[=!>(#]|<[=!]|P=|P>)|\\[1-9Z]|[*+?}]\+|\\N\{")
_ONLY_GO: Final = re.compile(r"\\[pPQEC]|\[\[:|\(\?[a-zA-Z]*U|\\x\{")
_ESCAPED: Final = re.compile(r"\\\\")


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


def _compile(pattern: str) -> re.Pattern[str]:
    """Return a Go regular expression as Python's; raise ValueError when that cannot be done."""
    bare = _ESCAPED.sub("", pattern)
    if found := _ONLY_PYTHON.search(bare):
        raise ValueError(f"{found.group()!r} is no part of Alertmanager's regular expressions")
    if found := _ONLY_GO.search(bare):
        raise ValueError(f"{found.group()!r} in a regular expression is not judged here")
    try:
        return re.compile(pattern.replace("(?<", "(?P<").replace(r"\z", r"\Z"), re.ASCII)
    except re.error as error:
        raise ValueError(f"a regular expression must be right, got {pattern!r}: {error}") from error
