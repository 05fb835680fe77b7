"""The page beside a real stack: a fault by the form; the alert pending, firing, notified, over."""

from __future__ import annotations

import json
import re
import signal

import pytest
from playwright.sync_api import expect

from tests.agentaskit_sim.processes import Running

ALERT = "SandboxPoolExhaustion"
SETTLED_S = 20
FIRES_MS, TOLD_MS, RESOLVES_MS = 90_000, 60_000, 120_000
"""Ten times compressed an alert takes seconds; the rest is for a busy machine."""


MARKUP = """<img src=x onerror="document.title='run'"><script>document.title='run'</script>"""
"""Would change the title of the page if it ran anywhere."""
RULES = {"groups": [{"name": "hostile", "rules": [{
    "alert": "Hostile",
    "expr": f"label_replace(sum(agentaskit_active_agents) > 0, 'note', `{MARKUP}`, '', '')",
    "labels": {"severity": MARKUP},
    "annotations": {"summary": MARKUP, "description": MARKUP},
}]}]}  # fmt: skip
"""JSON is YAML."""


@pytest.fixture
def stack(request, tmp_path):
    """Run `up`, ten times compressed, with given rules; yield it with the address of its page."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps(getattr(request, "param", None)))
    options = ("--rules", rules) if hasattr(request, "param") else ()
    up = Running("up", "--compress", "10", "--port", "0", "--no-browser", *options)
    try:
        url = up.wait_for(r"World:\s+(http://\S+)", 180)[1]
        yield up, url
        assert up.end(signal.SIGINT) == 130
    finally:
        up.kill()
        print("".join(up.lines))  # noqa: T201 - shown when the test fails


@pytest.mark.long
def test_an_alert_goes_from_inactive_to_notified_and_back(stack, view):
    """What is drawn is what the log of the same run says."""
    up, url = stack
    view.open(url)
    page = view.page
    expect(page.locator("#live .state")).to_have_text("live")
    expect(page.locator(".alerts .inactive summary")).to_have_text("19 inactive")
    expect(page.locator(".alerts .inactive")).to_contain_text("AvailabilitySLOBreach 100 * (1 - ")
    # What is pending before the stack has settled is shown only once it fires.
    page.wait_for_function("at_s => livePage.chart.end_s > at_s", arg=SETTLED_S, timeout=FIRES_MS)
    page.get_by_label("inject", exact=True).select_option("sandbox_leak")
    page.get_by_label("share").fill("0.95")
    page.get_by_text("Targets, time and name").click()
    page.get_by_label("B", exact=True).check()
    page.get_by_role("button", name="Inject").click()
    line = page.locator(f".active-alerts [data-alert='{ALERT}']")
    expect(line).to_contain_text("pending", timeout=FIRES_MS)
    expect(line).to_contain_text("firing", timeout=FIRES_MS)
    expect(line).to_contain_text('sandbox_type="B"')
    notified = page.locator(".notification-log")
    expect(notified).to_contain_text(f"slack-warnings: {ALERT}", timeout=TOLD_MS)
    page.get_by_role("button", name="End sandbox-leak").click()
    expect(line).to_have_count(0, timeout=RESOLVES_MS)
    expect(notified).to_contain_text("has resolved", timeout=RESOLVES_MS)
    drawn = page.evaluate(
        f"livePage.view.chart.lanes.find(l => l.alert === '{ALERT}').episodes.at(-1)"
    )
    assert drawn["pending_s"] < drawn["firing_s"] < drawn["resolved_s"]
    waited = up.wait_for(rf"{ALERT} sandbox_type=B FIRES after (\d+)s pending")[1]
    assert drawn["firing_s"] - drawn["pending_s"] == pytest.approx(int(waited), abs=1.5)
    band = page.evaluate("livePage.chart.bands.find(b => b.name === 'sandbox-leak')")
    assert band["from_s"] < drawn["pending_s"] < band["to_s"] < drawn["resolved_s"]
    assert re.search(r"scenario|baseline", page.title())
    assert view.console == []


@pytest.mark.long
@pytest.mark.parametrize("stack", [RULES], indirect=True, ids=["hostile rule"])
def test_markup_in_a_rule_is_shown_and_never_run(stack, view):
    """In labels and annotations, from the rule file by the real engines to alert, lane and log."""
    _, url = stack
    view.open(url)
    page = view.page
    title = page.title()
    line = page.locator(".active-alerts [data-alert='Hostile']")
    expect(line).to_contain_text("firing", timeout=FIRES_MS)
    expect(line).to_contain_text(f'note="{MARKUP}"}} ({MARKUP})')
    lane = page.locator(".lane[data-alert='Hostile']")
    expect(lane).to_have_attribute("aria-label", re.compile(re.escape(MARKUP)))
    expect(page.locator(".notification-log")).to_contain_text(MARKUP, timeout=TOLD_MS)
    expect(page.locator("img, #live script")).to_have_count(0)
    assert (page.title(), view.console) == (title, [])
    assert title != "run"
