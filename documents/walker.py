"""The one way in which a configuration document is walked: every mistake is noted with its place.

The base of the readers of scenarios, rules, dashboards, routing and policies: each names its keys
and what they mean; shape, place and the collecting of mistakes are here. A walk never stops at a
mistake, so that a person is shown all of a file's mistakes at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from documents.mistake_kinds import BrokenRule, UnknownKey
from documents.mistakes import MISTAKES_MAX, InputError, Mistake, Place, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from documents.document import Document, Step, Steps, Value
    from documents.mistake_kinds import Problem

T = TypeVar("T")
NON_EMPTY = "text that is not empty"


class Walker:
    """One walk over a document; what is wrong is noted and then reads as if left out."""

    def __init__(self, document: Document) -> None:
        """Walk over `document`."""
        self.document = document
        self.mistakes: list[Mistake] = []

    def mapping(
        self, raw: Value, steps: Steps, known: Sequence[str] | None = None
    ) -> dict[str, Value]:
        """Return a mapping that may be left out; `known` are its keys, None for any."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.reject(BrokenRule(dotted(steps), "be a mapping", raw), steps)
            return {}
        for key in raw:
            if known is not None and key not in known:
                self.reject(UnknownKey(key, tuple(known)), (*steps, key), at_key=True)
        return raw

    def sequence(self, raw: Value, steps: Steps) -> Sequence[Value]:
        """Return a list that may be left out."""
        if raw is None:
            return ()
        if not isinstance(raw, list):
            self.reject(BrokenRule(dotted(steps), "be a list", raw), steps)
            return ()
        return raw

    def text(self, holder: dict[str, Value], key: str, steps: Steps, *, empty: bool = False) -> str:
        """Return the text at `key` of `holder`, which stands at `steps`; it must not be left out.

        With `empty` it may be empty.
        """
        value = holder.get(key)
        if isinstance(value, str) and (empty or value.strip()):
            return value
        self.reject(BrokenRule(key, f"be {'text' if empty else NON_EMPTY}", value), (*steps, key))
        return ""

    def attempt(self, make: Callable[[], T], steps: Steps) -> T | None:
        """Return what `make` returns; or None after noting its `InputError` at `steps`."""
        try:
            return make()
        except InputError as error:
            for mistake in error.mistakes:
                self.reject(mistake.problem, steps)
        return None

    def reject(self, problem: Problem | str, steps: Steps, *, at_key: bool = False) -> None:
        """Note what is wrong with the value (or the key) at `steps`, up to `MISTAKES_MAX`."""
        if len(self.mistakes) >= MISTAKES_MAX:
            return
        place = self.document.key_place(steps) if at_key else self.document.place(steps)
        self.mistakes.append(place.mistake(problem))

    def place(self, steps: Sequence[Step]) -> Place:
        """Return where the value at `steps` stands."""
        return self.document.place(steps)

    def raise_mistakes(self) -> None:
        """Raise all mistakes noted so far as one `InputError`, if there are any."""
        if self.mistakes:
            raise gather(self.mistakes)

    def finish(self, result: T | None) -> T:
        """Return the result of a walk; raise all mistakes as one `InputError`, if there are any.

        A result may be None only beside a mistake.
        """
        self.raise_mistakes()
        assert result is not None  # noqa: S101 - a walk that returns nothing has noted why
        return result


def dotted(steps: Sequence[Step]) -> str:
    """Return steps as people write them, `load.stages[0].target`; `the file` for its top."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".") or "the file"
