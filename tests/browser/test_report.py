"""The report in a browser: opened from a disk, drawn, silent, and asking nobody for anything."""

from __future__ import annotations

import pytest

from tests.verifier.report.charted_outcomes import charted
from verifier.report.page import page

DRAWN = "[data-drawn=yes] .row canvas"


@pytest.fixture
def show(view, tmp_path):
    """Return what writes the report of some outcomes into a file, opens it, and returns it."""

    def write(outcomes, viewed=view):
        file = tmp_path / "report.html"
        file.write_text(page(outcomes), encoding="utf-8")
        viewed.open_file(file)
        return viewed

    return write


def test_it_opens_from_a_file_and_draws_a_scenario(show):
    """No error on the console, no request, a plot with its lane, no fault of accessibility."""
    shown = show([charted()])
    shown.page.wait_for_selector(DRAWN)
    assert (shown.console, shown.requests, shown.failed) == ([], [], [])
    assert shown.page.locator(".lane").count() == 1
    assert shown.accessibility_faults() == []


def test_without_scripts_everything_is_there_as_text(show, open_page):
    """Verdict, matrix, and the times of each alert."""
    shown = show([charted()], open_page(java_script_enabled=False))
    text = shown.page.inner_text("body")
    assert "PASS" in text
    assert "5m30s of 7m" in text
    assert shown.page.locator(".matrix td.resolved").count() == 1
