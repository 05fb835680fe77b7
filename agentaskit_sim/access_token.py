"""The token that a change of a served world's faults needs: from a file or the environment.

`serve` and `up` require it, `fault` sends it. It is never printed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from documents.files import open_regular
from documents.mistakes import InputError

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE: Final = "AGENTASKIT_SIM_TOKEN"
TOKEN_BYTES_MAX: Final = 4096
"""Longer than any real token: a wrong file is refused before it is read whole."""


def read_token(path: Path | None) -> str | None:
    """Return the token in the file, else in the environment, else None; raises `InputError`."""
    if path is None:
        text = os.environ.get(VARIABLE)
        return None if text is None else _check(text, VARIABLE)
    with open_regular(path) as file:
        raw = file.read(TOKEN_BYTES_MAX + 1)
    return _check(raw.decode("utf-8", "replace"), str(path))


def _check(text: str, origin: str) -> str:
    token = text.strip()
    if not (token.isascii() and token.isprintable() and 0 < len(token) <= TOKEN_BYTES_MAX):
        rule = f"1 to {TOKEN_BYTES_MAX} printable characters of ASCII, in one line"
        raise InputError(f"the token in {origin} must be {rule}")
    return token
