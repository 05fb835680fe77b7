"""The report in a browser: opened from a disk, drawn, silent, and asking nobody for anything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from charts.chart import Band, ChartSeries, Lane, LaneFailure
from tests.verifier.outcomes import alert, failing, unjudged
from tests.verifier.report.charted_outcomes import chart, charted
from verifier.report.html.page import page

DRAWN = "[data-drawn=yes] .row canvas"
SILENT = (Lane(alert="Other", expected="silent"),)
HOSTILE = (
    "<img src=x onerror=\"document.title='run'\">",
    "<script>document.title='run'</script>",
    "</script><script>document.title='run'</script>",
    "'\"><svg onload=\"document.title='run'\">",
    "<!--<script>",
    "javascript:document.title='run'",
    "{{constructor.constructor('document.title=1')()}}",
)
"""Markup that would change the title of the page if it ran anywhere."""


def test_it_opens_from_a_file_and_draws_a_scenario(show):
    """No error on the console, no request, a plot with its lane, no fault of accessibility."""
    shown = show([charted()])
    shown.page.wait_for_selector(DRAWN)
    assert (shown.console, shown.requests, shown.failed) == ([], [], [])
    expect(shown.page.locator(".lane")).to_have_count(1)
    assert shown.first_content_s() < 1
    assert shown.accessibility_faults() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_part_of_it_is_hard_to_read(show, open_page, scheme):
    """Failures, what could not be judged and everything folded, in light and dark, per axe-core."""
    shown = show([failing(), unjudged(), charted()], open_page(color_scheme=scheme))
    shown.page.wait_for_selector(DRAWN)
    shown.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert shown.accessibility_faults() == []
    assert shown.console == []


def test_on_a_telephone_nothing_but_the_matrix_scrolls(show, open_page):
    """However many scenarios it has; planted, hidden text of its cells makes the page wider."""
    many = [charted(f"scenario-{number:02}") for number in range(30)]
    shown = show(many, open_page(viewport={"width": 400, "height": 800}))
    shown.page.wait_for_selector(DRAWN)
    width = "() => document.documentElement.scrollWidth"
    assert shown.page.evaluate(width) <= 400
    head = shown.page.locator("header.top > div").bounding_box()
    assert head["width"] > 300  # not one of three columns
    script = "document.querySelector('.matrix .scroll').style.position = 'static'"
    shown.page.evaluate(script)
    assert shown.page.evaluate(width) > 400


def test_paper_is_white_whatever_the_screen_is(show, open_page):
    """The colours of a light screen, also where the screen is dark."""
    colours = []
    for scheme in ("light", "dark"):
        shown = show([charted()], open_page(color_scheme=scheme))
        for printing in (False, True):
            if printing:
                shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
            style = "getComputedStyle(document.documentElement)"
            names = ("--paper", "--ink", "--threshold", "--band-fault", "--line-0")
            colours.append([shown.page.evaluate(f"{style}.getPropertyValue('{n}')") for n in names])
    on_light, light_paper, on_dark, dark_paper = colours
    assert on_light == light_paper == dark_paper
    assert on_dark != dark_paper


def test_without_scripts_everything_is_there_as_text(show, open_page):
    """Verdict, matrix, and the times of each alert."""
    shown = show([charted()], open_page(java_script_enabled=False))
    text = shown.page.inner_text("body")
    assert "PASS" in text
    assert "5m30s of 7m" in text
    expect(shown.page.locator(".matrix td.resolved")).to_have_count(1)


def test_every_scenario_is_reached_by_the_keyboard(show):
    """Tab goes from one head of a column to the next, and Enter leads to the scenario."""
    names = [f"scenario-{number:02}" for number in range(20)]
    shown = show([charted(name) for name in names])
    shown.page.wait_for_selector(DRAWN)
    assert shown.tab_through("thead a", 60) == names
    shown.page.locator("thead a").nth(17).focus()
    shown.page.keyboard.press("Enter")
    expect(shown.page.locator("#scenario-scenario-17 .row canvas").first).to_be_visible()
    expect(shown.page.locator("#scenario-scenario-17")).to_be_focused()
    expect(shown.page.locator("#scenario-scenario-17 > h2")).to_be_in_viewport()


def test_a_jump_leaves_the_focus_to_a_reader_who_has_gone_elsewhere(show):
    """What is drawn late above the scenario neither takes the focus back nor scrolls again."""
    shown = show([charted(f"scenario-{number:02}") for number in range(20)])
    shown.page.wait_for_selector(DRAWN)
    shown.page.evaluate(
        """document.querySelectorAll('thead a')[17].click();
        addEventListener('hashchange', () => requestAnimationFrame(
            () => document.querySelectorAll('thead a')[3].focus()), {once: true})"""
    )
    expect(shown.page.locator("thead a").nth(3)).to_be_focused()
    shown.page.wait_for_timeout(1000)
    expect(shown.page.locator("thead a").nth(3)).to_be_focused()
    expect(shown.page.locator("thead a").nth(3)).to_be_in_viewport()


def test_zoom_and_cursor_are_linked_over_rows_and_lanes(show):
    """The same window and instant in every row, and the lane's pieces follow."""
    two = (chart().rows[0], replace(chart().rows[0], id="second", alert=None, group="world"))
    shown = show([charted(drawn=chart(rows=two))])
    shown.page.wait_for_selector(DRAWN)
    before = shown.page.locator(".piece.firing").bounding_box()["width"]
    shown.page.locator(".tools button[aria-label='Zoom in']").first.click()
    assert shown.page.locator(".piece.firing").bounding_box()["width"] > 1.5 * before
    shown.page.locator(".row .u-over").first.scroll_into_view_if_needed()
    box = shown.page.locator(".row .u-over").first.bounding_box()
    shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(shown.page.locator(".clock").first).to_have_text("10:00")
    cursors = shown.page.evaluate(
        "[...document.querySelectorAll('.u-cursor-x')].map(line => line.style.transform)"
    )
    assert len(cursors) == 2
    assert len(set(cursors)) == 1


def test_paper_keeps_the_bars_and_leaves_out_what_cannot_be_opened_there(show):
    """A printer drops backgrounds, which is all that a lane is; on the screen all is there."""
    shown = show([charted(drawn=chart(lanes=(chart().lanes[0], *SILENT)))])
    shown.page.wait_for_selector(DRAWN)
    looks = (
        "() => ['.piece.firing', '.folded', '.tools'].map(place => {"
        " const style = getComputedStyle(document.querySelector(place));"
        " return [style.display !== 'none', style.printColorAdjust]; })"
    )
    on_screen = shown.page.evaluate(looks)
    shown.page.emulate_media(media="print")
    on_paper = shown.page.evaluate(looks)
    assert [is_shown for is_shown, _ in on_screen] == [True, True, True]
    assert [is_shown for is_shown, _ in on_paper] == [True, False, False]
    assert (on_screen[0][1], on_paper[0][1]) == ("economy", "exact")
    shown.page.emulate_media(media="screen")
    expect(shown.page.locator(".folded summary")).to_have_text("1 silent alert")


def test_on_paper_nothing_is_cut_off_and_an_instant_has_one_place(show, open_page):
    """Plots are drawn anew for the narrower page, with the lanes, and for the screen afterwards."""
    shown = show([charted()], open_page(viewport={"width": 1280, "height": 900}))
    shown.page.wait_for_selector(DRAWN)
    right = (
        "() => ['.track', '.u-over'].map(place =>"
        " Math.round(document.querySelector(place).getBoundingClientRect().right))"
    )
    grid = "() => [...views.values()][0][0].plots.values().next().value.axes[0]._splits.length"
    ticks = "() => document.querySelectorAll('.ruler .tick').length"
    ends = [shown.page.evaluate(right)]
    for event in ("beforeprint", "afterprint"):
        shown.page.evaluate(f"dispatchEvent(new Event('{event}'))")
        ends.append(shown.page.evaluate(right))
        assert shown.page.evaluate(grid) == shown.page.evaluate(ticks)
    on_screen, on_paper, afterwards = ends
    assert on_paper[0] == on_paper[1] < 718  # a page of A4 between its margins
    assert on_screen == afterwards
    assert on_screen[0] == on_screen[1] > 1200


def test_a_lane_is_named_by_what_tells_it_from_its_siblings(show):
    """Of an expectation that names one label, and never came, there is no empty lane."""
    labels = (("job", "x"), ("tier", "L1"))
    came = replace(chart().lanes[0], labels=labels)
    explained = Lane(alert=came.alert, labels=(("tier", "L2"),), expected="explained")
    first, second, alone = 'Throughput{tier="L1"}', 'Throughput{tier="L2"}', "Throughput"
    named = {
        (explained,): [alone],
        (replace(explained, expected="fires"),): [first, second],
        (): [alone],
    }
    for others, names in named.items():
        shown = show([charted(drawn=chart(lanes=(came, *others)))])
        expect(shown.page.locator(".lane .name")).to_have_text(names)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_of_others_is_shown_and_never_run(show, text):
    """In names, labels, reasons, bands, series, titles of panels and dashboards."""
    series = (ChartSeries(text, chart().rows[0].series[0].values, ((text, text),)),)
    lane = replace(
        chart().lanes[0], alert=text, labels=(("label", text),), failure=LaneFailure(600.0, text)
    )
    rows = (
        replace(chart().rows[0], series=series, title=text, alert=text, text=text),
        replace(chart().rows[0], id=text, alert=None, group="panel", dashboard=text, title=text),
        replace(chart().rows[0], id="p", alert=None, group="panel", dashboard=text, kind="pie"),
        *(
            replace(chart().rows[0], id=kind, series=series, alert=None, group="panel",
                    dashboard=text, kind=kind, status="failed", notes=(text,), queries=(text,))
            for kind in ("bars", "table")
        ),
    )  # fmt: skip
    drawn = chart(title=text, rows=rows, lanes=(lane,), bands=(Band("fault", text, 0, 9, text),))
    outcome = replace(
        charted(text, drawn),
        alerts=(alert(text, ok=False, reason=text, labels=(("label", text),)),),
        invalid=(text,),
        notes=(text,),
    )
    shown = show([outcome])
    title = shown.page.title()
    shown.page.wait_for_selector(DRAWN)
    shown.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    shown.page.wait_for_timeout(100)
    assert shown.page.title() == title == "invalid: agentaskit-sim"
    expect(shown.page.locator(".scenario h2")).to_contain_text(text)
    expect(shown.page.locator(".lane .name").first).to_contain_text(text)
    assert (shown.console, shown.requests) == ([], [])


def test_a_script_that_is_planted_in_the_page_is_refused_by_its_policy(view, tmp_path):
    """Were a text not escaped, it would still not run: only our own scripts may."""
    file = tmp_path / "report.html"
    planted = (
        "</main><script>document.title = 'run'</script><img src=x onerror=\"document.title='run'\">"
    )
    file.write_text(page([charted()]).replace("</main>", planted, 1), encoding="utf-8")
    view.open_file(file)
    view.page.wait_for_selector(DRAWN)
    assert view.page.title() == "pass: agentaskit-sim"
    assert any("Content Security Policy" in line for line in view.console)
