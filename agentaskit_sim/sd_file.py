"""The file in which a user's own Prometheus finds the world (`file_sd_configs`).

`up` writes it whole when the world is served and removes it at the end. A file with any other
content is the user's own and never touched.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from documents.files import write_whole
from documents.mistakes import InputError
from exporter.server.discovery import describe_targets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def target_file(path: Path | None, address: str, cells: int = 1) -> Iterator[None]:
    """Keep `address` (host:port) in the file at `path`, if any, inside a `with` block.

    With several `cells` it names as many targets.

    Raises `InputError` when the file cannot be written or holds something else.
    """
    if path is None:
        yield
        return
    _check_content(path)
    text = json.dumps(describe_targets(address, cells), indent=2) + "\n"
    try:
        write_whole(path, text)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=str(path)) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            # Another world may have written its own address since.
            if path.read_text(encoding="utf-8") == text:
                path.unlink()


def _check_content(path: Path) -> None:
    """Raise `InputError` unless the file is missing or holds the address of some world."""
    try:
        groups = json.loads(path.read_text(encoding="utf-8"))
        [address] = groups[0]["targets"]
        ours = groups == describe_targets(address, len(groups))
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=str(path)) from None
    except (ValueError, TypeError, LookupError):
        ours = False
    if not ours:
        raise InputError("holds something else: give the world a file of its own", path=str(path))
