"""A page in the browser, with everything that it said and asked for while it was shown.

Made by the fixture `view`. Nothing here judges: a test compares `console`, `requests` and the
faults that axe-core reports with what it expects, mostly nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError as WaitedTooLongError

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import ConsoleMessage, Page, Request

SERIOUS: Final = ("serious", "critical")
COMPLAINTS: Final = ("error", "warning")
"""Kinds of console messages that a page of ours never writes."""


@dataclass(eq=False)  # playwright writes an attribute on the owner of a handler
class ViewedPage:
    """A page; `console` has its errors and warnings as text, thrown ones included.

    `requests` are the addresses that it asked for, its own document left out, and `failed` those
    of them that were not answered, refused by its Content-Security-Policy among them.
    """

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen from before the first request on."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.console.append(f"thrown: {error}"))
        self.page.on("request", self._record)
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in COMPLAINTS:
            self.console.append(f"{message.type}: {message.text}")

    def _record(self, request: Request) -> None:
        is_document = request.is_navigation_request() and request.frame == self.page.main_frame
        if not (is_document or request.url.startswith(("data:", "blob:"))):
            self.requests.append(request.url)

    def open_file(self, file: Path) -> None:
        """Show a file, as a double click on it does, and wait until it is loaded."""
        self.page.goto(file.as_uri(), wait_until="load")

    def tab_through(self, selector: str, presses: int) -> list[str]:
        """Press Tab so often; return the texts of what matches `selector`, as it is reached."""
        reached = []
        for _ in range(presses):
            self.page.keyboard.press("Tab")
            script = "(it) => document.activeElement.closest(it)?.textContent ?? ''"
            reached.append(self.page.evaluate(script, selector))
        return [text for text in reached if text]

    def open(self, url: str) -> None:
        """Show what a server answers, and wait until it is loaded."""
        self.page.goto(url, wait_until="load")

    def first_content_s(self, patience_s: float = 5.0) -> float:
        """Return when the browser first painted content, in seconds from the navigation's start.

        Raises `AssertionError` when it painted none within `patience_s`.
        """
        script = "performance.getEntriesByName('first-contentful-paint').map(it => it.startTime)"
        with suppress(WaitedTooLongError):  # loaded, a page may still have to be painted
            painted = f"() => {script}.length"
            self.page.wait_for_function(painted, timeout=1000 * patience_s)
        entries: list[float] = self.page.evaluate(script)
        assert entries, "nothing was painted"
        return entries[0] / 1000

    def accessibility_faults(self) -> list[str]:
        """Return what axe-core holds to be serious or critical: the rule and each place."""
        report = Axe().run(self.page, options={"resultTypes": ["violations"]})
        return [
            f"{violation['id']} ({violation['impact']}): {' '.join(map(str, node['target']))}"
            for violation in report.response["violations"]
            if violation["impact"] in SERIOUS
            for node in violation["nodes"]
        ]
