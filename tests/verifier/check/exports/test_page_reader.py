"""A /metrics page in every form that exporters write, and what is none."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from verifier.check.exports.families import joined
from verifier.check.exports.page_reader import read_page


def test_both_formats_say_the_same():
    """Names of samples have the type of their family, exemplars and times are passed over."""
    text = read_page('# TYPE a_total counter\na_total{x="1"} 2 1700000000\n', "p")
    metrics = read_page(
        '# TYPE a counter\na_total{x="1"} 2.0 # {trace_id="q"} 1.0\na_created{x="1"} 1\n# EOF\n',
        "p",
    )
    assert text.series["a_total"] == metrics.series["a_total"] == ((("x", "1"),),)
    assert text.kind("a_total") == metrics.kind("a_total") == "counter"


def test_names_and_values_of_any_letters_are_read():
    """Quoted names, escapes, and an empty value, which is no label at all."""
    read = read_page(
        '{"my.metric", "a.b"="c"} 1\nx{p="C:\\\\d \\"q\\" }",e=""} +Inf\ny{} NaN\n', "p"
    )
    assert read.series["my.metric"] == ((("a.b", "c"),),)
    assert read.series["x"] == ((("p", 'C:\\d "q" }'),),)
    assert read.series["y"] == ((),)


def test_a_label_of_the_target_is_stored_under_another_name():
    """As the server does it, unless it honours the labels of a page."""
    assert read_page('x{job="batch"} 1\n', "p").series["x"] == ((("exported_job", "batch"),),)


def test_a_type_without_a_series_is_declared():
    """All the names that its series will have."""
    read = read_page("# TYPE h histogram\n# TYPE c counter\n", "p")
    assert read.declared == {"h_bucket", "h_count", "h_sum", "c", "c_total"}


def test_pages_are_joined_and_a_type_in_dispute_is_unknown():
    """What the one declares and the other has is not empty."""
    first = read_page('# TYPE a gauge\na{x="1"} 1\n# TYPE b_total counter\n', "p")
    both = joined([first, read_page('# TYPE a counter\na{x="2"} 1\nb_total 1\n', "q")])
    assert both.kind("a") == "unknown"
    assert len(both.series["a"]) == 2
    assert not both.declared


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!doctype html>\n", "page.txt:1:1: the line must be a sample or a comment"),
        ("a 1\nb{x=1} 2\n", "page.txt:2:1: the line must be"),
        ('a 1\nb{x="1" 2\n', "page.txt:2:1: the line must be"),
        ("a\n", "page.txt:1:1: the line must be"),
        ("\n# a comment\n", "page.txt: the page must hold at least one metric"),
    ],
)
def test_what_is_no_page_is_a_mistake_with_its_place(text, said):
    """The first words of the line for a person."""
    with pytest.raises(InputError) as caught:
        read_page(text, "page.txt")
    assert str(caught.value).startswith(said)
