"""The whole of each report, to the letter, of outcomes in which everything happened."""

from __future__ import annotations

import re

import pytest

from tests.verifier.outcomes import outcome
from tests.verifier.report.charted_outcomes import charted
from tests.verifier.report.pages.example_pages import PARTS
from tests.verifier.report.whole_reports import REPORTS, WHOLE, report, result_page
from verifier.report.html.page import page


@pytest.mark.parametrize(("kind", "form"), REPORTS)
def test_a_report_says_all_that_happened_and_nothing_else(kind, form):
    """Every table, list, count, time and link; `whole_reports` writes what is expected anew."""
    assert report(kind, form) == (WHOLE / f"{kind}-{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", list(PARTS))
def test_a_page_of_a_result_says_all_of_it_and_nothing_else(command):
    """Every row, mood, place and count."""
    expected = (WHOLE / f"page-{command}.txt").read_text(encoding="utf-8")
    assert result_page(command) == expected


def test_only_what_was_drawn_has_a_place_for_its_chart():
    """And the chart itself, under the same name."""
    written = page([charted("drawn"), outcome("bare")])
    assert re.findall('data-chart="([^"]*)"', written) == ["chart-scenario-drawn"]
    assert re.findall('id="(chart-[^"]*)" data-scenario="([^"]*)"', written) == [
        ("chart-scenario-drawn", "drawn")
    ]
