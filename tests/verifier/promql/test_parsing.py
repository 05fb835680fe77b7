"""The door to the syntax tree: what engines know and the library does not is read all the same."""

from __future__ import annotations

import time

import promql_parser as promql
import pytest

from verifier.promql.parsing import DEPTH_MAX, OPERATIONS_MAX, is_askable, names_and_ranges, parse
from verifier.promql.walker import nodes, nodes_of

UNUSUAL = [
    ("holt_winters(a[10m], 0.5, 0.5)", "double_exponential_smoothing(a[10m], 0.5, 0.5)"),
    (r"up{status=~`5\d\d`}", r'up{status=~"5\\d\\d"}'),
    ("a > 86_400", "a > 86400"),
    (r'a{x=~"\\Qa.b\\E.*"}', r'a{x=~"a\\.b.*"}'),
    ('a{x=~"[[]b"}', r'a{x=~"[\\[]b"}'),
]


@pytest.mark.parametrize(("expr", "plain"), UNUSUAL)
def test_what_an_engine_knows_is_read_as_its_plain_form(expr, plain):
    """The library refuses each of them as it stands, or the table proves nothing."""
    with pytest.raises(ValueError, match=r".+"):
        promql.parse(expr)
    assert str(parse(expr)) == str(promql.parse(plain))


@pytest.mark.parametrize("text", [r"5\d", 'say "so"', "two\nlines\\n", r"\\", "'", "\t# é"])
def test_a_text_in_backticks_has_no_escapes(text):
    """Its value is what stands between them, to the letter."""
    (selector,) = nodes_of(parse(f"up{{a=`{text}`}}"), promql.VectorSelector)
    assert [matcher.value for matcher in selector.matchers.matchers] == [text]


@pytest.mark.parametrize(
    "expr",
    [
        'a{b="`"} + c{d="`5`"}',
        "a{b='`x'} # holt_winters( ` 1_0\n+ c",
        'label_replace(a, "holt_winters", "1_0", "b", "(.*)")',
        "a:1m_rate + a_1_2{b_1='2_3'}",
    ],
)
def test_nothing_is_changed_within_a_text_a_name_or_a_comment(expr):
    """A backtick in quotes is a letter, and a name may have digits around a bar."""
    assert str(parse(expr)) == str(promql.parse(expr))


@pytest.mark.parametrize("expr", ["", "sum(a", "rate(a)", "a{b=~`(`}", "nosuch(a)", "`open"])
def test_what_is_no_promql_stays_refused(expr):
    """Tolerance ends where every engine refuses."""
    with pytest.raises(ValueError, match=r".+"):
        parse(expr)


@pytest.mark.parametrize(
    "expr", ["(" * 20_000 + "a" + ")" * 20_000, "-" * 20_000 + "a", "a" + "+a" * 20_000]
)
def test_an_expression_too_deep_is_refused_before_the_library_overruns_its_stack(expr):
    """It would end the process by a signal."""
    with pytest.raises(ValueError, match="nested too deep"):
        parse(expr)


def test_what_is_just_not_too_deep_is_walked_at_once():
    """The library's own walk takes minutes for so many operands."""
    begun_s = time.process_time()
    assert len(nodes(parse("a" + " + a" * OPERATIONS_MAX))) == 2 * OPERATIONS_MAX + 1
    brackets = DEPTH_MAX - 1
    assert len(nodes(parse("(" * brackets + "a" + ")" * brackets))) == brackets + 1
    assert time.process_time() - begun_s < 5


def test_names_and_ranges_are_scanned_whatever_the_grammar():
    """More than the expression reads, never less."""
    scanned = names_and_ranges('{"a.b"}[1h30m:5m] fill(0) x:y{l=~`5\\d`} offset 90 + z[60] # 7d')
    assert {"a.b", "x:y", "z", "5\\d"} <= scanned.names
    assert scanned.ranges_s == (5400.0, 300.0, 90.0, 60.0)


@pytest.mark.parametrize(
    ("text", "ranges_s"),
    [
        ("x[1w]", (604_800.0,)), ("x[1y]", (31_536_000.0,)), ("x[1d]", (86_400.0,)),
        ("x[1h30m5s7ms]", (5405.007,)), ("x offset 90", (90.0,)), ("x OFFSET 90", (90.0,)),
        ("x[300]", (300.0,)), ("x + 300", ()), ("x[0x10]", (16.0,)), ("x[1_000]", (1000.0,)),
        ("x[1e30]", (9223372036.854776,)), ("x[9999999999999999999y]", (9223372036.854776,)),
        (f"x[0x{'f' * 251}]", (9223372036.854776,)), (f"x[0x{'0' * 247}f]", (15.0,)),
    ],
)  # fmt: skip
def test_the_ranges_of_a_text_are_read_in_seconds(text, ranges_s):
    """However they are written, up to the longest that an engine counts."""
    assert names_and_ranges(text).ranges_s == pytest.approx(ranges_s)


def test_what_is_read_and_asked_about_has_a_limit():
    """Of signs, brackets and operations: just so many, and no more."""
    assert parse(" + ".join(["x"] * 401)) is not None
    for text in (
        " + ".join(["x"] * 402), " and ".join(["x"] * 402),
        "(" * 201 + "x" + ")" * 201, "-" * 201 + "x",
    ):  # fmt: skip
        with pytest.raises(ValueError, match="nested too deep, or too long"):
            parse(text)
    assert parse("-(" * 150 + "x" + ")" * 150) is not None, "signs that do not follow each other"
    matchers = ",".join(f'l{number}="x"' for number in range(500))
    assert parse(f"x{{{matchers}}}") is not None, "matchers are no operations"
    for operator in ("+", " offset 1s +", " and "):
        per = 2 if "offset" in operator else 1
        whole = operator.join(["xxxxx"] * (5000 // per + 1))
        assert is_askable(whole)
        assert not is_askable(f"{whole}{operator}x")
    assert is_askable("-" * 5000)
    assert not is_askable("-" * 5001)
