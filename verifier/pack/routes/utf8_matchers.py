"""Alertmanager's newer matcher syntax (0.27 and later), in which names may hold any letter.

A name or a value is quoted, with the escapes of a Go string, or a run of letters without any of
the reserved ones. Used by `verifier.pack.routes.matchers` for what the classic syntax cannot read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go calls space: not quite what Python does."""

_TOKEN: Final = re.compile(
    rf"""
    [{SPACES}]+ | (?P<mark>[{{}},]) | (?P<operator>=~|!=|!~|=)
    | (?P<quoted>"(?:\\[\s\S]|[^"\\])*") | (?P<bare>[^{SPACES}{{}}!=~,\\"'`]+)
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(
    r"""\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\"]))|\\"""
)
_SIMPLE: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
    '"': '"',
}  # fmt: skip

Parts = tuple[str, str, str]
"""Name, operator and value of a matcher."""


def split_matchers(text: str) -> list[Parts]:
    """Return the matchers of a text; raise ValueError when it is none."""
    tokens = [*_tokens(text), ("end", "")]
    braced = tokens[0][1] == "{" and tokens[0][0] == "mark"
    at = int(braced)
    matchers: list[Parts] = []
    while tokens[at][0] in ("quoted", "bare"):
        (_, operator), at = _expect(tokens, at + 1, "operator"), at + 2
        kind, value = _expect(tokens, at, "quoted", "bare")
        name_kind, name = tokens[at - 2]
        matchers.append((_text(name_kind, name), operator, _text(kind, value)))
        at += 1
        if tokens[at][1] != "," or tokens[at][0] != "mark":
            break
        at += 1
    if braced:
        at += 1 if _expect(tokens, at, "mark")[1] == "}" else len(tokens)
    if at != len(tokens) - 1:
        raise ValueError("what follows the matchers is none")
    return matchers


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"unexpected {text[at]!r}")
        if match.lastgroup is not None:
            yield match.lastgroup, match.group()
        at = match.end()


def _expect(tokens: list[tuple[str, str]], at: int, *kinds: str) -> tuple[str, str]:
    kind, text = tokens[min(at, len(tokens) - 1)]
    if kind not in kinds:
        raise ValueError(f"unexpected {text!r}")
    return kind, text


def _text(kind: str, raw: str) -> str:
    """Return what a token stands for; a quoted one is a Go string, which holds no line end."""
    if kind == "bare":
        return raw
    if "\n" in raw:
        raise ValueError("a line end within quotes must be written \\n")
    value = b""
    at = 1
    for match in _ESCAPE.finditer(raw, 1, len(raw) - 1):
        value += raw[at : match.start()].encode() + _escaped(match)
        at = match.end()
    return (value + raw[at:-1].encode()).decode()


def _escaped(match: re.Match[str]) -> bytes:
    """Return the bytes of an escape; raise ValueError for one that Go does not know."""
    byte, octal, short, long, simple = match.groups()
    if simple:
        return _SIMPLE[simple].encode()
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8)])
    if short or long:
        return chr(int(short or long, 16)).encode()
    raise ValueError("unknown escape")
