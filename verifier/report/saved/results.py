"""Results on disk: whole or not at all.

Used by the front door around a run. Before anything is simulated a folder is made beside the final
place and removed again, so a place that cannot be written is reported at once. The folder itself is
made when there is something to save, and takes its name only when every file is in it. A run that
ends early, be it by `kill -9`, leaves nothing.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from documents.files import by_umask, write_whole
from documents.mistakes import InputError
from verifier.errors import JudgeError
from verifier.judge.verdict_document import document, notifications_document
from verifier.report.html.page import page
from verifier.report.junit import junit
from verifier.report.text import summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.run_record import RunRecord

DEFAULT_PARENT = Path("results")


class Results:
    """The results folder of one run; `save` puts it in place."""

    def __init__(self, folder: Path | None) -> None:
        """Save in `folder`; without one in a new folder `results/<date>-<time>`.

        Raises `InputError` when the place cannot be written; leaves nothing there so far.
        """
        self.folder = folder or _fresh(DEFAULT_PARENT)
        try:
            if self.folder.exists() and not self.folder.is_dir():
                raise InputError(
                    "results must be saved in a folder, this is a file", path=str(self.folder)
                )
            with self._draft():
                pass
        except OSError as error:
            message = f"results cannot be saved here: {error.strerror}"
            raise InputError(message, path=str(self.folder)) from None

    @property
    def has_earlier(self) -> bool:
        """Whether results of an earlier run are in the folder: `save` replaces them."""
        return (self.folder / "verdict.json").exists()

    def save(self, outcomes: Sequence[ScenarioOutcome], run: RunRecord | None = None) -> Path:
        """Write verdict.json, report.html, junit.xml and summary.md; return the folder they are in.

        Of runs in real time also notifications.json, all notifications of the receivers. A folder
        that exists keeps its other files. Raises `JudgeError` when the disk refuses.
        """
        texts = files(outcomes, run)
        try:
            with self._draft() as draft:
                for name, text in texts.items():
                    write_whole(draft / name, text)
                draft.chmod(by_umask(0o777))
                if self.folder.is_dir():
                    for name in texts:
                        (draft / name).replace(self.folder / name)
                else:
                    draft.replace(self.folder)
        except OSError as error:
            raise JudgeError(
                f"results cannot be saved in {self.folder} ({error.strerror}): free some space or"
                " choose another place with --out"
            ) from None
        return self.folder

    @contextlib.contextmanager
    def _draft(self) -> Iterator[Path]:
        """Yield an empty folder beside the final place; remove it when it was not put in place."""
        parent = self.folder.parent
        is_new = not parent.exists()
        draft = parent / f".{self.folder.name}-{secrets.token_hex(4)}"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            draft.mkdir(mode=0o700)
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            if is_new:
                with contextlib.suppress(OSError):  # with results in it, it stays
                    parent.rmdir()


def files(outcomes: Sequence[ScenarioOutcome], run: RunRecord | None = None) -> dict[str, str]:
    """Return the text of every results file by name, `verdict.json` last."""
    notifications = notifications_document(outcomes)
    return {
        **({"notifications.json": _json(notifications)} if notifications else {}),
        "summary.md": summary(outcomes, run),
        "junit.xml": junit(outcomes),
        "report.html": page(outcomes, run),
        "verdict.json": _json(document(outcomes, run)),
    }


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2, allow_nan=False) + "\n"


def _fresh(parent: Path) -> Path:
    """Return the path of a folder under `parent` that does not exist, named for this second."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (stamp, *(f"{stamp}-{count}" for count in range(2, 1000)))
    return next(path for path in (parent / name for name in names) if not path.exists())
