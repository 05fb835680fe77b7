"""Reads a /metrics page, in Prometheus's text format or OpenMetrics, into what it exports.

Called with the text of a file or of an answer. Values do not matter: which names, types and label
sets there are does. A line that is none of the format is a mistake with its place.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule
from documents.mistakes import MISTAKES_MAX, Place, gather
from verifier.check.exports.families import TARGET_LABELS, Exports, sample_names

if TYPE_CHECKING:
    from documents.mistakes import Mistake
    from verifier.labels import Labels

SERIES_MAX: Final = 300_000
"""Series of a page that are read: three hundred times what a busy exporter has."""

_COMMENT: Final = re.compile(r"#\s*(HELP|TYPE|UNIT)\s+(\"(?:\\.|[^\"\\])*\"|\S+)\s*(.*)")
_NAME: Final = re.compile(r"[a-zA-Z_:][\w:]*", re.ASCII)
_LABEL: Final = re.compile(
    r'\s*(?:"(?P<quoted>(?:\\.|[^"\\])*)"|(?P<plain>[a-zA-Z_]\w*))'
    r'\s*(?:=\s*"(?P<value>(?:\\.|[^"\\])*)")?\s*(?P<end>,\s*\}|,|\})',
    re.ASCII,
)
_VALUE: Final = re.compile(
    r"\s*[+-]?(?:(?:\d[\d.]*|\.\d+)(?:e[+-]?\d+)?|0x\S+|nan|inf\w*)\b", re.IGNORECASE
)
_ESCAPE: Final = re.compile(r"\\(.)")
_RULE: Final = "be a sample or a comment of the text format, as on a /metrics page"


def read_page(text: str, path: str, target_labels: frozenset[str] = TARGET_LABELS) -> Exports:
    """Return what a page exports; `path` names it. Raises one `InputError` with every mistake.

    A label of the page that the server gives to the target as well is stored as `exported_...`.
    """
    kinds: dict[str, str] = {}
    series: dict[str, dict[Labels, None]] = {}
    mistakes: list[Mistake] = []
    count = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            if (comment := _COMMENT.match(line)) and comment[1] == "TYPE":
                kinds[_unquoted(comment[2])] = comment[3].strip().lower()
            continue
        sample = _sample(line)
        if sample is None or count >= SERIES_MAX:
            rule = _RULE if sample is None else f"hold at most {SERIES_MAX:,} series"
            field = "the line" if sample is None else "the page"
            mistakes.append(Place(path, number, 1).mistake(BrokenRule(field, rule)))
            if len(mistakes) >= MISTAKES_MAX or sample is not None:
                break
            continue
        name, labels = sample
        count += 1
        series.setdefault(name, {})[_stored(labels, target_labels)] = None
    if mistakes:
        raise gather(mistakes)
    if not series and not kinds:
        raise Place(path).error(BrokenRule("the page", "hold at least one metric"))
    return _exports(path, series, kinds, target_labels)


def _exports(
    path: str,
    series: dict[str, dict[Labels, None]],
    kinds: dict[str, str],
    target_labels: frozenset[str],
) -> Exports:
    by_sample: dict[str, str] = {}
    declared: set[str] = set()
    for family, kind in kinds.items():
        names = sample_names(family, kind)
        there = [name for name in names if name in series]
        for name in names:
            by_sample[name] = kind
        # Of a summary without quantiles the bare name is none, and never will be.
        declared.update(() if there else names)
    return Exports(
        path,
        {name: tuple(sets) for name, sets in series.items()},
        {name: "unknown" if kind == "untyped" else kind for name, kind in by_sample.items()},
        frozenset(declared),
        target_labels=target_labels,
    )


def _sample(line: str) -> tuple[str, Labels] | None:
    """Return name and labels of a line, None for one that is no sample."""
    named = _NAME.match(line)
    name, at = (named[0], named.end()) if named else ("", 0)
    labels: list[tuple[str, str]] = []
    rest = line[at:].lstrip()
    if rest.startswith("{"):
        at, ended = line.index("{", at) + 1, False
        if line[at:].lstrip().startswith("}"):
            at, ended = line.index("}", at) + 1, True
        while not ended:
            label = _LABEL.match(line, at)
            if label is None:
                return None
            key = label["plain"] or _unquoted(label["quoted"] or "")
            if label["value"] is None:
                name = name or key  # {"a.name", ...}, as names of any letters are written
            else:
                labels.append((key, _unescaped(label["value"])))
            at, ended = label.end(), label["end"] != ","
    if not name or _VALUE.match(line, at) is None:
        return None
    return name, tuple(sorted(pair for pair in labels if pair[1]))


def _stored(labels: Labels, target_labels: frozenset[str]) -> Labels:
    if not any(name in target_labels for name, _ in labels):
        return labels
    kept = ((f"exported_{n}" if n in target_labels else n, value) for n, value in labels)
    return tuple(sorted(kept))


def _unquoted(text: str) -> str:
    return _unescaped(text[1:-1]) if text.startswith('"') else _unescaped(text)


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text)
