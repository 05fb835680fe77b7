"""Reads PromQL as every engine in use does: one door to the syntax tree for the whole verifier.

The library knows the grammar of one version. What other engines take and it does not (texts in
backticks, functions of another time, digits in groups, RE2's quoting) is brought into its own words
before. Whether an expression is valid is the engine's to say, never ours: who only wants to
understand one and gets a ValueError here falls back to `names_and_ranges`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import Final

import promql_parser as promql

DEPTH_MAX: Final = 200
"""Brackets within brackets, or signs before signs: the library's own stack ends in the thousands,
and with it the process."""

OPERATIONS_MAX: Final = 400
"""A chain of binary operations is a tree as deep as it is long; Python's stack ends at 1000."""

EXPRESSIONS_MAX: Final = 1 << 15
"""Expressions that are remembered: each is asked about some ten times in a run."""
ASKED_MAX: Final = 5_000
"""Operators and brackets of an expression that an engine is asked about: what it takes grows with
their square, half a second for so many, a minute for a hundred thousand."""
UNASKED: Final = f"it has more than {ASKED_MAX:,} operators and brackets, too many to ask about"

RANGE_MAX_S: Final = (1 << 63) / 1e9
"""The longest that Prometheus counts, in nanoseconds."""
HEX_LETTERS_MAX: Final = 250

RENAMED: Final = {"holt_winters": "double_exponential_smoothing"}
"""Functions by the name of an older engine, with the name that the library knows."""

_TOKEN: Final = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
    | (?P<raw>`[^`]*`)
    | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))
    | (?P<number>0[xX][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?[\d_]+)?(?!\w))
    | (?P<word>:?[a-zA-Z_][\w:]*)
    | (?P<open>[(\[{]) | (?P<close>[)\]}]) | (?P<sign>[-+*/%^=!<>])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_UNUSUAL: Final = re.compile(r"`|\d_|" + "|".join(RENAMED))
"""Without any of these the library is asked for the text as it is."""

_SET_OPERATORS: Final = ("and", "or", "unless", "atan2")
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_UNITS_S: Final = {"y": 31536000, "w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
_ESCAPED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_QUOTED: Final = re.compile(r"\\\\Q(.*?)(?:\\\\E|(?=[\"']$))", re.DOTALL)
_CLASS: Final = re.compile(
    r"\\\\.|\[(?P<start>\^?\]?)(?P<rest>(?:\[:\^?\w+:\]|\\\\.|[^\]])*)\]", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class NamesAndRanges:
    """What can be said of a text that no parser of ours takes: more than it reads, never less.

    `names` are all words and all quoted texts, `ranges_s` the durations in their order.
    """

    names: frozenset[str]
    ranges_s: tuple[float, ...]


@lru_cache(EXPRESSIONS_MAX)
def parse(expr: str) -> promql.Expr:
    """Return the syntax tree of `expr`, the same for all; raise ValueError if it cannot be read.

    A function that several engines call differently has the name of the newest in the tree.
    """
    _check_depth(expr)
    text = _TOKEN.sub(_in_library_words, expr) if _UNUSUAL.search(expr) else expr
    try:
        return promql.parse(text)
    except ValueError:
        respelt = _TOKEN.sub(_in_rust_regex, text)
        if respelt == text:
            raise
    return promql.parse(respelt)


def is_askable(expr: str) -> bool:
    """Return whether an engine can be asked about `expr` without waiting long for its answer."""
    if len(expr) <= ASKED_MAX:
        return True
    parts = sum(
        bool(token["sign"] or token["open"])
        or (token["word"] or "").casefold() in (*_SET_OPERATORS, "offset")
        for token in _TOKEN.finditer(expr)
    )
    return parts <= ASKED_MAX


def names_and_ranges(text: str) -> NamesAndRanges:
    """Scan the words, texts and durations of `text`, whatever its grammar.

    A number in brackets, or after `offset`, is a range in seconds as well.
    """
    names: set[str] = set()
    ranges_s: list[float] = []
    before = ""
    for token in _TOKEN.finditer(text):
        if token["word"]:
            names.add(token["word"])
        elif token["raw"] or token["text"]:
            names.add(token.group()[1:-1])
        elif token["duration"]:
            parts = _PART.findall(token["duration"])
            ranges_s.append(_bounded(sum(float(count) * _UNITS_S[unit] for count, unit in parts)))
        elif token["number"] and before.casefold() in ("[", "offset"):
            ranges_s.append(_bounded(_number(token["number"])))
        before = token.group()
    return NamesAndRanges(frozenset(names), tuple(ranges_s))


def _check_depth(expr: str) -> None:
    """Raise ValueError for what would overrun the library's stack, or that of our own walks."""
    depth = signs = operations = braces = 0
    for token in _TOKEN.finditer(expr) if len(expr) > DEPTH_MAX else ():
        is_sign = token["sign"] is not None
        signs = signs + 1 if is_sign else 0
        depth += (token["open"] is not None) - (token["close"] is not None)
        braces += (token["open"] == "{") - (token["close"] == "}")
        if not braces:  # within them are matchers, not operations
            operations += is_sign or (token["word"] or "").casefold() in _SET_OPERATORS
        if max(depth, signs) > DEPTH_MAX or operations > OPERATIONS_MAX:
            raise ValueError("it is nested too deep, or too long, to be read")


def _in_library_words(token: re.Match[str]) -> str:
    """Return a token of PromQL as the library spells it."""
    if token["raw"]:
        return f'"{token["raw"][1:-1].translate(_ESCAPED)}"'
    if token["number"]:
        return token["number"].replace("_", "")
    return RENAMED.get(token.group(), token.group())


def _in_rust_regex(token: re.Match[str]) -> str:
    r"""Return a text as Rust's regular expressions spell what RE2 means; other tokens as they are.

    RE2 quotes with `\Q..\E`, and `[` in a class is a letter like any other.
    """
    if not token["text"]:
        return token.group()
    text = _QUOTED.sub(lambda quoted: re.sub(r"(\W)", r"\\\\\1", quoted[1]), token["text"])
    return _CLASS.sub(_with_plain_brackets, text)


def _with_plain_brackets(match: re.Match[str]) -> str:
    if match["rest"] is None:
        return match.group()
    rest = re.sub(r"\[(?!:\^?\w+:\])", r"\\\\[", match["rest"])
    return f"[{match['start']}{rest}]"


def _number(text: str) -> float:
    plain = text.replace("_", "")
    if plain[:2] not in ("0x", "0X"):
        return float(plain)
    return float(int(plain, 16)) if len(plain) <= HEX_LETTERS_MAX else inf


def _bounded(seconds: float) -> float:
    return min(seconds, RANGE_MAX_S)
