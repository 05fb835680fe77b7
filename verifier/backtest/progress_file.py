"""How far a replay is, kept in a file, so that it can go on after it was ended.

Written whole every few seconds and at the end of whatever ends a run, removed when all is done. A
file of other rules, another server or another range is refused: its counts are of something else.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from documents.files import read_text, write_whole
from documents.mistakes import InputError
from verifier.errors import JudgeError
from verifier.pack.spread import GroupOffset, Spread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verifier.backtest.replay import Replay, ReplayRequest

NAME: Final = "replay.progress.json"
VERSION: Final = 1
WRITE_EVERY_S: Final = 5.0
WRITE_SHARE: Final = 20
"""Writing takes a twentieth of the time at most, however much there is."""
BYTES_MAX: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class SavedReplay:
    """What a file says: the range in Unix seconds as it was then, and the state of each stream.

    `spread` are the offsets of the groups as they were then.
    """

    rules: str
    from_s: float
    to_s: float
    spread: Spread
    streams: list[dict[str, Any]]


class ProgressFile:
    """The file in a folder; `written` are the times as the user wrote them."""

    def __init__(
        self, folder: Path, url: str, written: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write and read nothing yet."""
        self.path = folder / NAME
        self._url, self._written, self._clock = url, written, clock
        self._next_s = 0.0

    def read(self) -> SavedReplay:
        """Return what is saved; raise `InputError` where there is nothing, or of another run."""
        if not self.path.exists():
            raise InputError(
                "there is nothing to resume here: start without --resume", path=str(self.path)
            )
        try:
            saved = json.loads(read_text(self.path, bytes_max=BYTES_MAX))
            known = int(saved["version"]), str(saved["url"]), str(saved["written"])
            replay = SavedReplay(
                str(saved["rules"]),
                float(saved["from_s"]),
                float(saved["to_s"]),
                Spread(groups=tuple(GroupOffset(*each) for each in saved["offsets"])),
                list(saved["streams"]),
            )
        except (ValueError, TypeError, KeyError):
            raise self._refused("is none that a replay wrote") from None
        for which, what, ours in (
            (0, "version", VERSION), (1, "server", self._url), (2, "range", self._written)
        ):  # fmt: skip
            if known[which] != ours:
                raise self._refused(f"is of another {what} ({known[which]}, now {ours})")
        return replay

    def restore(self, replay: Replay, saved: SavedReplay) -> None:
        """Let `replay` go on from `saved`; raise `InputError` when that is of other rules."""
        if saved.rules != fingerprint(replay.request):
            raise self._refused("is of other rules than these")
        try:
            replay.resume([*saved.streams])
        except (ValueError, TypeError, KeyError, AttributeError):
            raise self._refused("is none that a replay wrote") from None

    def write(self, replay: Replay, *, now: bool = False) -> None:
        """Save how far `replay` is, unless that was done just now; raise JudgeError if it fails."""
        started_s = self._clock()
        if not now and started_s < self._next_s:
            return
        request = replay.request
        document = {
            "version": VERSION, "url": self._url, "written": self._written,
            "rules": fingerprint(request), "from_s": request.from_s, "to_s": request.to_s,
            "offsets": [
                (each.file, each.group, each.interval_s, each.offset_s)
                for each in request.spread.groups
            ],
            "streams": replay.saved(),
        }  # fmt: skip
        try:
            write_whole(self.path, json.dumps(document))
        except OSError as error:
            raise JudgeError(f"{self.path} cannot be written ({error.strerror})") from error
        took_s = self._clock() - started_s
        self._next_s = started_s + max(WRITE_EVERY_S, WRITE_SHARE * took_s)

    def remove(self) -> None:
        """Remove the file: nothing is left to be done."""
        self.path.unlink(missing_ok=True)

    def _refused(self, why: str) -> InputError:
        return InputError(f"what is saved here {why}: start without --resume", path=str(self.path))


def fingerprint(request: ReplayRequest) -> str:
    """Return a hash of all that decides what the rules are, and where their files lie."""
    said = [
        (version, group.file, group.name, group.interval_s, group.limit, group.query_offset_s,
         rule.alert, rule.expr, rule.for_s, rule.keep_firing_for_s, rule.labels)
        for version, rules in request.versions
        for group, rule in rules.alerts
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
