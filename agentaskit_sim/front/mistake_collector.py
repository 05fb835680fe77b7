"""The mistakes of all files of a command line, kept until every file was read.

Called by what reads several files: a user is shown what is wrong in all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from documents.mistakes import InputError, Mistake, gather

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")
_Arguments = ParamSpec("_Arguments")


@dataclass(frozen=True, slots=True)
class Reading(Generic[_Value]):
    """What a reader returned, or the mistake that it raised."""

    result: _Value | InputError

    @property
    def value(self) -> _Value:
        """What was read; raises the mistake where there is one."""
        if isinstance(self.result, InputError):
            raise self.result
        return self.result

    @property
    def values(self) -> tuple[_Value, ...]:
        """What was read, or nothing."""
        return () if isinstance(self.result, InputError) else (self.result,)

    @property
    def is_read(self) -> bool:
        """Whether there is a value."""
        return not isinstance(self.result, InputError)


class MistakeCollector:
    """Calls readers and checks one after another and keeps their mistakes until `finish`."""

    def __init__(self) -> None:
        """Know of no mistake yet."""
        self._mistakes: list[InputError] = []

    def read(
        self,
        reader: Callable[_Arguments, _Value],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> Reading[_Value]:
        """Call `reader`; its value is there after `finish`."""
        try:
            return Reading(reader(*arguments, **named))
        except InputError as error:
            self._mistakes.append(error)
            return Reading(error)

    def check(self, reading: Reading[_Value], rule: Callable[[_Value], None]) -> None:
        """Call `rule` with what was read; do nothing where nothing was."""
        if reading.is_read:
            self.read(rule, reading.value)

    def note(self, mistake: Mistake) -> None:
        """Keep a mistake."""
        self._mistakes.append(InputError(mistake))

    def finish(self) -> None:
        """Raise one `InputError` with all mistakes, if there are any."""
        if self._mistakes:
            raise gather(self._mistakes)
