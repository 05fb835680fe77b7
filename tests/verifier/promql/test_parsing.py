"""The door to the syntax tree: what engines know and the library does not is read all the same."""

from __future__ import annotations

import time

import promql_parser as promql
import pytest

from verifier.promql.parsing import DEPTH_MAX, OPERATIONS_MAX, names_and_ranges, parse
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
