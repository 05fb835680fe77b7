"""How a configuration file is walked: every mistake is noted with its place, then all are told.

The base of the readers of Prometheus' and Alertmanager's own formats: each names its keys and what
they mean; shape, place and wording are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from documents.mistakes import Place, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from documents.mistakes import InputError
    from documents.yaml_reader import Document, Step


class Reader:
    """One walk over a document; `mistakes` are collected, what is wrong reads as if left out."""

    def __init__(self, document: Document) -> None:
        """Walk over `document`."""
        self.document = document
        self.mistakes: list[InputError] = []

    def mapping(
        self, raw: Any, steps: tuple[Step, ...], known: Sequence[str] | None
    ) -> dict[str, Any]:
        """Return a mapping that may be left out; `known` are the keys it may have."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.mistake(f"a mapping must stand here, got {raw!r:.40}", steps)
            return {}
        for key in raw:
            if known is not None and key not in known:
                self.unknown(key, steps, known)
        return raw

    def sequence(self, raw: Any, steps: tuple[Step, ...]) -> Sequence[Any]:
        """Return a list that may be left out."""
        if raw is None:
            return ()
        if not isinstance(raw, list):
            self.mistake(f"a list must stand here, got {raw!r:.40}", steps)
            return ()
        return raw

    def unknown(self, key: str, steps: tuple[Step, ...], known: Sequence[str]) -> None:
        """Note a key that is none of those known."""
        hint = did_you_mean(key, known) or f", known are {', '.join(known)}"
        message = f"unknown key {key!r}{hint}"
        self.mistakes.append(self.document.error(message, (*steps, key), at_key=True))

    def mistake(self, message: str, steps: tuple[Step, ...]) -> None:
        """Note a mistake of the value at `steps`."""
        self.mistakes.append(self.document.error(message, steps))

    def position(self, steps: tuple[Step, ...]) -> Place:
        """Return where the value at `steps` stands."""
        return Place(self.document.path, *self.document.position(steps))
