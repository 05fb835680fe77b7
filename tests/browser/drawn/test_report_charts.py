"""Panels, episodes and marks of a report in a browser: nothing spills, each says what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from charts.chart import Band, ChartSeries, LaneFailure, LaneNotification
from tests.verifier.report.charted_outcomes import chart, charted

DRAWN = "[data-drawn=yes] .row canvas"


def test_panels_of_one_value_stay_inside_their_frames(show, open_page):
    """A long value is on one line, and its curve grows no further than the frame."""
    stat = replace(
        chart().rows[0], kind="stat", group="panel", dashboard="Board", alert=None, unit="ratio",
        series=tuple(ChartSeries(name, chart().rows[0].series[0].values * 0 + 0.88888)
                     for name in "ABC"),
    )  # fmt: skip
    single = replace(stat, id="one", series=stat.series[:1])
    drawn = chart(rows=(chart().rows[0], stat, single))
    shown = show([charted(drawn=drawn)], open_page(viewport={"width": 1280, "height": 900}))
    shown.page.wait_for_selector(DRAWN)
    shown.page.get_by_text("Dashboard: Board").click()
    values = shown.page.locator(".tile .stat b")
    values.nth(3).wait_for()
    expect(values).to_have_text(["88.89 %"] * 4)
    assert spilt(shown.page) == []
    shown.page.evaluate(
        "document.querySelectorAll('.tile-body').forEach(b => { b.style.height = '136px'; });"
        "document.querySelectorAll('.stat b').forEach(value => { value.style.fontSize = '60px'; });"
        "document.querySelectorAll('.stat svg').forEach(curve => {"
        " curve.style.flexBasis = '200px'; curve.style.flexShrink = 0; });"
    )
    assert spilt(shown.page) == ["b", "b", "b", "svg", "svg", "svg", "svg"]


def spilt(page):
    """Return which parts of the panels of one value reach out of their frames."""
    return page.evaluate(
        "() => ['b', 'svg'].flatMap(part => [...document.querySelectorAll(`.stat ${part}`)]"
        ".filter(each => { const frame = each.closest(part === 'b' ? '.stat' : '.tile');"
        " const [inner, outer] = [each.getBoundingClientRect(), frame.getBoundingClientRect()];"
        " const wide = inner.left + each.scrollWidth;"
        " return inner.bottom > outer.bottom || wide > outer.right; }).map(() => part))"
    )


def test_no_notification_covers_the_name_of_an_episode(show):
    """It stands in the widest part that is left; planted in the middle, it would be covered."""
    lane = replace(
        chart().lanes[0],
        notifications=tuple(
            LaneNotification("oncall", "firing", at_s) for at_s in (615.0, 765.0, 800.0)
        ),
    )
    shown = show([charted(drawn=chart(lanes=(lane,)))])
    shown.page.wait_for_selector(DRAWN)
    covered = (
        "() => { const bar = document.querySelector('.piece.firing'), text = new Range();"
        " text.selectNodeContents(bar); const name = text.getBoundingClientRect();"
        " return [name.width > 10, [...document.querySelectorAll('.notified')].filter(each => {"
        " const box = each.getBoundingClientRect();"
        " return box.left < name.right && box.right > name.left; }).length]; }"
    )
    assert shown.page.evaluate(covered) == [True, 0]
    shown.page.evaluate("document.querySelector('.piece.firing').style.padding = 0")
    assert shown.page.evaluate(covered)[1] > 0


PANELS = {
    "failed": ("no metric a exists", "✗ Failed: no metric a exists", True),
    "accepted": ("none; accepted: known", "Failed, which is accepted: none; accepted: known", True),
    "empty": ("nothing passes", "Empty: nothing passes", True),
    "not-judged": ("it asks Loki", "Not judged: it asks Loki", False),
}
"""By status: the note on a panel without values, as it is shown, and whether `No data` stands."""


def test_a_panel_without_values_says_why_and_what_it_asks(show):
    """No empty chart stands for one that failed, is empty by right, or was not asked."""
    panel = replace(
        chart().rows[0], series=(), group="panel", alert=None, dashboard="Board", thresholds=()
    )
    rows = [
        replace(panel, id=status, title=status, status=status, notes=(note,), queries=("a > 1",))
        for status, (note, _, _) in PANELS.items()
    ]
    drawn = replace(rows[0], id="half", series=chart().rows[0].series)
    shown = show([charted(drawn=chart(rows=(chart().rows[0], *rows, drawn)))])
    shown.page.wait_for_selector(DRAWN)
    shown.page.get_by_text("Dashboard: Board, 2 panels failed").click()
    for status, (_, said, is_empty) in PANELS.items():
        tile = shown.page.locator(f".status-{status}").first
        expect(tile.locator(".panel-note")).to_have_text(said)
        expect(tile.locator("code")).to_have_text("a > 1")
        expect(tile.get_by_text("No data")).to_have_count(int(is_empty))
        expect(tile.locator("canvas")).to_have_count(0)
    red = shown.page.evaluate("getComputedStyle(document.body).getPropertyValue('--bad').trim()")
    assert red == "#b3261e"
    frame = "e => getComputedStyle(e).borderTopColor === 'rgb(179, 38, 30)'"
    framed = [shown.page.locator(f".status-{s}").first.evaluate(frame) for s in PANELS]
    assert framed == [True, False, False, False]
    expect(shown.page.locator(".status-failed canvas")).to_have_count(1)
    assert shown.accessibility_faults() == []


@pytest.mark.parametrize("kind", ["gauge", "bars", "table", "stat"])
def test_a_mapped_value_is_written_as_its_text(show, kind):
    """And what is not applied of a panel is no reason of its failure."""
    values = chart().rows[0].series[0].values
    panel = replace(
        chart().rows[0], kind=kind, group="panel", dashboard="Board", alert=None, thresholds=(),
        series=(ChartSeries("a", values, shown="<b>up</b>"), ChartSeries("b", values)),
        status="failed", notes=("gone", "not applied here: transformations"),
    )  # fmt: skip
    shown = show([charted(drawn=chart(rows=(chart().rows[0], panel)))])
    shown.page.wait_for_selector(DRAWN)
    shown.page.get_by_text("Dashboard: Board").click()
    tile = shown.page.locator(".tile")
    expect(tile.get_by_text("<b>up</b>", exact=True)).to_have_count(1)
    notes = ["✗ Failed: gone", "not applied here: transformations"]
    expect(tile.locator(".panel-note")).to_have_text(notes)


@pytest.mark.parametrize("kind", ["gauge", "bars", "table", "pie", "stat"])
def test_panels_of_many_values_stay_inside_their_frames(show, kind):
    """Of eight values each is in its frame; a frame that does not grow, planted, is noticed."""
    values = chart().rows[0].series[0].values
    series = tuple(ChartSeries(f"name {n}", values, (("n", str(n)),)) for n in range(8))
    panel = replace(
        chart().rows[0], series=series, kind=kind, group="panel", alert=None, dashboard="Board"
    )
    shown = show([charted(drawn=chart(rows=(panel,)))])
    shown.page.wait_for_selector("[data-drawn=yes]")
    shown.page.get_by_text("Dashboard: Board").click()
    texts = {"table": "td.value", "pie": "li b"}.get(kind, ".tile b")
    expect(shown.page.locator(texts)).to_have_count(8)
    outside = (
        "() => { const box = e => e.getBoundingClientRect();"
        " const frame = box(document.querySelector('.tile'));"
        " return [...document.querySelectorAll('.tile *')].filter(e => !e.closest('.scroll *') &&"
        " box(e).width && (box(e).bottom > frame.bottom + 1 || box(e).right > frame.right + 1))"
        ".length; }"
    )
    assert shown.page.evaluate(outside) == 0
    shown.page.evaluate("document.querySelector('.tile').style.height = '60px'")
    assert shown.page.evaluate(outside) > 0


MARKS = {
    "pending": "pending",
    "firing": "firing",
    "resolved": "resolved",
    "must-fire": "has to fire in this window",
    "must-resolve": "has to resolve in this window",
    "threshold": "threshold",
    "fault": "fault",
    "resampled": "resampled from a steady state; all else is simulated event by event",
}
"""Of the chart of the tests: the class of each mark, and what stands beside it."""


def test_the_marks_of_a_chart_are_explained_beside_it(show):
    """Those that are in it, each in its own colour, and no other; folded parts repeat none."""
    whole = chart()
    plain = replace(whole, bands=(Band("load", "load 5 tasks/s", 0.0, 9.0),), lanes=())
    still = replace(whole.rows[0], id="still", alert=None, group="world", thresholds=(),
                    series=(ChartSeries("a", whole.rows[0].series[0].values * 0 + 1),))  # fmt: skip
    drawn = [charted(drawn=replace(whole, rows=(*whole.rows, still))), charted("b", plain)]
    shown = show(drawn)
    shown.page.wait_for_selector(DRAWN)
    shown.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    lines = shown.page.locator(".chart .marks")
    first = lines.first.locator("> span")
    expect(first).to_have_text(list(MARKS.values()))
    assert first.locator("i").evaluate_all("all => all.map(i => i.className)") == list(MARKS)
    shown.page.locator("#scenario-b").scroll_into_view_if_needed()
    expect(shown.page.locator("#scenario-b .marks > span")).to_have_text(["load changed by hand"])
    expect(shown.page.locator(".folded .chart .marks > span")).to_have_count(0)


def test_a_number_beside_a_curve_says_of_when_it_is(show):
    """The last, or that under the pointer; of a single series without a name it has one, too."""
    row = replace(chart().rows[0], series=(replace(chart().rows[0].series[0], labels=()),))
    shown = show([charted(drawn=chart(rows=(row,)))])
    shown.page.wait_for_selector(DRAWN)
    legend = shown.page.locator(".row .legend")
    expect(legend).to_have_text("lastvalue2")
    shown.page.locator(".row .u-over").scroll_into_view_if_needed()
    box = shown.page.locator(".row .u-over").bounding_box()
    shown.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(legend).to_have_text("at 10:00value20")


def test_the_mark_of_a_failure_does_not_colour_the_grid(show):
    """A row without series says so; its grid, drawn again, is no mark. Planted: no restore."""
    row = replace(chart().rows[0], series=(), thresholds=())
    lane = replace(chart().lanes[0], failure=LaneFailure(720.0, "never fired"))
    shown = show([charted(drawn=chart(rows=(row,), lanes=(lane,)))])
    shown.page.wait_for_selector(DRAWN)
    expect(shown.page.locator(".row .legend")).to_have_text("no series")
    red = (
        "() => { const canvas = document.querySelector('.row canvas'), { width, height } = canvas;"
        " const dots = canvas.getContext('2d').getImageData(0, 0, width, height).data;"
        " const columns = new Set(); for (let at = 0; at < dots.length; at += 4)"
        " if (Math.abs(dots[at] - 179) + Math.abs(dots[at + 1] - 38) + Math.abs(dots[at + 2] - 30)"
        " < 12) columns.add(at / 4 % width); return columns.size; }"
    )
    redraw = (
        "() => { document.querySelector('.tools button').click();"
        " return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))); }"
    )
    shown.page.evaluate(redraw)
    assert 0 < shown.page.evaluate(red) < 40
    shown.page.evaluate(
        "document.querySelector('.row canvas').getContext('2d').restore = () => undefined"
    )
    shown.page.evaluate(redraw)
    shown.page.evaluate(redraw)
    assert shown.page.evaluate(red) > 100


def test_a_mark_at_the_end_of_a_lane_is_whole(show):
    """Planted: at its instant, half of it would be outside of its lane."""
    lane = replace(chart().lanes[0], failure=LaneFailure(1200.0, "never resolved"))
    shown = show([charted(drawn=chart(lanes=(lane,)))])
    shown.page.wait_for_selector(DRAWN)
    spill = (
        "() => { const mark = document.querySelector('.piece.failure');"
        " const right = each => each.getBoundingClientRect().right;"
        " return right(mark) - right(mark.parentElement); }"
    )
    assert shown.page.evaluate(spill) <= 0
    shown.page.evaluate("document.querySelector('.piece.failure').style.left = '100%'")
    assert shown.page.evaluate(spill) > 5


def test_without_scripts_no_button_is_promised(show, open_page):
    """There is none then; with scripts there is."""
    outcomes = [charted()]
    plain = show(outcomes, open_page(java_script_enabled=False))
    undrawn = plain.page.locator(".undrawn").first
    shown_text = "Its chart is not drawn: that needs JavaScript."
    expect(undrawn).to_have_text(shown_text, use_inner_text=True)
    hint = show(outcomes).page.locator(".undrawn").first
    expect(hint).to_contain_text("the button at the top")
    expect(plain.page.locator("#draw-all")).to_be_hidden()


def test_the_bars_of_a_panel_begin_at_the_same_place(show):
    """However long their values are. Planted: columns of its own for each."""
    zero = chart().rows[0].series[0].values * 0
    series = tuple(ChartSeries(str(at), zero + at) for at in (0.5, 0.123456))
    panel = replace(
        chart().rows[0], series=series, kind="bars", unit="ratio", group="panel", alert=None,
        dashboard="Board", thresholds=(),
    )  # fmt: skip
    shown = show([charted(drawn=chart(rows=(panel,)))])
    shown.page.wait_for_selector("[data-drawn=yes]")
    shown.page.get_by_text("Dashboard: Board").click()
    expect(shown.page.locator(".bar-track")).to_have_count(2)
    places = (
        "() => new Set([...document.querySelectorAll('.bar-track')]"
        ".map(each => each.getBoundingClientRect().left)).size"
    )
    assert shown.page.evaluate(places) == 1
    shown.page.evaluate(
        "document.querySelectorAll('.bars li').forEach("
        "each => { each.style.gridTemplateColumns = 'minmax(0, 2fr) minmax(0, 3fr) auto'; })"
    )
    assert shown.page.evaluate(places) == 2
