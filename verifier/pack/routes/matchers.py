"""Alertmanager's matchers: conditions on labels, in both of its syntaxes.

The classic syntax is that of 0.26 and before. Later versions know names and values of any letters
(see `verifier.pack.routes.utf8_matchers`) and fall back: a text that the classic syntax can read
means what it meant there. What a version does not take, its own check has refused before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Mistake
from verifier.pack.routes.go_regexp import check_pattern, matches_whole
from verifier.pack.routes.utf8_matchers import SPACES, split_matchers

if TYPE_CHECKING:
    from collections.abc import Mapping

_MATCHER: Final = re.compile(
    r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*"
    r"((?s:.*?))[\t\n\f\r ]*"
)
_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}
_EXAMPLE: Final = 'severity="critical"'


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label, `=`, `!=`, `=~` or `!~`; a missing label has the empty value."""

    name: str
    operator: str
    value: str

    def __post_init__(self) -> None:
        """Raise `InputError` for a regular expression that is none."""
        if self.operator in ("=~", "!~"):
            check_pattern(self.value)

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert with these labels meets the condition."""
        value = labels.get(self.name, "")
        if self.operator in ("=", "!="):
            return (value == self.value) == (self.operator == "=")
        return matches_whole(self.value, value) == (self.operator == "=~")

    def __str__(self) -> str:
        """Write it as in a configuration."""
        return f'{self.name}{self.operator}"{self.value}"'


def parse_matchers(text: str) -> list[Matcher]:
    """Return the matchers of a text such as `severity="critical", team=~"a|b"`, braces or not.

    Raises `InputError` when it is none.
    """
    try:
        return _parse_classic(text)
    except InputError as error:
        try:
            return [Matcher(*parts) for parts in split_matchers(text)]
        except ValueError:  # an `InputError` too: the classic syntax says what is wrong
            raise error from None


def _parse_classic(text: str) -> list[Matcher]:
    return [_parse_matcher(part) for part in _split(text.removeprefix("{").removesuffix("}"))]


def _split(text: str) -> list[str]:
    """Return the parts between the commas that stand outside quotes."""
    parts = [""]
    quoted = escaped = False
    for letter in text:
        if letter == "," and not quoted:
            parts.append("")
            continue
        if letter == '"':
            quoted, escaped = quoted if escaped else not quoted, False
        elif letter == "\\":
            escaped = not escaped
        elif letter != ",":
            # A comma within quotes leaves a backslash before it in force, as in Alertmanager.
            escaped = False
        parts[-1] += letter
    parts[-1] = parts[-1].strip(SPACES)
    return parts if parts[-1] else parts[:-1]


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
            value += _ESCAPES.get(letter, f"\\{letter}")
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


def _broken(field: str, rule: str, value: str) -> InputError:
    return InputError(Mistake(BrokenRule(field, rule, value)))
