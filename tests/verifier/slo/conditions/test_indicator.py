"""Which events a share counts: told by an HTTP status as rules write it, or by the policy."""

from __future__ import annotations

import pytest

from verifier.promql.parsing import parse
from verifier.slo.conditions.indicator import (
    StatedEvents,
    WrongEventsError,
    counted,
    read_events,
    requests_of,
)
from verifier.slo.conditions.quantities import Share
from verifier.slo.conditions.reader import Reader
from verifier.slo.conditions.unreadable import UnreadableConditionError


def share(numerator, denominator=""):
    """Return the share of requests with these matchers."""
    sides = (f"rate(x{{{matchers}}}[5m])" for matchers in (numerator, denominator))
    return Share(*(Reader().read(parse(side)).core for side in sides))


@pytest.mark.parametrize(
    ("matcher", "kind"),
    [
        ('status=~"5.."', "errors"),
        ('code=~"5[0-9]{2}"', "errors"),
        ('status=~"5.+"', "errors"),
        ('status=~"5xx"', "errors"),
        ('status="5xx"', "errors"),
        ('status_class="5XX"', "errors"),
        ('status=~"5XX|5xx"', "errors"),
        ('http_status_code!~"[234].."', "errors"),
        ('status!~"5.."', "good"),
        ('status!="5xx"', "good"),
        ('status!="5XX"', "good"),
        ('status=~"2..|3..|4.."', "good"),
        ('class=~"2xx|3xx|4xx"', "good"),
        ('class=~"2XX|3XX|4XX"', "good"),
        ('status!~"5..",job="a"', "good"),
    ],
)
def test_a_status_is_told_by_code_or_by_class_in_either_case(matcher, kind):
    """Whether it selects the errors or all the others."""
    other = ',job="a"' if "job" in matcher else ""
    assert counted(share(matcher, other.lstrip(",")), None) == kind


@pytest.mark.parametrize(
    ("matcher", "reason"),
    [
        ('status=~"4.."', "4xx are no errors"),
        ('status="4XX"', "4XX are no errors"),
        ('status="2xx"', "2xx are no errors"),
        ('status="503"', ": of the errors it leaves out 500, 501, 502, 96 more 5xx."),
        ('status=~"50.|4.."', "of the errors it leaves out 510, 511, 512, 87 more 5xx"),
        ('status=~"4xx|5xx"', ": it counts 4xx too."),
        ('status=~"4XX|5XX"', ": it counts 4XX too."),
        ('status=~"5..|429"', ": it counts 429 too."),
        ('status=~"5..|40[0-2]"', ": it counts 400, 401, 402 too."),
        ('status=~"5..|40[0-3]"', ": it counts 400, 401, 402, 1 more 4xx too."),
        (
            'status=~"5.[1-9]|404"',
            ": of the errors it leaves out 500, 510, 520, 7 more 5xx, it counts 404 too.",
        ),
        ('status!~"5..|404"', "2xx, 3xx, 400, 401, 402, 96 more 4xx are no errors"),
        ('status="600"', "status is no HTTP status here"),
        ('status="5Xx"', "status is no HTTP status here"),
        ('port=~"5.."', "port is no HTTP status here"),
        ('status=~".*"', "status is no HTTP status here"),
    ],
)
def test_what_is_neither_the_errors_nor_all_others_is_named(matcher, reason):
    """By the codes that it has too much or too little."""
    with pytest.raises(WrongEventsError) as error:
        counted(share(matcher), None)
    assert reason in f"{error.value}."


@pytest.mark.parametrize(
    ("numerator", "denominator", "reason"),
    [
        ('status=~"5.."', 'status!~"4.."', "which leaves out 4xx, not by all requests"),
        ('status="5xx"', 'status!="4xx"', "which leaves out 4xx, not by all requests"),
        ('status="5XX"', 'status!="3XX"', "which leaves out 3XX, not by all requests"),
        ('status=~"5.."', 'status!="404"', "which leaves out 404, not by all requests"),
        ('status=~"5..",job="a"', 'job="b"', "differ in"),
        ("", "", "by itself: the ratio is always 1"),
    ],
)
def test_a_share_of_some_requests_is_named(numerator, denominator, reason):
    """The denominator must count every answer."""
    with pytest.raises(WrongEventsError) as error:
        counted(share(numerator, denominator), None)
    assert reason in str(error.value)


STATED = [
    ('x{outcome="bad"}', 'outcome="bad"', "errors"),
    ('x{outcome="bad"}', 'outcome!="bad"', "good"),
    ('x{outcome!="good"}', 'outcome="good"', "good"),
    ('x{outcome=~"bad.*"}', 'outcome!~"bad.*"', "good"),
    ('x{outcome!~"good.*"}', 'outcome=~"good.*"', "good"),
    ('x{status=~"5..|429"}', 'status=~"5..|429"', "errors"),
    ('x{status=~"5..|429"}', 'status!~"429|5.."', "good"),
    ('x{result=~"5..|429"}', 'result=~"429|5.."', "errors"),
]


@pytest.mark.parametrize(("errors", "numerator", "kind"), STATED)
def test_events_that_the_policy_states_are_taken_from_it(errors, numerator, kind):
    """As it writes them, turned round, or the same codes in other words; whatever the label."""
    stated = StatedEvents(read_events("x"), read_events(errors))
    assert counted(share(numerator), stated) == kind


@pytest.mark.parametrize(("errors", "numerator", "kind"), STATED)
def test_what_the_policy_states_of_some_requests_is_compared_with_a_share_of_those(
    errors, numerator, kind
):
    """All matchers of the requests are in both."""
    stated = StatedEvents(read_events('x{job="a"}'), read_events(errors.replace("}", ',job="a"}')))
    assert counted(share(f'{numerator},job="a"', 'job="a"'), stated) == kind
    with pytest.raises(WrongEventsError, match=r"it divides by x, the policy's requests are x{"):
        counted(share(numerator), stated)
    if "status" in numerator:  # an error is a request, whether or not the policy repeats it
        brief = StatedEvents(stated.requests, read_events(errors))
        assert counted(share(f'{numerator},job="a"', 'job="a"'), brief) == kind


@pytest.mark.parametrize(
    ("errors", "numerator", "reason"),
    [
        ('x{outcome="bad"}', 'outcome="good"', 'it counts x{outcome="good"}, the policy\'s errors'),
        ('x{outcome="bad"}', 'outcome=~"bad|worse"', "the policy's errors are x{outcome="),
        ('x{status=~"5..|429"}', 'status=~"5.."', "of the errors it leaves out 429"),
        ('x{status=~"5.."}', 'status=~"5..|429"', "it counts 429 too"),
        ('x{status=~"5.."}', 'status=~"4.."', "4xx are no errors"),
        ('x{status=~"5..",path="/pay"}', 'status=~"5.."', 'not x{path="/pay",status=~"5.."}'),
        ('x{status=~"5..",path="/pay"}', 'status!~"5.."', 'not x{path="/pay",status=~"5.."}'),
        ('y{outcome="bad"}', 'outcome!="bad"', 'it counts x{outcome!="bad"}, not y{outcome="bad"}'),
        ('y{status=~"5.."}', 'status=~"5.."', 'not y{status=~"5.."}'),
    ],
)
def test_what_is_not_what_the_policy_states_is_named(errors, numerator, reason):
    """By the policy's own selector where the label holds no status."""
    stated = StatedEvents(read_events("x"), read_events(errors))
    with pytest.raises(WrongEventsError) as error:
        counted(share(numerator), stated)
    assert reason in str(error.value)


def test_two_metrics_need_a_policy_that_says_which_are_errors():
    """Both are named; with such a policy they are compared."""
    parts = (f"rate({name}[5m])" for name in ("errors", "requests"))
    two = Share(*(Reader().read(parse(part)).core for part in parts))
    with pytest.raises(WrongEventsError, match=r"^errors over requests: which of them are errors"):
        counted(two, None)
    assert counted(two, StatedEvents(read_events("requests"), read_events("errors"))) == "errors"
    assert requests_of(two) == read_events("requests")


@pytest.mark.parametrize("selector", ["rate(x[5m])", "x + y", "x[5m]", "1"])
def test_only_a_selector_states_events(selector):
    """Anything else is refused."""
    with pytest.raises(UnreadableConditionError, match="it is no selector"):
        read_events(selector)
