"""The report on paper and without scripts: nothing cut off, no blank pages, no dead buttons."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.outcomes import alert
from tests.verifier.report.charted_outcomes import charted
from verifier.report.html.page import page
from verifier.run_record import ScenarioRecord

PAPER = {"width": 718, "height": 1000}
"""A page of A4 between its margins, in pixels."""
MANY = [
    replace(charted(f"a-scenario-with-name-{number:02}"), record=ScenarioRecord.of(scenario_with()))
    for number in range(20)
]
DRAWN = "[data-drawn=yes] .row canvas"
CUT_OFF = (
    "() => [...document.querySelectorAll('.matrix td, .matrix th, .matrix span, .alerts td')]"
    ".filter(cell => cell.getBoundingClientRect().right > 719).length"
)
WIDE = ".matrix table { table-layout: auto !important; width: auto !important; }"
WIDE += " .matrix td.did, .matrix thead th { min-width: 40px !important; }"
A_PAGE_EACH = "@media print { .scenario { break-before: page; } }"


@pytest.fixture
def show(view, tmp_path):
    """Return what opens the report of some outcomes, with a style planted at its end."""

    def write(outcomes, planted="", viewed=view):
        file = tmp_path / "report.html"
        whole = page(outcomes).replace("</body>", f"<style>{planted}</style></body>")
        file.write_text(whole, encoding="utf-8")
        viewed.open_file(file)
        return viewed

    return write


@pytest.mark.parametrize(("planted", "is_cut"), [("", False), (WIDE, True)])
def test_all_columns_are_on_the_page(show, open_page, planted, is_cut):
    """Twenty scenarios with long names, and the tables; planted, columns as wide as a screen's."""
    shown = show(MANY, planted, open_page(viewport=PAPER))
    shown.page.emulate_media(media="print")
    assert (shown.page.evaluate(CUT_OFF) > 0) == is_cut


@pytest.mark.parametrize(("planted", "least", "most"), [("", 4, 12), (A_PAGE_EACH, 20, 30)])
def test_a_scenario_that_is_not_drawn_takes_no_page_of_its_own(show, planted, least, most):
    """Its tables follow one another, with a word on the chart; planted, a page for each."""
    shown = show(MANY, planted)
    shown.page.wait_for_selector(DRAWN)
    pages = len(re.findall(rb"/Type\s*/Page\b", shown.page.pdf(format="A4")))
    assert least <= pages <= most
    shown.page.emulate_media(media="print")
    undrawn = shown.page.locator(".drawing:not([data-drawn=yes]) + .undrawn")
    expect(undrawn.first).to_be_visible()
    expect(shown.page.locator("[data-drawn=yes] + .undrawn").first).to_be_hidden()


def test_without_scripts_nothing_is_dead_or_blank(show, open_page):
    """No button, no place for a chart; causes, onsets and windows are in the tables."""
    shown = show(MANY[:1], viewed=open_page(java_script_enabled=False))
    for place in ("#draw-all", ".drawing"):
        expect(shown.page.locator(place)).to_be_hidden()
    text = shown.page.inner_text("body")
    for words in ("agent_hang", "3m to 12m", "window 3m to 10m", "that needs JavaScript"):
        assert words in text
    planted = "#draw-all, .drawing { display: block !important; }"
    shown = show(MANY[:1], planted, open_page(java_script_enabled=False))
    expect(shown.page.locator("#draw-all")).to_be_visible()


def test_the_head_of_the_table_is_as_high_as_its_names(show):
    """No band of nothing above a short name; no long name outside."""
    heights = []
    for name in ("s", "a-scenario-with-quite-a-long-name"):
        shown = show([replace(charted(name), alerts=(alert("A", "silent"),))])
        head, text = (
            shown.page.locator(f".matrix thead {part}").first.bounding_box()
            for part in ("th", "a span")
        )
        assert text["y"] >= head["y"] - 1
        heights.append(head["height"])
    assert heights[0] < 50
    assert heights[1] > 150
