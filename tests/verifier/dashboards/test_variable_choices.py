"""What a variable asks a Prometheus for its choices, and what it is settled to, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from documents.mistakes import Place
from verifier.dashboards.choices import through_regex
from verifier.dashboards.resolution import board_values, resolved_query
from verifier.dashboards.variable_values import (
    CHOICES_MAX,
    VariableValues,
    names_metrics,
    question_reads,
)
from verifier.pack.panels import Board, Option, Panel, Query, Resolution, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence


class AnsweringStore:
    """Answers every question with its own name, and remembers what was asked."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.asked: list[tuple[str, ...]] = []

    def label_values(self, label: str, selector: str) -> Sequence[str]:
        """Return two values, the names of metrics for `__name__`."""
        self.asked.append(("label_values", label, selector))
        return ("up", "down_total") if label == "__name__" else ("b", "a")

    def label_names(self, selector: str) -> Sequence[str]:
        """Return one name."""
        self.asked.append(("label_names", selector))
        return ("job",)

    def results(self, expr: str) -> Sequence[str]:
        """Return one result."""
        self.asked.append(("results", expr))
        return ('up{job="x"} 1 2',)

    def series(self, selector: str) -> Sequence[str]:
        """Return more series than are taken."""
        self.asked.append(("series", selector))
        return [f"s{number}" for number in range(CHOICES_MAX + 1)]


LABEL = ("label_values", "job", "")


@pytest.mark.parametrize(
    ("query", "asked", "first"),
    [
        ("label_values(job)", LABEL, "b"),
        (' label_values( "job" ) ', LABEL, "b"),
        ('label_values(up{a=~"b,c"}, job)', ("label_values", "job", 'up{a=~"b,c"}'), "b"),
        ("label_values(up,\n job)", ("label_values", "job", "up"), "b"),
        ("label_values($m, job)", ("label_values", "job", "up_x"), "b"),
        ("label_names()", ("label_names", ""), "job"),
        ("label_names( up )", ("label_names", "up"), "job"),
        ("metrics(down.*)", ("label_values", "__name__", ""), "down_total"),
        ("metrics( n )", ("label_values", "__name__", ""), "down_total"),
        ("metrics(()", ("label_values", "__name__", ""), ""),
        ("query_result(max(up))", ("results", "max(up)"), 'up{job=\\"x\\"} 1 2'),
        ("up", ("series", "up"), "s0"),
        ("label_values(up, job) or x", ("series", "label_values(up, job) or x"), "s0"),
    ],
)
def test_a_query_of_a_variable_asks_what_its_form_says(
    query: str, asked: tuple[str, ...], first: str
) -> None:
    """With other variables replaced; a plain text asks for series."""
    store = AnsweringStore()
    metric = Variable("m", "constant", chosen=("up_x",))
    variable = Variable("v", "query", query, asks=True)
    values = VariableValues(Board("B", (metric, variable)), {}, store)
    assert values.substitute("${v:doublequote}").strip('"') == first
    assert store.asked == [asked]


def test_choices_are_bounded_sorted_and_settled_once() -> None:
    """The regular expression may have variables as well."""
    store = AnsweringStore()
    end = Variable("end", "constant", chosen=("9",))
    many = Variable("v", "query", "up", regex="/s.$end$/", sort=2, asks=True, include_all=True)
    values = VariableValues(Board("B", (end, many)), {}, store)
    values.settle()
    assert values.substitute("$v") == "(" + "|".join(f"s{n}9" for n in range(9, 0, -1)) + ")"
    taken = Variable("v", "query", "up", asks=True)
    chosen = VariableValues(Board("B", (taken,)), {}, store).choices(taken)
    assert chosen is not None
    assert len(chosen) == CHOICES_MAX
    assert len(store.asked) == 2


A, B, OTHER = Option("A", "a"), Option("B", "b"), Option("B", "c")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (("a",), ("A",), False, False, None, False)),
        ({"chosen": ("c",)}, (("c",), ("B",), False, False, None, False)),
        ({"chosen": ("c", "a")}, (("c", "a"), ("B", "A"), False, False, None, False)),
        ({"chosen": ("x", "b")}, (("b",), ("B",), False, False, None, False)),
        ({"chosen": ("x",), "chosen_texts": ("B",)}, (("b",), ("B",), False, False, None, False)),
        (
            {"chosen": ("a",), "chosen_texts": ("B",)},
            (("a",), ("A",), False, False, None, False),
        ),
        ({"chosen_texts": ("B", "A")}, (("a",), ("A",), False, False, None, False)),
        ({"multi": True}, (("a",), ("A",), True, True, None, False)),
        ({"include_all": True}, (("a", "b", "c"), (), True, True, None, True)),
        ({"include_all": True, "chosen": ("b",)}, (("b",), ("B",), False, True, None, False)),
        ({"include_all": True, "all_value": "$o"}, (("a", "b", "c"), (), True, True, "k", True)),
        ({"chosen": ("$__all",)}, (("a", "b", "c"), (), True, False, None, True)),
        (
            {"chosen": ("$__all",), "chosen_texts": ("B",)},
            (("a", "b", "c"), (), True, False, None, True),
        ),
        ({"options": (), "chosen": ("x",)}, ((), (), False, False, None, False)),
        ({"kind": "textbox", "chosen": ("x", "y")}, (("x",), (), False, False, None, False)),
        ({"kind": "adhoc"}, (("",), (), False, False, None, False)),
        ({"kind": "datasource", "multi": True}, (("",), (), False, False, None, False)),
        # of another source: nobody can ask it
        ({"kind": "query", "options": ()}, ((), (), False, False, ".+", False)),
        (
            {"kind": "query", "options": (), "chosen": ("", "x"), "multi": True},
            (("x",), ("x",), True, True, None, False),
        ),
        (
            {"kind": "query", "options": (), "chosen": ("$__all", "x"), "all_value": "y"},
            ((), (), False, False, "y", True),
        ),
        ({"kind": "query", "asks": True, "query": "q"}, ((), (), False, False, ".+", False)),
    ],
)
def test_a_variable_is_settled_whole(fields: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """Its values and their texts, whether it is a list, may have several, or stands for all."""
    variable = Variable(**{"name": "v", "kind": "custom", "options": (A, B, OTHER), **fields})
    other = Variable("o", "constant", chosen=("k",))
    value = VariableValues(Board("B", (other, variable)), {}).get("v")
    assert value is not None
    assert (
        value.values, value.texts, value.is_list, value.several, value.literal,
        value.stands_for_all,
    ) == expected  # fmt: skip


INTERVALS = (Option("5m", "5m"), Option("x", "x"), Option("1h", "1h"))
AUTO = (Option("auto", "$__auto:no:20m"),)


@pytest.mark.parametrize(
    ("options", "chosen", "expected"),
    [
        (INTERVALS, ("1h",), "1h"),
        (INTERVALS, ("x",), "x"),
        (INTERVALS, ("2h",), "5m"),
        (INTERVALS[1:], (), "1h"),
        ((INTERVALS[1],), ("auto",), "auto"),  # no other is a length of time
        (INTERVALS, ("auto",), "5m"),
        ((*INTERVALS, *AUTO), ("auto",), "20m"),
        ((*INTERVALS, *AUTO), ("$__auto_interval_v",), "20m"),
        ((*INTERVALS, *AUTO), ("automatic",), "5m"),
        (AUTO, (), "20m"),
        ((Option("auto", "$__auto:4:1m"),), (), "2h"),
        ((Option("auto", "$__auto:no:1m"),), (), "15m"),  # thirty, where it does not say
    ],
)
def test_an_interval_is_its_current_one_else_the_first_that_is_one(
    options: tuple[Option, ...], chosen: tuple[str, ...], expected: str
) -> None:
    """Over eight hours; `auto` by its number of steps and its least."""
    variable = Variable("v", "interval", options=options, chosen=chosen)
    value = VariableValues(Board("B", (variable,), 8 * 3600.0), {}).get("v")
    assert value is not None
    assert value.values == (expected,)


def test_a_fixed_choice_is_written_as_the_variable_would_be() -> None:
    """One of several as a regular expression, and no list; a name unknown as it is."""
    several = Variable("v", "custom", include_all=True)
    values = VariableValues(Board("B", (several, Variable("w", "custom"))), {})
    fixed = values.fixed("v", "a.b").fixed("w", "a.b").fixed("u", "a.b")
    assert fixed.substitute("$v $w $u ${v:json} $t ${t:csv}") == (
        'a\\\\.b a.b a.b "a.b" $t ${t:csv}'
    )
    assert [value.name for value in fixed.used("$w [[v:csv]] ${w} $u")] == ["w", "v"]


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("label_values(up, job)", "up"),
        ("label_values(job)", '{__name__=~".+"}'),
        ("label_names(up)", '{__name__=~".+"}'),
        ("metrics(up)", '{__name__=~".+"}'),
        ("query_result(max(up))", "max(up)"),
        ("up", "up"),
    ],
)
def test_a_question_reads_what_it_asks_for(query: str, reads: str) -> None:
    """Everything, where names are asked for."""
    assert question_reads(query) == reads


@pytest.mark.parametrize(
    ("returned", "regex", "expected"),
    [
        (["ab", "cd"], "/(a)?(.)/", [("a", "a"), ("", "")]),
        (["x=1 y=2 z="], "/\\w=(\\d?)/g", [("1", "1"), ("2", "2")]),
        (["x=1"], "/\\w=(\\d?)/g", [("1", "1")]),
        (["a-1", "b-"], "/(?<text>\\w)-(?<value>\\d)?/", [("a", "1"), ("b", "b")]),
        (["-1"], "/(?<text>\\w)?-(?<value>\\d)/", [("1", "1")]),
        (["a1 b2"], "/(?<value>\\d)/g", [("1", "1")]),
        (["a\nb"], "/^b$/", []),
        (["a\nb"], "/^b$/m", [("a\nb", "a\nb")]),
        (["a\nb"], "/a.b/", []),
        (["a\nb"], "/a.b/s", [("a\nb", "a\nb")]),
        (["ab"], "/b", []),  # without an end it is plain, and must match the whole
        (["/b"], "/b", [("/b", "/b")]),
        (["a/i", "A"], "a/i", [("a/i", "a/i")]),
        (["ig"], "/(g)/", [("g", "g")]),
        (["A"], "/i/a", []),
        (["gg"], "/(g)/", [("g", "g")]),
    ],
)
def test_what_a_regular_expression_cuts_out(
    returned: list[str], regex: str, expected: list[tuple[str, str]]
) -> None:
    """Text and value of each choice; a group that took no part is empty; flags of JavaScript."""
    assert [(each.text, each.value) for each in through_regex(returned, regex)] == expected


@pytest.mark.parametrize(
    ("query", "regex", "asks", "names"),
    [
        ("metrics(a)", "", True, True),
        ("metrics(a)", "", False, False),
        ("label_values(__name__)", "", True, True),
        ("label_values(a, b)", "/x/", True, False),
        ("query_result(a)", "/x/", True, True),  # it may cut the name out
        ("query_result(a)", "", True, False),
        ("a", "/x/", True, True),
        ("a", "/x/", False, False),
    ],
)
def test_choices_that_may_be_names_of_metrics(
    query: str, regex: str, *, asks: bool, names: bool
) -> None:
    """What a panel reads is then known to nobody."""
    assert names_metrics(Variable("v", "query", query, regex, asks=asks)) == names


BOARD = Board("T", (Variable("least", "constant", chosen=("30s",)),), 7200.0)


@pytest.mark.parametrize(
    ("resolution", "fields", "expr", "step_s"),
    [
        (Resolution(3600.0, 240), {}, "15s 1h 60s", 15.0),
        (Resolution(3600.0, 240, "$least"), {}, "30s 1h 60s", 30.0),
        (Resolution(3600.0, 240), {"min_step": "$least"}, "30s 1h 120s", 30.0),
        (Resolution(3600.0, 60), {"interval_factor": 3}, "3m 1h 195s", 180.0),
        (Resolution(3600.0, 60), {"min_step": "${__rate_interval}"}, "1m 1h 75s", 75.0),
        (Resolution(3600.0, 60), {"min_step": "$__rate_interval"}, "1m 1h 75s", 75.0),
        (Resolution(3600.0, 60), {"min_step": "$__interval"}, "1m 1h 240s", 60.0),
        (Resolution(3600.0, 60), {"min_step": "${__interval}"}, "1m 1h 240s", 60.0),
    ],
)
def test_a_query_is_resolved_with_its_own_step_and_the_range_of_its_panel(
    resolution: Resolution, fields: dict[str, Any], expr: str, step_s: float
) -> None:
    """Each time anew from its text in the file."""
    place = Place("b.json")
    query = Query("old", "", place, "$__interval $__range $__rate_interval", **fields)
    panel = Panel("T", "P", "graph", (query,), place, {}, BOARD, resolution)
    resolved = resolved_query(panel, query, board_values(BOARD, end_s=0.0))
    assert resolved.expr == expr.replace("1h", "3600s")
    assert (resolved.step_s, resolved.template) == (step_s, query.template)


def test_the_variables_of_a_board_are_those_of_its_own_range() -> None:
    """And what Grafana says of itself."""
    values = board_values(BOARD, end_s=7200.0)
    text = "$__from $__to $__range $__interval $__dashboard $__org $__user $__timezone"
    assert values.substitute(text) == "0 7200000 7200s 15s T 1 1 UTC"
