"""Finds the places in a user's file that the engine's words about it mean.

Called with what the engine said of a rule file that it refuses. Its words are kept as they are; its
own numbers of lines are used where it names nothing better, and only for what it read as it stands.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from documents.document import Steps
    from documents.mistakes import Mistake, Place
    from verifier.pack.rule_sources import RuleUnit

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_RULE: Final = re.compile(
    rf"(?:\d+:\d+: )*group (?P<group>{_QUOTED}), rule (?P<rule>\d+), {_QUOTED}: (?P<words>.*)",
    re.DOTALL,
)
_LINES: Final = re.compile(r"yaml: (?:unmarshal errors:\n)?(?=\s*line \d+: )")
_LINE: Final = re.compile(r"\s*line (\d+): (.*)", re.DOTALL)
_POSITION: Final = re.compile(r"((?:\d+:\d+: )+)(.*)", re.DOTALL)
_ENTRY: Final = re.compile(rf"(annotation|label) ({_QUOTED}): ")
_NAME: Final = re.compile(r"invalid (annotation|label) name: (.*)", re.DOTALL)
_VALUE: Final = re.compile(r"invalid (?:annotation|label) value")
_FIELD: Final = re.compile(r"(?:invalid )?field '(\w+)'")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the engine said, and what it is about: `steps` of the unit's document, or a line of it.

    `rule` are the steps of the rule that it names, None where it names none; `has_line` says
    whether it names a line of the file.
    """

    words: str
    place: Place
    rule: Steps | None = None
    has_line: bool = False

    def mistake(self, version: str) -> Mistake:
        """Return it as a mistake of the file's author."""
        return self.place.mistake(f"Prometheus {version} refuses this: {self.words}")


def refusals(unit: RuleUnit, said: Sequence[str], *, as_it_stands: bool) -> Iterator[Refusal]:
    """Yield each thing that the engine said of a unit, with its place.

    With `as_it_stands` it read the file itself, whose lines it means.
    """
    for words in said:
        named = _RULE.fullmatch(words)
        steps = None if named is None else _rule_steps(unit, named)
        if named is not None and steps is not None:
            yield _about_rule(unit, named["words"], steps)
            continue
        for part in re.split(r"\n(?=\s*line \d+: )", _LINES.sub("", words)):
            yield _about_line(unit, part.strip(), as_it_stands=as_it_stands)


def _rule_steps(unit: RuleUnit, named: re.Match[str]) -> Steps | None:
    """Return where the rule stands that the engine names by its group and its number from 1."""
    name = _unquoted(named["group"])
    for steps, group in unit.groups():
        rules = group.get("rules")
        if group.get("name") != name or not isinstance(rules, list):
            continue
        # The engine never sees an entry that is nothing.
        numbers = [index for index, rule in enumerate(rules) if rule is not None]
        if int(named["rule"]) <= len(numbers):
            return (*steps, "rules", numbers[int(named["rule"]) - 1])
    return None


def _about_rule(unit: RuleUnit, words: str, rule: Steps) -> Refusal:
    document = unit.document
    entry, name, field = _ENTRY.match(words), _NAME.match(words), _FIELD.match(words)
    if entry is not None:
        steps = (*rule, f"{entry[1]}s", _unquoted(entry[2]))
        return Refusal(words, document.place(steps), rule)
    if name is not None:
        return Refusal(words, document.key_place((*rule, f"{name[1]}s", name[2])), rule)
    if field is not None:
        return Refusal(words, document.place((*rule, field[1])), rule)
    if words.startswith("could not parse expression"):
        return Refusal(words, document.place((*rule, "expr")), rule)
    if words.startswith("invalid recording rule name"):
        return Refusal(words, document.place((*rule, "record")), rule)
    return Refusal(words, document.place(rule), rule)


def _about_line(unit: RuleUnit, words: str, *, as_it_stands: bool) -> Refusal:
    position = _LINE.fullmatch(words) or _POSITION.fullmatch(words)
    if position is None:
        return Refusal(words, unit.document.place(unit.steps))
    number = int(position[1].partition(":")[0])
    if not number or not as_it_stands:
        return Refusal(position[2], unit.document.place(unit.steps))
    return Refusal(position[2], _line_place(unit, number), has_line=True)


def _line_place(unit: RuleUnit, line: int) -> Place:
    """Return the place of the first key or value in a line, else the line."""
    document = unit.document
    places = [*document.keys.values(), *document.values.values()]
    column = min((place[1] for place in places if place[0] == line), default=None)
    whole = document.place(())
    return type(whole)(document.path, line, column)


def _unquoted(text: str) -> str:
    """Return a text that Go has quoted."""
    try:
        return str(json.loads(text))
    except ValueError:  # \x00 and its like, which JSON writes otherwise
        return text[1:-1]
