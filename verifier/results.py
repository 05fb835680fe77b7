"""Results on disk: whole or not at all.

Used by the front door around a run: the folder is made beside its final place before anything is
simulated, so a place that cannot be written is known at once, and takes its name only when every
file is there. A run that ends early leaves nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.errors import InputError
from verifier.errors import JudgeError
from verifier.junit import junit
from verifier.report import summary
from verifier.verdict import document, ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Any, Self

    from verifier.verdict import ScenarioOutcome

DEFAULT_PARENT = Path("results")


class Results:
    """The results folder of one run, as a context manager; `save` puts it in place."""

    def __init__(self, folder: Path | None) -> None:
        """Save in `folder`; without one in a new folder `results/<date>-<time>`."""
        self.folder = folder or _fresh(DEFAULT_PARENT)
        self._draft: Path | None = None
        self._made_parent = False

    def __enter__(self) -> Self:
        """Make the draft folder; raise `InputError` when the place cannot be written."""
        try:
            if self.folder.exists() and not self.folder.is_dir():
                raise InputError("results need a folder, this is a file", path=str(self.folder))
            self._made_parent = not self.folder.parent.exists()
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            prefix = f".{self.folder.name}-"
            self._draft = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder.parent))
        except OSError as error:
            message = f"results cannot be saved here: {error.strerror}"
            raise InputError(message, path=str(self.folder)) from None
        return self

    def save(self, outcomes: Sequence[ScenarioOutcome]) -> Path:
        """Write verdict.json, junit.xml and summary.md; return the folder they are in.

        Of live scenarios also notifications.json, all that the receivers were told. A folder that
        was there keeps its other files. Raises `JudgeError` when the disk refuses.
        """
        draft = self._draft
        if draft is None:
            raise RuntimeError("results must be entered before they are saved")
        try:
            for name, text in files(outcomes).items():
                write_whole(draft / name, text)
            draft.chmod(0o755)
            if self.folder.is_dir():
                for name in files(outcomes):
                    (draft / name).replace(self.folder / name)
            else:
                draft.replace(self.folder)
        except OSError as error:
            raise JudgeError(
                f"results cannot be saved in {self.folder} ({error.strerror}): free some space or"
                " choose another place with --out"
            ) from None
        return self.folder

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove what was made and holds no results."""
        if self._draft is not None:
            shutil.rmtree(self._draft, ignore_errors=True)
        if self._made_parent:
            with contextlib.suppress(OSError):  # it holds results: then it stays
                self.folder.parent.rmdir()


def files(outcomes: Sequence[ScenarioOutcome]) -> dict[str, str]:
    """Return the text of every results file by name, `verdict.json` last."""
    told = ledger(outcomes)
    return {
        **({"notifications.json": _json(told)} if told else {}),
        "summary.md": summary(outcomes),
        "junit.xml": junit(outcomes),
        "verdict.json": _json(document(outcomes)),
    }


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that its name never stands for half of it; raise `OSError`."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2, allow_nan=False) + "\n"


def _fresh(parent: Path) -> Path:
    """Return a folder's path under `parent` that nobody has, named for this moment."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (stamp, *(f"{stamp}-{count}" for count in range(2, 1000)))
    return next(path for path in (parent / name for name in names) if not path.exists())
