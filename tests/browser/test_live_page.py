"""The live page in a real browser: it moves, it breaks the world, and it runs nothing of others."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Error, expect

from exporter.server.live_page.stack_board import AlertShown, NotificationShown, StackBoard
from simulator.topology import Topology
from tests.browser.page_server import PageServer
from tests.exporter.server.live_page.watched import HOSTILE

TOKEN = "correct-horse"  # noqa: S105 - opens nothing


@pytest.fixture(scope="module")
def server():
    """Serve a small world for all tests of this file that change nothing for good."""
    with PageServer() as server:
        yield server


@pytest.fixture
def live(view, server):
    """Return the page of the world, once it moves."""
    view.open(server.url)
    expect(view.page.locator("#live .state")).to_have_text("live")
    view.page.wait_for_function("() => livePage.view")
    return view


def readings(page):
    """Return how many readings the drawn chart has."""
    return page.evaluate("livePage.view.chart.rows[0].times_s.length")


def drawn(page, row, series):
    """Return the newest value of a series that is drawn."""
    return page.evaluate(
        "([row, name]) => { const r = livePage.view.plots.get(row);"
        " const at = r.row.series.findIndex(s => s.name === name);"
        " return r.data[at + 1].at(-1); }",
        [row, series],
    )


def test_the_page_moves_and_asks_nobody_else(live, server):
    """Readings are added, all of it comes from this server, and the console stays empty."""
    before = readings(live.page)
    live.page.wait_for_function(f"() => livePage.view.chart.rows[0].times_s.length >= {before + 2}")
    assert drawn(live.page, "load", "load profile") == 400
    expect(live.page.locator(".row canvas")).to_have_count(13)
    assert live.console == []
    assert live.failed == []
    assert all(url.startswith(server.url) for url in live.requests)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_no_serious_fault_of_accessibility(open_page, server, scheme, width):
    """As axe-core judges, on a desktop and on a telephone; nothing is wider than the screen."""
    view = open_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    view.open(server.url)
    expect(view.page.locator("#live .state")).to_have_text("live")
    assert view.accessibility_faults() == []
    assert view.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_fault_is_injected_changed_and_ended_by_the_form(live):
    """It is drawn as a band, says what it did, and a typed change is not lost to an update."""
    page = live.page
    page.get_by_label("inject", exact=True).select_option("traffic_drop")
    expect(page.locator(".parameters .hint").first).to_have_text("above 0 and at most 1")
    page.get_by_label("share").fill("0.5")
    page.get_by_role("button", name="Inject").click()
    card = page.locator("[data-fault='traffic-drop']")
    expect(card).to_contain_text("traffic_drop 0.5, ends in 4:5")
    expect(card).to_contain_text(re.compile(r"So far [\d.,]+ .*; expected"))
    page.wait_for_function("() => livePage.view.chart.bands.some(b => b.name === 'traffic-drop')")
    page.wait_for_function("() => livePage.chart.rows[0].series[1].values.at(-1) === 200")
    assert drawn(page, "load", "load profile") == 400
    expect(page.locator(".fact dd").nth(1)).to_have_text("400 tasks/s")
    expect(page.locator(".fact dd").nth(2)).to_have_text("200 tasks/s")
    expect(page.locator(".load-panel .what").first).to_have_text("Load profile: 400 tasks/s")
    expect(page.locator(".after-faults")).to_have_text("After faults: 200 tasks/s")
    page.get_by_role("button", name="Change traffic-drop").click()
    card.get_by_label("share").fill("2")
    card.get_by_role("button", name="Apply").click()
    # The mistake stands where it was made, and marks its field there alone.
    expect(card.locator(".said")).to_contain_text("share must be above 0 and at most 1, got 2")
    expect(page.locator(".fault-panel > .said")).to_be_empty()
    expect(card.locator("[aria-invalid=true]")).to_have_count(1)
    assert marked(page) == ["share"]
    card.get_by_label("share").fill("0.75")
    page.wait_for_timeout(1500)
    expect(card.get_by_label("share")).to_have_value("0.75")
    card.get_by_role("button", name="Apply").click()
    expect(card).to_contain_text("traffic_drop 0.75")
    page.get_by_role("button", name="End traffic-drop").click()
    expect(card).to_have_count(0)
    page.wait_for_function("() => livePage.chart.bands.every(b => b.to_s !== null)")


def marked(page):
    """Return the names of the fields that are marked as refused."""
    return page.eval_on_selector_all("[aria-invalid=true]", "all => all.map(each => each.name)")


def test_a_fault_is_aimed_and_refused_in_the_servers_words(live):
    """Targets are boxes of this system; what is refused is said, and nothing begins."""
    page = live.page
    page.get_by_label("inject", exact=True).select_option("agent_hang")
    page.get_by_text("Targets, time and name").click()
    page.get_by_label("worker").check()
    page.get_by_label("fraction").fill("0.5")
    page.get_by_label("duration").first.fill("2h")
    page.get_by_role("button", name="Inject").click()
    said = page.locator(".fault-panel > .said")
    expect(said).to_contain_text("duration must be above 0s and at most 1h, got 2h")
    assert marked(page) == ["duration"]
    page.get_by_label("duration").first.fill("20s")
    expect(said).to_be_empty()
    page.get_by_label("duration").first.fill("2h")
    page.get_by_role("button", name="Inject").click()
    expect(said).to_contain_text("got 2h")
    page.get_by_label("target").fill("100")
    # What this form was refused is no answer to what another one does.
    page.get_by_role("button", name="Change the load").click()
    expect(said).to_be_empty()
    page.get_by_role("button", name="End the change").click()
    page.get_by_label("duration").first.fill("20s")
    page.get_by_role("button", name="Inject").click()
    card = page.locator("[data-fault='agent-hang']")
    expect(card).to_contain_text(" on tier worker, fraction 0.5, ends in")
    page.get_by_role("button", name="End agent-hang").click()
    expect(card).to_have_count(0)


def test_the_load_is_changed_and_given_back(live):
    """In the words of k6; a refusal names the fields as the page does."""
    page = live.page
    said = page.locator(".load-panel .said")
    for field, value, refusal in (
        ("duration", "x", "duration must be a duration such as"),
        ("hold", "5x", "hold must be a duration such as"),
        ("target", "-1", "target must be 0 to 2000000, got -1"),
        ("hold", "5h", "duration and hold must take more than 0s and at most 1h together"),
    ):
        box = page.locator(".load-panel").get_by_label(field, exact=True)
        before = box.input_value()
        box.fill(value)
        page.get_by_role("button", name="Change the load").click()
        expect(said).to_contain_text(refusal)
        assert marked(page) == refusal.partition(" must")[0].split(" and ")
        box.fill(before)
        expect(said).to_be_empty()
    assert marked(page) == []
    page.get_by_label("target").fill("100")
    page.get_by_role("button", name="Change the load").click()
    now = page.locator(".load-panel .what").first
    expect(now).to_have_text(re.compile(r"Load profile: 100 tasks/s, changed for [45]:\d\d more"))
    expect(page.locator(".ruler .band.load").last).to_have_text("load 100 tasks/s")
    page.get_by_role("button", name="End the change").click()
    expect(now).to_have_text("Load profile: 400 tasks/s")
    page.wait_for_function(
        "() => livePage.chart.bands.every(b => b.kind !== 'load' || b.to_s !== null)"
    )


def test_text_of_others_is_shown_and_never_run(view):
    """A scenario's name, an alert, labels, receivers: markup in them is text, and no more."""
    board = StackBoard(rules={HOSTILE: HOSTILE}, links=(("Bad", "javascript:alert(1)"),))
    with PageServer(board=board, scenario=HOSTILE) as server:
        now_s = time.time()
        labels = ((HOSTILE, HOSTILE),)
        alert = AlertShown(alert=HOSTILE, labels=labels, severity=HOSTILE,
                           pending_s=now_s, firing_s=now_s)  # fmt: skip
        notified = NotificationShown(receiver=HOSTILE, alert=HOSTILE, labels=labels,
                                 status="firing", at_s=now_s)  # fmt: skip
        dialogs = []
        view.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        view.open(server.url)
        expect(view.page.locator("#live .state")).to_have_text("live")
        server.call(board.show, [alert], [notified], (HOSTILE,), now_s + 1)
        for place in (".active-alerts li", ".notification-log li", ".lane .name", ".alerts .said"):
            expect(view.page.locator(place).first).to_contain_text(HOSTILE)
        expect(view.page.locator("#about")).to_contain_text(HOSTILE)
        expect(view.page.locator("img, a[href^='javascript']")).to_have_count(0)
        assert (dialogs, view.console) == ([], [])
        assert HOSTILE in view.page.title()


def test_the_button_of_a_bundled_scenario_begins_its_faults(view):
    """Its fault is listed and drawn as a band, the button is pressed; another one ends it."""
    with PageServer(topology=Topology()) as server:
        view.open(server.url)
        button = view.page.get_by_role("button", name="sandbox-leak", exact=True)
        expect(button).to_have_attribute("aria-pressed", "false")
        expect(view.page.locator(".fault")).to_have_count(0)
        place = button.bounding_box()
        button.click()
        card = view.page.locator("[data-fault='leaking-pool']")
        expect(card).to_contain_text("sandbox_leak 0.81 on sandbox B, ends in 7:5")
        expect(button).to_have_attribute("aria-pressed", "true")
        bands = "() => livePage.view.chart.bands.some(b => b.name === 'leaking-pool')"
        view.page.wait_for_function(bands)
        expect(view.page.locator(".ruler .band.fault")).to_have_text("leaking-pool")
        assert button.bounding_box() == place  # it does not move from under the pointer
        view.page.get_by_role("button", name="End the scenarios").click()
        expect(card).to_have_count(0)
        expect(button).to_have_attribute("aria-pressed", "false")
        assert view.console == []


def test_a_scenario_that_did_not_begin_shows_no_fault(view):
    """Planted: the click is answered in the server's place. What is shown comes from the world."""
    with PageServer(topology=Topology()) as server:
        view.page.route("**/api/v1/scenarios", answer_in_its_place)
        view.open(server.url)
        button = view.page.get_by_role("button", name="sandbox-leak", exact=True)
        button.click()
        before = readings(view.page)
        view.page.wait_for_function(
            f"() => livePage.view.chart.rows[0].times_s.length > {before + 2}"
        )
        expect(view.page.locator(".fault, .ruler .band")).to_have_count(0)
        expect(button).to_have_attribute("aria-pressed", "false")


def answer_in_its_place(route):
    """Say yes to whoever begins a scenario, and begin nothing."""
    if route.request.method == "POST":
        route.fulfill(json={})
    else:
        route.continue_()


def test_readings_have_dots_only_while_they_make_no_line(live):
    """One or two are dots; a page that was opened early does not go on drawing them."""
    live.page.wait_for_function("() => livePage.view.chart.rows[0].times_s.length > 3")
    dotted = (
        "count => [...livePage.view.plots.values()].map(plot => {"
        " const all = plot.data; plot.data = all.map(values => values.slice(0, count));"
        " const shown = plot.series[1].points.show(plot, 1); plot.data = all; return shown; })"
    )
    assert not any(live.page.evaluate(dotted, 3))
    assert any(live.page.evaluate(dotted, 2))


def test_the_policy_would_stop_markup_that_slipped_in(live):
    """Text as markup, a script in the page, a request elsewhere: the browser refuses each."""
    with pytest.raises(Error, match="TrustedHTML"):
        live.page.evaluate(f"document.body.innerHTML = {HOSTILE!r}")
    ran = live.page.evaluate(
        "() => { const s = document.createElement('button');"
        " try { s.setAttribute('onclick', 'window.ran = 1'); document.body.append(s); s.click(); }"
        " catch { return 'refused'; } return window.ran ?? 'refused'; }"
    )
    assert ran == "refused"
    with pytest.raises(Error):
        live.page.evaluate("fetch('http://127.0.0.1:1/')")
    assert live.console


def test_the_page_survives_a_restart_of_its_server(view):
    """It says that nobody answers, goes on trying, and begins again with the other world."""
    with PageServer() as server:
        view.open(server.url)
        status = view.page.locator("#live .state")
        expect(status).to_have_text("live")
        run = view.page.evaluate("livePage.run")
    expect(status).to_contain_text("does not answer")
    live = view.page.locator("#live")
    expect(live).not_to_have_class(re.compile("gone"))  # it may be back in a moment
    expect(status).to_contain_text("What is shown is of")
    expect(live).to_have_class(re.compile("gone"))
    assert view.page.evaluate("document.querySelector('.side').inert")
    with PageServer(server.port, scenario="another"):
        expect(status).to_have_text("live", timeout=15_000)
        view.page.wait_for_function(f"() => livePage.run !== '{run}'")
        expect(view.page.locator("#about")).to_contain_text("another")
        expect(live).not_to_have_class(re.compile("gone"))
        assert not view.page.evaluate("document.querySelector('.side').inert")


def test_with_a_token_the_page_asks_for_it(view):
    """Without it the server's refusal is shown; it is kept for this tab alone."""
    with PageServer(token=TOKEN) as server:
        view.open(server.url)
        expect(view.page.locator("#live .state")).to_have_text("live")
        view.page.get_by_role("button", name="Change the load").click()
        said = view.page.locator(".load-panel .said")
        expect(said).to_contain_text("a change needs the server's token")
        view.page.get_by_label("token").fill(TOKEN)
        view.page.get_by_role("button", name="Change the load").click()
        expect(view.page.locator(".load-panel .what").first).to_contain_text("changed for")
        expect(said).to_be_empty()
        assert view.page.evaluate("localStorage.length") == 0


def test_without_javascript_the_facts_are_there(open_page, server):
    """And the paths, and how to scrape it."""
    view = open_page(java_script_enabled=False)
    view.open(server.url)
    expect(view.page.locator("#about")).to_contain_text("Virtual time")
    expect(view.page.locator("pre")).to_contain_text("scrape_configs")
    expect(view.page.locator("#live")).to_be_hidden()


def test_a_tab_that_is_hidden_has_no_stream(live):
    """Whoever does not look on costs nothing; coming back, it moves again."""
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable:"
    hide += " true}); document.dispatchEvent(new Event('visibilitychange')); }"
    live.page.evaluate(hide, True)  # noqa: FBT003 - an argument of the script
    assert live.page.evaluate("livePage.source === undefined")
    before = readings(live.page)
    live.page.wait_for_timeout(1500)
    assert readings(live.page) == before
    live.page.evaluate(hide, False)  # noqa: FBT003 - an argument of the script
    live.page.wait_for_function(f"() => livePage.view.chart.rows[0].times_s.length > {before + 1}")
