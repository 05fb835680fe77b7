"""The report of the whole library in a browser: quiet, quick to appear, all of it in reach."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scenarios.library.files import library
from tests.machine_lag import needs_quiet_machine
from tests.verifier.simulations import PACK

pytestmark = pytest.mark.long

DRAWN = "[data-drawn=yes] .row canvas"
FIRST_CONTENT_S = 1.0


@pytest.fixture(scope="module")
def report(tmp_path_factory, repository):
    """Return the report of what `make run` runs."""
    out = tmp_path_factory.mktemp("library") / "out"
    arguments = ("--rules", PACK / "alerts", "--overlay", PACK / "overlays" / "extras.yaml")
    command = [sys.executable, "-m", "agentaskit_sim", "verify", *arguments, "--out", out]
    subprocess.run(command, cwd=repository, check=True)
    return out / "report.html"


def test_it_is_quiet_and_easy_to_read(report, view):
    """No word on the console, no request, no serious fault by axe-core, every part opened."""
    view.open_file(report)
    # Below the matrix and the lists of twenty scenarios: what is far from the window is not drawn.
    view.page.locator("[id^=scenario-]").first.scroll_into_view_if_needed()
    view.page.wait_for_selector(DRAWN)
    assert view.accessibility_faults() == []
    view.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    view.page.wait_for_selector(".tile")
    assert (view.console, view.requests, view.failed) == ([], [], [])


@needs_quiet_machine
def test_its_first_content_is_there_within_a_second(report, view):
    """As the browser measures it, from the file."""
    view.open_file(report)
    view.page.wait_for_selector("thead a")
    assert view.first_content_s() < FIRST_CONTENT_S


def test_every_scenario_is_reached_by_the_keyboard(report, view):
    """Tab goes through the heads of all columns; Enter on each leads to its own drawn axis."""
    view.open_file(report)
    view.page.wait_for_selector("thead a")
    names = view.tab_through("thead a", 200)
    assert sorted(names) == sorted(path.stem for path in library())
    for place, name in enumerate(names):
        view.page.locator("thead a").nth(place).focus()
        view.page.keyboard.press("Enter")
        view.page.wait_for_selector(f"#scenario-{name}[data-drawn=yes], #scenario-{name} canvas")
