"""The browser of this machine, by its path: one of Debian's chromium, or a Chrome of its user.

Playwright would bring a browser of its own, from a server of its own; these tests use the one that
the machine has. Run as a program, it prints the path and fails when there is none, which is what
`tools/install-chromium.sh` asks. Without a browser `leave_out` makes one loud skip of all tests.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Playwright

VARIABLE: Final = "AGENTASKIT_SIM_BROWSER"
"""Names the browser to use: a path, or a program on PATH."""
NAMES: Final = (
    "chromium-headless-shell",  # the same engine for less than half the processor time
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
FOLDER: Final = Path(__file__).parent


def find_browser(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the first browser of `NAMES`, or the one that `VARIABLE` names; None without one."""
    chosen = environment.get(VARIABLE)
    names = (chosen,) if chosen else NAMES
    paths = (shutil.which(name, path=environment.get("PATH", os.defpath)) for name in names)
    return next((Path(path) for path in paths if path), None)


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """Start the browser without a window; there must be one."""
    # Chromium's own sandbox refuses to work for root, as in a container.
    as_root = hasattr(os, "getuid") and os.getuid() == 0
    return playwright.chromium.launch(
        executable_path=find_browser(), args=[*arguments], chromium_sandbox=not as_root
    )


def leave_out(config: pytest.Config, items: list[pytest.Item], browser: Path | None) -> None:
    """Leave tests that need a browser to CI; without one, keep one, as a skip that says so."""
    needing = [item for item in items if FOLDER in item.path.parents and _has_page(item)]
    for item in needing:
        item.add_marker(pytest.mark.ci)
    if browser is not None or not needing:
        return
    reason = (
        f"NO BROWSER: the {len(needing)} browser tests did not run; `make browser` installs"
        f" chromium, or {VARIABLE} names one"
    )
    needing[0].add_marker(pytest.mark.skip(reason=reason))
    config.hook.pytest_deselected(items=needing[1:])
    items[:] = [item for item in items if item not in needing[1:]]


def _has_page(item: pytest.Item) -> bool:
    return bool({"browser", "view", "open_page"} & set(getattr(item, "fixturenames", ())))


if __name__ == "__main__":
    path = find_browser()
    print(path or "")  # noqa: T201 - the script that asks reads it
    sys.exit(path is None)
