"""What can be wrong with a value, a key, a name or a file: one frozen class for each kind.

Made by every reader of user input; `documents.mistakes` adds the place, `documents.sentences`
makes the sentence. Nothing here is text for a person but `rule`, `detail` and `hint`, which are
phrases of such a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Shown:
    """A value and the text that stands for it in a sentence: 90.0 and `1m30s`."""

    value: object
    words: str


UNSHOWN = Shown(None, "")
"""For a broken rule whose sentence does not repeat the value."""


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """`field` must `rule`, got `value`.

    `field` is a dotted path (`load.rate`) or a subject (`tier micro: agents`); `rule` completes
    "must": `be above 0`.
    """

    field: str
    rule: str
    value: object = UNSHOWN


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """The text `value` of `field` is none of `choices`."""

    field: str
    value: object
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A mapping has a key that is none of `known`."""

    key: str
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefusedKey:
    """A known key that has no meaning for `subject`, which takes only the `keys` in `usable`."""

    subject: str
    keys: str
    key: str
    usable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingKey:
    """A mapping lacks `key`; `holder` is its dotted path, empty for the whole file."""

    key: str
    holder: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DuplicateKey:
    """A mapping has `key` twice."""

    key: str
    first_line: int


@dataclass(frozen=True, slots=True)
class UnknownName:
    """Nothing of this `kind` ("tier", "receiver") has the name; `known` are the names there are.

    `hint` is printed instead of the list when none is near.
    """

    kind: str
    name: str
    known: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class RepeatedName:
    """Something of this `kind` has a name that another has too, or is listed twice."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class InvalidSyntax:
    """`subject` is not written in `language` (YAML, PromQL); `detail` is its parser's message."""

    subject: str
    language: str
    detail: str


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file cannot be read; `reason` says why: `no such file`.

    `subject` names the file where another file asks for it, empty where its path stands before.
    """

    reason: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A mistake that no code has to distinguish: a sentence without a full stop."""

    sentence: str


Problem: TypeAlias = (
    BrokenRule
    | UnknownWord
    | UnknownKey
    | RefusedKey
    | MissingKey
    | DuplicateKey
    | UnknownName
    | RepeatedName
    | InvalidSyntax
    | UnreadableFile
    | Remark
)
