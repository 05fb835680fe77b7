"""A file of panel truths is read whole, and every mistake in it has its place and a way out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import InputError, Place
from tests.verifier.simulations import PACK
from tests.verifier.truth.boards import documents, read
from verifier.pack.panels import Dashboards, LeftOutPanel, Panel, Query
from verifier.panels.answers import PanelAnswer
from verifier.truth.declared import PanelTruth, check_panels_exist, load_panel_truths

GOOD = {
    "dashboard": "D", "panel": "P", "quantity": "tasks processed", "take": "rate",
    "window": "1m", "unit": "ops",
}  # fmt: skip

SHARE_OF_DURATIONS = {
    "quantity": "task durations", "take": "quantile", "quantile": 0.5, "of": "task durations",
}  # fmt: skip


def load(tmp_path, **changes):
    """Read a file with one entry, changed."""
    entry = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    path = tmp_path / "truth.yaml"
    lines = [f"    {key}: {value}" for key, value in entry.items()]
    path.write_text("panels:\n  -\n" + "\n".join(lines) + "\n")
    return load_panel_truths(path)


def test_the_pack_declares_each_of_its_queries_once(tmp_path):
    """Twenty panels, one of them with two."""
    truths = load_panel_truths(PACK / "panel-truth.yaml")
    dashboards, _ = read(tmp_path, documents())
    check_panels_exist(truths, dashboards)
    assert len({truth.subject for truth in truths}) == 20
    assert len(truths) == sum(len(panel.queries) for panel in dashboards.panels) == 21


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quantity": "tasks procesed"}, "did you mean 'tasks processed'?"),
        ({"take": "value"}, "take must be"),
        ({"unit": "opps"}, "did you mean 'ops'?"),
        ({"window": None}, "window must be a duration"),
        ({"quantity": "memory", "take": "value", "unit": "bytes"}, "window must be left out"),
        ({"take": "quantile", "quantity": "task durations"}, "quantile must be a number"),
        ({"window": "1 fortnight"}, "window"),
        ({"quantile": 0.5}, "quantile must be left out but of a quantile"),
        ({"by": "tier"}, "a label must be"),
        ({"where": "{priority: '('}"}, "where must be regular expressions"),
        ({"of": "memory"}, "of must be"),
        (SHARE_OF_DURATIONS, "of must be left out of durations"),
        ({"quantity": "agents started", "by": "tier"}, "by must be left out"),
        ({"colour": "red"}, "unknown key"),
        ({"panel": None}, "panel"),
    ],
)
def test_a_mistake_is_named_at_its_place(tmp_path, changes, sentence):
    """File and line come first."""
    with pytest.raises(InputError) as raised:
        load(tmp_path, **changes)
    assert sentence in str(raised.value)
    assert "truth.yaml:" in str(raised.value)


def test_a_panel_that_is_not_there_is_refused(tmp_path):
    """With the name that is nearest."""
    dashboards, _ = read(tmp_path, documents())
    truths = load(tmp_path, dashboard="AgentAsKit / SLA", panel="Availabilty")
    with pytest.raises(InputError, match="did you mean 'AgentAsKit / SLA / Availability'"):
        check_panels_exist(truths, dashboards)


def answer(title, legend, written=None):
    """Return the answer to a query of such a legend."""
    place = Place("board.json")
    query = Query("up", legend, place)
    panel = Panel("D", title, "stat", (query,), place, {"title": written or title})
    return PanelAnswer(panel, query, ok=True, reason="")


def test_it_speaks_of_the_queries_of_its_panel_and_its_legend(tmp_path):
    """Without a legend of all of them; a repeated panel goes by its title in the file."""
    (every,), (named,) = load(tmp_path), load(tmp_path, legend="p50")
    assert [every.is_of(answer("P", legend)) for legend in ("", "p50", "p99")] == [True] * 3
    assert [named.is_of(answer("P", legend)) for legend in ("", "p50")] == [False, True]
    assert every.is_of(answer("P (cell: a)", "", written="P"))
    assert not every.is_of(answer("Q", ""))


def test_a_panel_that_is_left_out_may_be_spoken_of(tmp_path):
    """It is there, though nobody asks it."""
    left_out = LeftOutPanel("D", "P", "asks a log", Place("board.json"))
    check_panels_exist(load(tmp_path), Dashboards((), left_out=(left_out,)))
    with pytest.raises(InputError, match="D / P"):
        check_panels_exist(load(tmp_path), Dashboards(()))


FULL = {
    "legend": "L", "window": "5m", "quantity": "tasks processed", "where": "{outcome: ok}",
    "by": "priority", "of": "tasks arrived", "scale": 100.0, "offset": -1.5, "unit": "percent",
}  # fmt: skip


def test_an_entry_is_read_whole(tmp_path):
    """With its defaults where it says nothing."""
    (full,) = load(tmp_path, **FULL)
    place = full.place
    assert full == PanelTruth(
        dashboard="D", panel="P", quantity="tasks processed", take="rate", unit="percent",
        legend="L", window_s=300.0, where=(("outcome", "ok"),), by="priority", of="tasks arrived",
        scale=100.0, offset=-1.5, place=place,
    )  # fmt: skip
    assert str(place).endswith("truth.yaml:3:5")
    (plain,) = load(tmp_path)
    assert plain == PanelTruth(
        dashboard="D", panel="P", quantity="tasks processed", take="rate", unit="ops",
        window_s=60.0, place=plain.place,
    )  # fmt: skip
    fields = {"take": "quantile", "quantity": "task durations", "quantile": 1, "unit": "s"}
    (quantile,) = load(tmp_path, **fields)
    assert (quantile.quantile, quantile.window_s) == (1.0, 60.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "the rate of tasks processed"),
        ({"take": "increase"}, "the increase of tasks processed"),
        ({"take": "value", "quantity": "memory", "window": None}, "memory"),
        (
            {"where": "{priority: low, outcome: ok}", "of": "tasks arrived"},
            "the rate of tasks processed with priority=low, outcome=ok of tasks arrived",
        ),
        (
            {"take": "quantile", "quantile": 0.95, "quantity": "task durations"},
            "the 0.95 quantile of task durations",
        ),
        ({"take": "buckets", "quantity": "task durations"}, "the buckets of task durations"),
    ],
)
def test_what_it_measures_is_said_in_words(tmp_path, changes, words):
    """The quantity with its matchers, as a share or not, and what is taken of it."""
    (truth,) = load(tmp_path, **changes)
    assert (truth.words, truth.subject) == (words, "D / P")


@pytest.mark.parametrize(
    ("changes", "line", "count"),
    [
        ({"quantity": "no", "take": "no", "unit": "no"}, 5, 1),  # all else depends on it
        ({"take": "no", "unit": "no"}, 6, 3),  # and the window, which only some have
        ({"quantile": 2}, 9, 1),
        ({"quantile": -0.5}, 9, 1),
        ({"by": "no"}, 9, 1),
        ({"where": "{no: x, priority: '('}", "by": "tier"}, 9, 3),
        ({"of": "no"}, 9, 1),
        ({"of": "memory"}, 9, 1),
        ({"dashboard": "''"}, 3, 1),
    ],
)
def test_mistakes_of_an_entry_are_all_named_where_they_are(tmp_path, changes, line, count):
    """Each once, at the line of its key."""
    with pytest.raises(InputError) as raised:
        load(tmp_path, **changes)
    places = [str(mistake.place) for mistake in raised.value.mistakes]
    assert len(places) == count
    assert f"truth.yaml:{line}:" in places[0]


@pytest.mark.parametrize("text", ["panels: []\n", "panels: {}\n", "{}\n", "board: []\n"])
def test_a_file_needs_panels(tmp_path, text):
    """At least one, and nothing else."""
    path = tmp_path / "truth.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"panels must be a list|unknown key"):
        load_panel_truths(path)


def test_buckets_may_be_by_any_label_and_two_entries_of_one_query_are_refused(tmp_path):
    """The same panel twice by other legends is two queries; with no legend it is every one."""
    (buckets,) = load(tmp_path, take="buckets", quantity="task durations", by="le", unit="s")
    assert buckets.by == "le"
    (first,), (other,) = load(tmp_path), load(tmp_path, legend="p50")
    boards = Dashboards((answer("P", "").panel, answer("Q", "").panel))
    check_panels_exist((first, other), boards)
    with pytest.raises(InputError, match=r"D / P is declared at .*truth.yaml:3:5, too"):
        check_panels_exist((first, other, replace(first)), boards)
