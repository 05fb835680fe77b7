"""What the landing page says of the server: its facts, its cells, and how to scrape it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from exporter.server.landing import CELLS_MAX, describe_cells, render_landing


def cells(*rates, down=()):
    """Return readings of cells with these arrival rates, all up but those numbers."""
    return [
        SimpleNamespace(arrival_rate=rate, exporter_up=number not in down)
        for number, rate in enumerate(rates)
    ]


def test_a_few_cells_have_a_row_each_with_their_share_of_the_load():
    """Of no load each has no share; twelve are still few."""
    assert describe_cells(cells(30.0, 10.0, down=[1])) == (
        ("Cell 0", "up, 75% of the load"),
        ("Cell 1", "down, 25% of the load"),
    )
    assert describe_cells(cells(0.0, 0.0))[0] == ("Cell 0", "up, 0% of the load")
    assert len(describe_cells(cells(*[1.0] * CELLS_MAX))) == CELLS_MAX
    assert len(describe_cells(cells(*[1.0] * (CELLS_MAX + 1)))) == 1


@pytest.mark.parametrize(("down", "more"), [(CELLS_MAX, ""), (CELLS_MAX + 1, " and more")])
def test_of_many_cells_those_that_are_down_are_named_as_far_as_there_is_room(down, more):
    """As many as have a row of their own, and that there are more where there are."""
    ((_, text),) = describe_cells(cells(*[1.0] * 40, down=range(down)))
    named = ", ".join(map(str, range(CELLS_MAX)))
    assert text == f"{40 - down} of 40 up, down: {named}{more}"


def test_whatever_is_shown_is_text():
    """Facts, title and target: markup of any of them stays what it is."""
    page = render_landing((("<b>", "<i>"), ("Scenario", "<s>")), "<u>:9464")
    for tag in ("<b>", "<i>", "<s>", "<u>"):
        assert tag not in page
        assert tag.replace("<", "&lt;").replace(">", "&gt;") in page
    assert "<title>&lt;s&gt; - agentaskit-sim</title>" in page
    assert "<title>agentaskit-sim</title>" in render_landing((), "a:1")


def test_one_world_is_scraped_at_its_address_and_several_cells_are_discovered():
    """The first and the last page are linked."""
    alone = render_landing((), "a:1")
    assert '- targets: ["a:1"]' in alone
    assert '<a href="metrics">/metrics</a>' in alone
    several = render_landing((), "a:1", cells=3)
    assert "- url: http://a:1/sd/targets" in several
    assert "these 3 targets" in several
    for page in ("cells/0/metrics", "cells/2/metrics"):
        assert f'<a href="{page}">/{page}</a>' in several
    assert 'href="metrics"' not in several


def test_only_a_page_that_moves_has_scripts_and_links_what_they_ask_for():
    """Without the API there is nothing to ask."""
    still, moving = (render_landing((), "a:1", live=live) for live in (False, True))
    for part in ("<script", 'id="live"', "api/v1/load", "api/v1/stream"):
        assert part in moving
        assert part not in still
