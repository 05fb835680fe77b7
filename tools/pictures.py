"""`make pictures`: the two pictures that README.md opens with, of real runs, in a real browser.

`report.png` is the report of a real `verify`, at the scenario that leaks slots of a sandbox;
`page.png` is the page of a real `up` with that fault in effect, once its alert was notified. Run it
after a change of how either looks, and look at both before they go into a commit. Exit status 3
without a browser, 1 when a run does not come to that point or a picture is too large.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.agentaskit_sim.processes import Running  # noqa: E402 - on the path only now
from tests.browser.chromium import VARIABLE, find_browser, launch  # noqa: E402 - as above

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

PICTURES: Final = ROOT / "docs" / "pictures"
BYTES_MAX: Final = 250_000
"""A picture in a repository is fetched by everyone who clones it."""
WIDTH_PX: Final = 1280
REPORT_PX, PAGE_PX = 860, 1060
"""Heights: one scenario of the report with its axis of time; the alerts and faults of the page."""
SCENARIOS: Final = ("dependency-outage", "sandbox-leak")
SHOWN: Final = "sandbox-leak"
ALERT: Final = "SandboxPoolExhaustion"
SHARE: Final = "0.81"
"""As README.md has it: the pool runs out, and nothing else does."""
RULES: Final = (
    *("--rules", "observability/alerts"),
    *("--overlay", "observability/overlays/extras.yaml"),
)
"""As `make run` has them."""
LIMIT_MS: Final = 120_000
NO_BROWSER: Final = f"""\
No browser, so no pictures. Either:
  make browser    installs Debian's chromium
  {VARIABLE}=PROGRAM    names one
The old pictures are as they were."""


def main() -> int:
    """Make both pictures; return an exit status."""
    if find_browser() is None:
        print(NO_BROWSER, file=sys.stderr)
        return 3
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        launched = launch(playwright)
        take_report(launched, PICTURES / "report.png")
        take_page(launched, PICTURES / "page.png")
        launched.close()
    for each in too_large(PICTURES):
        print(f"{each.name} is larger than {BYTES_MAX:,} bytes", file=sys.stderr)
    return 1 if too_large(PICTURES) else 0


def too_large(folder: Path) -> list[Path]:
    """Return the pictures in a folder that are larger than a picture may be."""
    return [file for file in sorted(folder.iterdir()) if file.stat().st_size > BYTES_MAX]


def take_report(browser: Browser, picture: Path) -> None:
    """Run the scenarios, open the report where the shown one begins, and take a picture of it."""
    with tempfile.TemporaryDirectory() as results:
        verify = [sys.executable, "-m", "agentaskit_sim", "verify", *SCENARIOS, *RULES]
        verify += ["--out", results]
        subprocess.run(verify, cwd=ROOT, check=True)
        page = blank_page(browser, REPORT_PX)
        page.goto(f"{(Path(results) / 'report.html').as_uri()}#scenario-{SHOWN}")
        shown = page.locator(f"#scenario-{SHOWN}")
        expect(shown.locator(".row canvas").first).to_be_visible()
        page.wait_for_timeout(500)  # what is drawn above it moves it, and it is shown again
        save(page, picture)


def take_page(browser: Browser, picture: Path) -> None:
    """Break a pool of a served world by the form, wait for the notification, take a picture."""
    with running_stack() as url:
        page = blank_page(browser, PAGE_PX)
        page.goto(url)
        expect(page.locator("#live .state")).to_have_text("live")
        page.get_by_label("inject", exact=True).select_option("sandbox_leak")
        page.get_by_label("share").fill(SHARE)
        page.get_by_text("Targets, time and name").click()
        page.get_by_label("B", exact=True).check()
        page.wait_for_timeout(20_000)  # so that there is something to see before the fault
        page.get_by_role("button", name="Inject").click()
        notified = page.locator(".notification-log")
        expect(notified).to_contain_text(ALERT, timeout=LIMIT_MS)
        page.get_by_text("Targets, time and name").click()
        page.wait_for_timeout(10_000)
        page.evaluate("scrollTo(0, 0)")
        save(page, picture)


@contextmanager
def running_stack() -> Iterator[str]:
    """Run `up`, ten times compressed, and yield the address of its page."""
    up = Running("up", "--compress", "10", "--port", "0", "--no-browser", cwd=ROOT)
    try:
        yield up.wait_for(r"World:\s+(http://\S+)", 180)[1]
        up.end(signal.SIGINT)
    finally:
        up.kill()


def blank_page(browser: Browser, height_px: int) -> Page:
    """Return a page in which a pixel of the picture is a pixel of CSS."""
    return browser.new_page(
        viewport={"width": WIDTH_PX, "height": height_px},
        device_scale_factor=1,
        color_scheme="light",
    )


def save(page: Page, picture: Path) -> None:
    """Write what the window shows into a file, and say so."""
    page.screenshot(path=picture)
    print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main())
