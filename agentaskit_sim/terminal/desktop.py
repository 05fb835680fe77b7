"""Opens the page of a world in the browser of the desktop, where there is one.

Only a person at a terminal has asked for it: neither a pipe, nor a job of CI, nor a shell on
another machine. What cannot be opened is no mistake: the address stands on the terminal.
"""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def has_desktop(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Return whether a browser that is opened appears before the person who typed the command."""
    if "SSH_CONNECTION" in environment or "CI" in environment:
        return False
    if platform in {"darwin", "win32"}:
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_page(url: str, *, is_terminal: bool) -> bool:
    """Open `url` beside this program; return whether that was tried."""
    if not (is_terminal and has_desktop()):
        return False
    # In a thread: some programs that open a browser wait until it has started.
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    return True
