"""Matchers and the walk down the route tree, beside what Alertmanager makes of the same text."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from verifier.pack.routes.matchers import Matcher, parse_matchers
from verifier.pack.routes.route import Route


def route(receiver: str, matchers: str = "", *routes: Route, continues: bool = False) -> Route:
    """Return a route that waits 30 seconds, then five minutes."""
    return Route(receiver, tuple(parse_matchers(matchers)), continues, 30, 300, routes)


def receivers_of(root: Route, **labels: str) -> list[str]:
    """Return the receivers of the routes that take an alert."""
    return [route.receiver for route in root.matching(labels)]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('severity="critical"', [("severity", "=", "critical")]),
        (' a = b , c !~ "x|y" ', [("a", "=", "b"), ("c", "!~", "x|y")]),
        ('{a="1,2",b=~"x"}', [("a", "=", "1,2"), ("b", "=~", "x")]),
        (r'a="q\"q\n\\\d"', [("a", "=", 'q"q\n\\\\d')]),
        (r'a="1\",2",b="x\\",c=y', [("a", "=", '1",2'), ("b", "=", "x\\"), ("c", "=", "y")]),
        # Of the classic syntax alone, which leaves a backslash before any letter as it is.
        (r'a="1\",2\d",b=x', [("a", "=", '1",2\\d'), ("b", "=", "x")]),
        ('a=""', [("a", "=", "")]),
        ("a=", [("a", "=", "")]),
        ("a=b,", [("a", "=", "b")]),
        ("{}", []),
        ("", []),
        (r'a="\d",', [("a", "=", r"\d")]),
        (r'a="\d\\",b=c', [("a", "=", "\\d\\"), ("b", "=", "c")]),
        ("a=x\\", [("a", "=", "x\\")]),
        ("a-b=c", [("a-b", "=", "c")]),
        (r'{"a b"=~"\\d+", ö != "\u00e4\n",}', [("a b", "=~", r"\d+"), ("ö", "!=", "ä\n")]),
        (r'"\x41\102\U0001F600"=b', [("AB\U0001f600", "=", "b")]),
        ("severity='critical'", [("severity", "=", "'critical'")]),
    ],
)
def test_matchers_are_read_as_alertmanager_reads_them(
    text: str, read: list[tuple[str, str, str]]
) -> None:
    """Quotes may be left out; a comma within them separates nothing."""
    matchers = parse_matchers(text)
    assert [(m.name, m.operator, m.value) for m in matchers] == read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("severity", "a matcher must be written like severity=\"critical\", got 'severity'"),
        ("a=b,,c=d", "a matcher must be written like"),
        ("a-b==c", "a matcher must be written like"),
        ('a="b', "must end with its quote"),
        ('a=b"c', "must be escaped"),
        ('a="b"c"', "must be escaped"),
        ('a=~"("', r"regular expression '\(' is not valid: missing \)"),
        ('a!~"("', r"regular expression '\(' is not valid: missing \)"),
        ('a=~"a|b)(c"', r"regular expression 'a\|b\)\(c' is not valid"),
        ('a=~"x(?=y)"', r"is not valid: invalid perl operator"),
        ('a=~"x++"', r"is not valid: bad repetition operator"),
        ('"a', "a matcher must be written like"),
        (r'"a\q"=b', "a matcher must be written like"),
        (r'"\xff"=b', "a matcher must be written like"),
        ("{a b=c}", "a matcher must be written like"),
        ('"a"="b" "c"="d"', "a matcher must be written like"),
        ('{"a"="b"', "a matcher must be written like"),
        ('"a"="b"}', "a matcher must be written like"),
    ],
)
def test_what_is_no_matcher_is_refused(text: str, message: str) -> None:
    """With what the classic syntax has against it."""
    with pytest.raises(InputError, match=message):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("operator", "value", "taken", "left"),
    [
        ("=", "x", ["x"], ["", "xx", "X"]),
        ("!=", "x", ["", "xx"], ["x"]),
        ("=~", "x|y", ["x", "y"], ["", "xy", "x\n"]),
        ("!~", "x.*", ["", "yx"], ["x", "xy"]),
        ("=~", "", [""], ["x"]),
        ("=~", "(?i)x[+*]+", ["X+*+"], ["x"]),
        ("=~", r"x\.\z", ["x."], ["xy"]),
        ("=~", r"\d", ["1"], ["\u0661"]),
        ("=~", "(?i)AGENT.*|[[:alpha:]]+d", ["agents", "end", "bd"], ["1d", "x"]),
        ("=~", r"\p{L}+", ["Zoë"], ["a1", ""]),
    ],
)
def test_a_matcher_takes_whole_values_and_a_missing_label_is_empty(
    operator: str, value: str, taken: list[str], left: list[str]
) -> None:
    """Regular expressions are anchored at both ends."""
    matcher = Matcher("a", operator, value)
    assert all(matcher.matches({"a": text}) for text in taken)
    assert not any(matcher.matches({"a": text}) for text in left)
    assert matcher.matches({"b": "x"}) == matcher.matches({"a": ""})


def test_the_deepest_match_takes_and_siblings_only_after_continue() -> None:
    """A parent takes what none of its children took, the root all that is left."""
    root = route(
        "all",
        "",
        route("call", "slo=burn", continues=True),
        route("page", "severity=critical", route("db", "team=db"), route("web", "team=web")),
        route("never", "severity=critical"),
    )
    assert receivers_of(root, slo="burn", severity="critical", team="web") == ["call", "web"]
    assert receivers_of(root, severity="critical") == ["page"]
    assert receivers_of(root, slo="burn") == ["call"]
    assert receivers_of(root, severity="info") == ["all"]


def test_a_child_that_continues_keeps_its_parent_from_taking_too() -> None:
    """`continue` goes on to the siblings; none matched after it, and once is enough."""
    root = route("all", "", route("page", "a=x", route("log", "b=y", continues=True)))
    assert receivers_of(root, a="x", b="y") == ["log"]
