"""Loads rule files for a run: the engine that judges says whether they are valid.

Called by the front door before anything runs. One question for all files. What the engine refuses
is a mistake of the file (`InputError`) in its own words, beside ours where we know better; what it
takes is never refused here: what we cannot follow is named as not judged, and the rest is judged.
Keys that only newer engines know and that can be honoured without them end no run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from documents.files import read_bytes
from documents.mistake_kinds import InvalidSyntax
from documents.mistakes import InputError, gather
from verifier.errors import Finding, NotJudged
from verifier.pack.rule_sources import IGNORED_KEYS, read_source
from verifier.pack.rule_writer import as_yaml
from verifier.pack.rules import (
    DEFAULT_INTERVAL_S,
    RuleFiles,
    join,
    read_unit,
    whole_number,
)
from verifier.promql.parsing import is_askable
from verifier.rule_files.engine_words import refusals
from verifier.rule_files.unfollowed import without_unfollowed
from verifier.servers.prometheus.rule_check import ask_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from documents.document import Value
    from documents.mistakes import Mistake
    from verifier.pack.rule_sources import RuleUnit
    from verifier.pack.rules import UnitReading

ENGINE_BYTES_MAX: Final = 64 << 20
"""Of a file that we cannot read, and about which the engine is asked all the same."""
NEWER_KEYS: Final = {
    "labels": "its labels are given to every rule of the group here",
    "query_offset": "the group is judged without it",
}
"""Keys of a group that came with Prometheus 3 (2.53), and what is done when an older one judges."""
_UNKNOWN_KEY: Final = re.compile(r"field (\w+) not found in type rulefmt\.RuleGroup\b")


def load_checked_rules(
    paths: Iterable[str | Path], *, default_interval_s: float = DEFAULT_INTERVAL_S
) -> RuleFiles:
    """Read rule files that the engine takes; raise one `InputError` with every mistake in them.

    Raises JudgeError when no engine can be asked.
    """
    pieces: list[_Piece] = []
    readings: list[RuleFiles] = []
    mistakes: list[InputError | Mistake] = []
    for path in paths:
        try:
            source = read_source(path)
        except InputError as error:
            content = _bytes(path)
            if content is None:
                mistakes.append(error)
            else:
                pieces.append(_Piece(content, error=error))
            continue
        pieces += [_Piece(_content(unit), unit) for unit in source.units]
        readings.append(RuleFiles((), source.findings))
    for piece, opinion in zip(pieces, _ask(pieces), strict=True):
        if piece.unit is None:
            mistakes += piece.mistakes(opinion)
            readings.append(RuleFiles((), (), piece.not_judged(opinion)))
            continue
        reading = read_unit(piece.unit, default_interval_s, accepted=opinion.accepts)
        if not opinion.accepts:
            mistakes += _mistakes(piece.unit, opinion, reading)
        readings.append(_judged(piece.unit, opinion, reading))
    if mistakes:
        raise gather(mistakes)
    return without_unfollowed(join(readings))


@dataclass(frozen=True, slots=True)
class _Opinion:
    """What the engine said of a piece, `left_out` being keys that it was not shown.

    With `as_it_stands` it was shown the very file.
    """

    version: str
    words: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    as_it_stands: bool = True

    @property
    def accepts(self) -> bool:
        return not self.words


@dataclass(frozen=True, slots=True)
class _Piece:
    """What the engine is asked about: a unit, or a file that our own reader cannot read."""

    content: bytes
    unit: RuleUnit | None = None
    error: InputError | None = None

    def mistakes(self, opinion: _Opinion) -> list[InputError]:
        """Return why it cannot be read, unless the engine reads it."""
        return [] if self.error is None or opinion.accepts else [self.error]

    def not_judged(self, opinion: _Opinion) -> tuple[NotJudged, ...]:
        """Return what the engine reads and we do not."""
        if self.error is None or not opinion.accepts:
            return ()
        return tuple(
            NotJudged("every rule of the file", f"we cannot read it: {mistake.sentence}", place)
            for mistake in self.error.mistakes
            if (place := mistake.place) is not None
        )


def _bytes(path: str | Path) -> bytes | None:
    try:
        return read_bytes(path, bytes_max=ENGINE_BYTES_MAX)
    except InputError:
        return None


def _content(unit: RuleUnit) -> bytes:
    """Return what the engine is asked about a unit: the very file, or the groups of a resource."""
    content = _bytes(unit.document.path) if _is_shown_whole(unit) else None
    return _document(unit, ()) if content is None else content


def _is_shown_whole(unit: RuleUnit) -> bool:
    return not unit.is_resource and not any(map(_is_unasked, _rules(unit)))


def _rules(unit: RuleUnit) -> Iterator[dict[str, Value]]:
    """Yield every rule of a unit that is a mapping."""
    for _, group in unit.groups():
        rules = group.get("rules")
        yield from (r for r in (rules if isinstance(rules, list) else ()) if isinstance(r, dict))


def _is_unasked(rule: Value) -> bool:
    """Return whether the engine is not shown a rule's expression; the rule will not be judged."""
    expr = rule.get("expr") if isinstance(rule, dict) else None
    return isinstance(expr, str) and not is_askable(expr)


def _ask(pieces: Sequence[_Piece]) -> list[_Opinion]:
    """Return the engine's opinion on each piece, by two questions at most."""
    answer = ask_engine([piece.content for piece in pieces])
    opinions = [
        _Opinion(
            answer.version, words, as_it_stands=piece.unit is None or _is_shown_whole(piece.unit)
        )
        for piece, words in zip(pieces, answer.refusals, strict=True)
    ]
    again = [
        (index, unit, keys)
        for index, (piece, opinion) in enumerate(zip(pieces, opinions, strict=True))
        if (unit := piece.unit) is not None and (keys := _newer_keys(opinion.words))
    ]
    if again:
        second = ask_engine([_document(unit, keys) for _, unit, keys in again])
        for (index, _, keys), words in zip(again, second.refusals, strict=True):
            opinions[index] = _Opinion(answer.version, words, keys, as_it_stands=False)
    return opinions


def _newer_keys(words: Sequence[str]) -> tuple[str, ...]:
    """Return the keys for which an older engine refuses a file, and which it can do without."""
    names = dict.fromkeys(name for text in words for name in _UNKNOWN_KEY.findall(text))
    return tuple(name for name in names if name in NEWER_KEYS)


def _document(unit: RuleUnit, left_out: Sequence[str]) -> bytes:
    """Return the groups of a unit as a rule file, every text as it was read."""
    data = dict(unit.data) if isinstance(unit.data, dict) else unit.data
    if isinstance(data, dict) and isinstance(data.get("groups"), list):
        ignored = IGNORED_KEYS if unit.is_resource else ()
        groups = data["groups"]
        assert isinstance(groups, list)  # noqa: S101 - as was just asked
        data["groups"] = [_group(group, (*left_out, *ignored)) for group in groups]
    return as_yaml(data).encode("utf-8", "surrogatepass")


def _group(raw: Value, left_out: Sequence[str]) -> Value:
    """Return a group without some keys; its limit is the one number of a rule file."""
    if not isinstance(raw, dict):
        return raw
    group = {key: value for key, value in raw.items() if key not in left_out}
    if isinstance(rules := group.get("rules"), list):
        group["rules"] = [
            {**rule, "expr": "vector(0)"} if isinstance(rule, dict) and _is_unasked(rule) else rule
            for rule in rules
        ]
    try:
        return group | {"limit": whole_number(group["limit"])} if "limit" in group else group
    except InputError:
        return group


def _mistakes(unit: RuleUnit, opinion: _Opinion, reading: UnitReading) -> list[Mistake]:
    """Return what is wrong with a unit, each thing once: in our words where they say more."""
    theirs = list(refusals(unit, opinion.words, as_it_stands=opinion.as_it_stands))
    ours = reading.mistakes
    if any(refusal.rule is not None for refusal in theirs):
        # It came as far as the expressions, of which it knows more than we do.
        ours = tuple(m for m in ours if not isinstance(m.problem, InvalidSyntax))
    lines = {(mistake.place.path, mistake.place.line) for mistake in ours if mistake.place}
    beside = [
        refusal.mistake(opinion.version)
        for refusal in theirs
        if (refusal.place.path, refusal.place.line) not in lines
        and (refusal.rule is not None or refusal.has_line or not ours)
    ]
    return [*ours, *beside]


def _judged(unit: RuleUnit, opinion: _Opinion, reading: UnitReading) -> RuleFiles:
    """Return a unit's rules as they are judged; no mistake in what the engine takes stops them."""
    rules = reading.rules
    findings = [
        Finding(
            unit.document.key_place((*steps, key)),
            f"Prometheus {opinion.version} refuses the key {key}, which came with a newer one:"
            f" {NEWER_KEYS[key]}",
        )
        for steps, group in unit.groups()
        for key in opinion.left_out
        if key in group
    ]
    groups = rules.groups
    if "query_offset" in opinion.left_out:
        groups = tuple(replace(group, query_offset_s=0.0) for group in groups)
    not_judged = tuple(
        NotJudged("what stands here", f"we cannot read it: {mistake.sentence}", place)
        for mistake in (reading.mistakes if opinion.accepts else ())
        if (place := mistake.place) is not None
    )
    return RuleFiles(groups, (*rules.findings, *findings), (*rules.not_judged, *not_judged))
