"""Alerts on the live page: counted, with their conditions, and in a list that leaves room."""

from __future__ import annotations

import time

from playwright.sync_api import expect

from exporter.server.live_page.stack_board import AlertShown, StackBoard
from tests.browser.page_server import PageServer
from tests.browser.test_live_page import readings

RULES = {"Pool": "min by (pool) (free) < 0.1 for 1m", "Deep": "<b>depth</b> > 5", "Calm": "x > 1"}


def pools(now_s, *names, firing=False):
    """Return an alert for each pool of these names."""
    return [
        AlertShown(alert="Pool", labels=(("pool", name),), severity="page", pending_s=now_s,
                   firing_s=now_s if firing else None)
        for name in names
    ]  # fmt: skip


def test_alerts_are_counted_by_name_and_say_what_they_compare(view):
    """One of its pools was pending and another is: the alert is active once, and not inactive."""
    with PageServer(board=(board := StackBoard(RULES))) as server:
        view.open(server.url)
        count = view.page.locator(".inactive summary")
        expect(count).to_have_text("3 inactive")
        inactive = view.page.locator(".inactive li")
        expect(inactive.nth(1)).to_have_text("Deep <b>depth</b> > 5")
        now_s = time.time()
        for shown in (pools(now_s, "A"), pools(now_s, "B"), pools(now_s, "B", "C", firing=True)):
            server.call(board.show, shown, [], (), now_s)
            expect(view.page.locator(".active-alerts li")).to_have_count(len(shown))
            expect(count).to_have_text("2 inactive")
        active = view.page.locator(".active-alerts li").first
        expect(active).to_contain_text("min by (pool) (free) < 0.1 for 1m")
        server.call(board.show, [], [], (), now_s)
        expect(count).to_have_text("3 inactive")
        assert view.console == []


def test_a_long_list_of_alerts_leaves_the_faults_in_the_window(open_page):
    """What fires comes first; the list has its own scroll, which an update leaves where it is."""
    board = StackBoard(rules={f"Alert{number}": "up < 1" for number in range(40)})
    with PageServer(board=board) as server:
        view = open_page(viewport={"width": 1280, "height": 900})
        view.open(server.url)
        expect(view.page.locator("#live .state")).to_have_text("live")
        now_s = time.time()
        alerts = [
            AlertShown(alert=f"Alert{number}", labels=(), severity="warning",
                       pending_s=now_s - number, firing_s=now_s if number > 36 else None)
            for number in range(40)
        ]  # fmt: skip
        server.call(board.show, alerts, [], (), now_s)
        names = view.page.locator(".active-alerts li b")
        expect(names).to_have_count(40)
        expect(names).to_have_text(["firing"] * 3 + ["pending"] * 37)
        faults = view.page.locator(".fault-panel h2").first
        expect(faults).to_be_in_viewport()
        assert view.accessibility_faults() == []
        active = view.page.locator(".active-alerts")
        active.evaluate("list => { list.scrollTop = 500; }")
        before = readings(view.page)
        view.page.wait_for_function(
            f"() => livePage.view.chart.rows[0].times_s.length > {before + 1}"
        )
        assert active.evaluate("list => list.scrollTop") == 500
        expect(view.page.locator(".lane .piece.firing")).to_have_count(3)
        expect(view.page.locator(".lane")).to_have_count(16)
        expect(view.page.locator(".left-out")).to_contain_text("and 24 more")
        view.page.evaluate("scrollTo(0, 1500)")
        expect(faults).to_be_in_viewport()
        active.evaluate("list => { list.style.maxHeight = 'none'; }")  # planted
        expect(faults).not_to_be_in_viewport()
