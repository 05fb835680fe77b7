"""The pages of results in a browser: silent, readable, reached by the keyboard, narrow enough."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.verifier.report.pages.example_pages import PARTS, every_page
from verifier.report.pages.rendering import result_html
from verifier.run_record import RunRecord

HOSTILE = (
    "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    "</title><svg onload=\"document.title='run'\">" + "long" * 30
)
RUN = RunRecord(started="2026-01-01T00:00:00Z", version="1", command=f"agentaskit-sim {HOSTILE}")
WIDTH = "() => document.documentElement.scrollWidth"


def opened(view, folder, command, page):
    """Return a view of this page, written to a file."""
    file = folder / f"{command}.html"
    file.write_text(result_html(page, RUN), encoding="utf-8")
    view.open_file(file)
    return view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_is_silent_accessible_and_runs_nothing(open_page, tmp_path, scheme):
    """With markup in every text, folded parts open; a telephone scrolls tables, not the page."""
    view = open_page(color_scheme=scheme, viewport={"width": 400, "height": 800})
    for command, page in every_page(HOSTILE).items():
        opened(view, tmp_path, command, page)
        view.page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        assert view.page.title() == f"{page.badge.word}: agentaskit-sim {command}"
        assert view.page.evaluate(WIDTH) <= 400, command
        assert view.accessibility_faults() == [], command
        expect(view.page.locator("th[scope=row]").first).to_be_visible()
    assert (view.console, view.requests, view.failed) == ([], [], [])


def test_every_part_is_reached_by_the_keyboard(view, tmp_path):
    """Tab goes from one to the next, Enter leads to it; a table is reached to be scrolled."""
    for command, page in every_page("High").items():
        opened(view, tmp_path, command, page)
        assert view.tab_through("nav a", 1 + len(PARTS[command])) == list(PARTS[command])
        view.page.keyboard.press("Enter")
        last = view.page.evaluate("document.activeElement.querySelector('h2').textContent")
        assert last == PARTS[command][-1]


def test_planted_faults_are_noticed(view, tmp_path):
    """A script is refused by the page's policy, text that is too pale and a wide part are seen."""
    page = result_html(every_page("High")["mutate"], RUN)
    (tmp_path / "planted.html").write_text(
        page.replace(
            "</main>",
            "<script>document.title = 'run'</script><p style='color:#eee;background:#fff'>pale</p>"
            "<p style='width:3000px;max-width:none'>wide</p></main>",
        ),
        encoding="utf-8",
    )
    view.open_file(tmp_path / "planted.html")
    assert view.page.title() != "run"
    assert any("Content Security Policy" in line for line in view.console)
    assert any("color-contrast" in fault for fault in view.accessibility_faults())
    assert view.page.evaluate(WIDTH) > 2000
