"""The pages of results: every part is there, texts are texts, and none grows without bounds."""

from __future__ import annotations

import re

import pytest

from tests.verifier.report.pages.example_pages import (
    PARTS,
    coverage_of,
    derived_of,
    every_page,
    outcome_of,
    replayed_of,
    score_of,
)
from verifier.mutation.score import MutationScore, score_lines
from verifier.report.pages import rendering, replay
from verifier.report.pages.check import check_page
from verifier.report.pages.coverage import coverage_page
from verifier.report.pages.derived import derived_page
from verifier.report.pages.mutation import mutation_page
from verifier.report.pages.rendering import BYTES_MAX, LETTERS_MAX, result_html
from verifier.report.pages.replay import replay_page
from verifier.report.pages.result_page import Badge, ResultList, ResultPage, ResultTable, below
from verifier.run_record import RunRecord

MARKUP = '</td></table><script>document.title="run"</script><b>'
RUN = RunRecord(started="2026-01-01T00:00:00Z", version="1", command=f"agentaskit-sim {MARKUP}")
ROW = re.compile(r"<tr><th scope=\"row\">(.*?)</tr>", re.DOTALL)


def lacking(page, headings):
    """Return which of these parts a page has no section of with something in it, and no way to."""
    sections = dict(re.findall(r"<h2>(.*?)</h2>(.*?)</section>", page, re.DOTALL))
    listed = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', page)
    ways = {heading for anchor, heading in listed if f'id="{anchor}"' in page}
    return [
        heading
        for heading in headings
        if heading not in ways or not re.search("<td|<li>", sections.get(heading, ""))
    ]


@pytest.mark.parametrize("command", list(PARTS))
def test_every_part_of_a_result_is_in_its_page_with_a_way_to_it(command):
    """And nothing of it elsewhere; planted, a part that is not written is noticed."""
    page = every_page("High")[command]
    written = result_html(page, RUN)
    assert lacking(written, PARTS[command]) == []
    assert [part.heading for part in page.parts] == list(PARTS[command])
    last = PARTS[command][-1]
    start = written.index(f"<h2>{last}")
    cut = written[:start] + written[written.index("</section>", start) :]
    assert lacking(cut, PARTS[command]) == [last]


@pytest.mark.parametrize("command", list(PARTS))
def test_markup_in_a_text_is_text(command):
    """In alerts, labels, edits, reasons, places, the command; planted, one that is not escaped."""
    written = result_html(every_page(MARKUP)[command], RUN)
    assert "<script" not in written
    assert written.count("&lt;script&gt;") > 2
    assert "script-src &#x27;none&#x27;" in written or "script-src 'none'" in written
    planted = written.replace("&lt;script&gt;", "<script>", 1)
    assert "<script" in planted


@pytest.mark.parametrize(
    ("page", "rows"),
    [
        (mutation_page(score_of("High"), status=0), ["0%", "after High", "rules/a.yaml:7"]),
        (coverage_page(coverage_of("High"), status=0), ["near for", "yet High proves it", "open"]),
        (check_page(outcome_of("High")), ["phantom-metric", "error High", "silenced High"]),
        (replay_page(replayed_of("High"), status=0), ["3.00", "7m10s", "2023-11-14T22:14:30Z"]),
        (derived_page(derived_of("High"), status=0), ["unsolved High", ">yes<", ">no<"]),
    ],
    ids=["mutate", "coverage", "check", "replay", "derive"],
)
def test_rows_say_what_came_of_each(page, rows):
    """Its name, its place, its numbers."""
    written = result_html(page)
    assert [text for text in rows if text not in written] == []


@pytest.mark.parametrize(
    ("status", "fail_under", "badge"),
    [
        (0, None, Badge("66.7%", "")),
        (0, 50.0, Badge("66.7%", "pass")),
        (1, 90.0, Badge("66.7%", "fail")),
        (3, 50.0, Badge("invalid", "invalid")),
    ],
)
def test_a_score_is_good_only_beside_a_bound_and_none_where_something_was_not_judged(
    status, fail_under, badge
):
    """Nothing passes that nobody asked to."""
    page = mutation_page(score_of("High"), status=status, fail_under=fail_under)
    assert page.badge == badge
    assert ("below" in page.headline) == (status == 1)


def test_errors_stand_before_what_is_only_worth_knowing():
    """Whatever their places are."""
    (findings,) = (part for part in check_page(outcome_of("A")).parts if part.heading == "Findings")
    assert [row[0] for row in findings.rows] == ["phantom-metric", "empty-child"]


def test_a_page_stays_small_however_large_the_result_is():
    """What has no room is counted; the parts behind a large one keep their place."""
    mutants = 30_000
    score = score_of("High " * 20, mutants=mutants)
    page = mutation_page(MutationScore(*(getattr(score, n) for n in score.__slots__)), status=0)
    written = result_html(page)
    assert 1_000_000 < len(written.encode()) < BYTES_MAX
    assert lacking(written, PARTS["mutate"]) == []
    start = written.index("<h2>Survivors")
    section = written[start : written.index("</section>", start)]
    shown, more = len(ROW.findall(section)), re.search(r"and ([\d,]+) more", section)
    assert shown + int(more[1].replace(",", "")) == len(score.survivors)


def test_a_replay_of_thousands_of_firings_counts_those_that_are_not_listed():
    """Of one alert no more than its first ones."""
    (firings,) = (
        part
        for part in replay_page(replayed_of("High", firings=4000), status=0).parts
        if part.heading == "Firings"
    )
    assert (len(firings.rows), len(firings.rows) + firings.more) == (502, 4002)


def test_a_text_of_a_million_letters_is_cut_and_an_empty_result_says_so():
    """A label may hold anything."""
    long = ResultPage("check", Badge("pass"), "h", (ResultTable("T", ("A",), [("x" * 10**6,)]),))
    assert len(result_html(long)) < len(result_html(ResultPage("check", Badge("p"), "h", ()))) + (
        2 * LETTERS_MAX
    )
    empty = ResultPage("check", Badge("pass"), "h", (ResultList("Notes", []),))
    assert "There is nothing to show." in result_html(empty)
    assert "<h2>Notes" not in result_html(empty)


def test_the_page_of_a_mutation_score_says_what_its_last_line_says():
    """What is equivalent is none of those that could be killed."""
    score = score_of("High")
    assert score.equivalent
    *_, line = score_lines(score)
    headline = mutation_page(score, status=0).headline
    assert headline.removesuffix(".") in line


def written(*parts):
    """Return a page of these parts."""
    return result_html(ResultPage("check", Badge("pass"), "h", parts))


@pytest.mark.parametrize(("less", "shown"), [(0, 3), (1, 2)])
def test_what_fits_to_the_byte_is_shown(monkeypatch, less, shown):
    """Counted in bytes: a letter may have several."""
    items = ["ä" * 50, "b", "c"]
    room = sum(len(f"<li>{item}</li>\n".encode()) for item in items)
    monkeypatch.setattr(rendering, "ROOM", room - less)
    page = written(ResultList("Notes", items))
    assert page.count("<li>") == 1 + shown  # one leads to the part
    assert ("and 1 more, which" in page) == bool(less)


def test_two_large_parts_share_the_room_that_a_small_one_leaves():
    """Half of it each, whichever comes first."""
    row, count = ("x" * 1000,), 3000
    page = written(
        ResultTable("First", ("A",), [row] * count), ResultList("Notes", ["n"]),
        ResultTable("Last", ("A",), [row] * count),
    )  # fmt: skip
    first, last = (int(n.replace(",", "")) for n in re.findall("and ([0-9,]+) more, which", page))
    assert abs(first - last) <= 1
    size = len(f'<tr><th scope="row">{row[0]}</th></tr>\n')
    assert rendering.ROOM - 2 * size < size * (2 * count - first - last) < rendering.ROOM


@pytest.mark.parametrize("more", [0, 1])
def test_a_text_is_cut_only_where_it_is_too_long(more):
    """It says so, and is no longer than it may be."""
    page = written(ResultTable("T", ("A",), [("x" * (LETTERS_MAX + more),)]))
    letters = "x" * (LETTERS_MAX - 4) + " ..." if more else "x" * LETTERS_MAX
    assert f'<th scope="row">{letters}</th>' in page


def test_rows_that_were_left_out_before_count_too():
    """Beside the heading, and below the table."""
    page = written(ResultTable("T", ("A",), [("x",)], more=5, folded=True))
    for text in ("</a> 6</li>", "<summary>Show 6 rows</summary>", "and 5 more, which"):
        assert text in page


@pytest.mark.parametrize(
    ("status", "fail_over", "badge", "mood"),
    [
        (0, None, Badge("replayed"), ""),
        (0, 3.0, Badge("replayed", "pass"), ""),
        (1, 2.9, Badge("too noisy", "fail"), "bad"),
        (3, None, Badge("not judged", "invalid"), ""),
    ],
)
def test_a_replay_is_good_or_bad_only_beside_a_bound(status, fail_over, badge, mood):
    """The alert fires three times a day, which is as often as it may."""
    page = replay_page(replayed_of("High"), status=status, fail_over=fail_over)
    (noise,) = (part for part in page.parts if part.heading == "Noise")
    assert (page.badge, noise.rows[0][2].text, noise.rows[0][2].mood) == (badge, "3.00", mood)


def test_firings_beyond_those_of_all_alerts_that_are_listed_are_counted(monkeypatch):
    """Of those that were kept and those that were not."""
    monkeypatch.setattr(replay, "ROWS_MAX", 4)
    (firings,) = (
        p for p in replay_page(replayed_of("A"), status=0).parts if p.heading == "Firings"
    )
    assert (len(firings.rows), firings.more) == (4, 1)


@pytest.mark.parametrize(
    ("share", "fail_under", "text"),
    [
        (0.99, 99.0, ""),
        (0.9899, 99.0, ", below the 99 % of --fail-under"),
        (0.1, 12.5, ", below the 12.5 % of --fail-under"),
        (0.0, None, ""),
    ],
)
def test_a_score_at_its_bound_is_not_below_it(share, fail_under, text):
    """The bound is the least that is asked for."""
    assert below(share, fail_under) == text
