"""The token that changes of a live world's faults need: from a file or the environment.

`serve` asks for it, `fault` shows it. It is never printed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from documents.mistakes import InputError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "AGENTASKIT_SIM_TOKEN"
TOKEN_BYTES_MAX = 4096


def read_token(path: Path | None) -> str | None:
    """Return the token in the file, else in the environment, else None; raises `InputError`."""
    if path is None:
        given = os.environ.get(VARIABLE)
        return None if given is None else _check(given, VARIABLE)
    try:
        with path.open("rb") as file:
            raw = file.read(TOKEN_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=str(path)) from None
    return _check(raw.decode("utf-8", "replace"), str(path))


def _check(text: str, where: str) -> str:
    token = text.strip()
    if not (token.isascii() and token.isprintable() and 0 < len(token) <= TOKEN_BYTES_MAX):
        rule = f"1 to {TOKEN_BYTES_MAX} printable characters of ASCII, in one line"
        raise InputError(f"the token in {where} must be {rule}")
    return token
