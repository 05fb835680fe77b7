"""Rules compared with a policy's numbers: each number that differs is named, and only that."""

from __future__ import annotations

import pytest

from documents.yaml_reader import parse
from tests.verifier.slo.packs import PACK, alert, disagreements
from verifier.pack.rules import RuleFiles, RuleGroup
from verifier.slo.alignment import budget_differences, request_differences
from verifier.slo.policy import read_policy
from verifier.slo.sentences import lines

BUDGET = {"slo": "error_budget"}
AVAILABILITY = {"slo": "availability"}
OF_5XX = 'status=~"5.."'


def rate(window, matchers=""):
    """Return the rate of requests."""
    return f"sum(rate(http_requests_total{{{matchers}}}[{window}]))"


def failed(window, more=""):
    """Return the share of failed requests."""
    return f"{rate(window, OF_5XX + more)} / {rate(window, more.lstrip(','))}"


def compared(check, *exprs, labels=BUDGET):
    """Return as one text what a check has against alerts on these expressions."""
    text = (PACK / "slo" / "policies.yaml").read_text()
    policy = read_policy(parse(text, "policies.yaml")).policy
    rules = tuple(alert(expr, labels) for expr in exprs)
    return "\n".join(lines(check(policy, RuleFiles((RuleGroup("g", "r.yaml", 30.0, rules),)))))


LEFT = f"(0.001 - {failed('30d')}) / 0.001"


@pytest.mark.parametrize(
    "expr",
    [
        f"{LEFT} < 0.1",
        f"100 * {LEFT} < 10",
        f"1 - {failed('30d')} / 0.001 < 0.1",
        f"0.1 > {LEFT}",
        f"{LEFT} <= 0.1",
    ],
)
def test_a_budget_alert_that_reads_what_is_left_agrees(expr):
    """As a share of 1 or in per cent."""
    assert compared(budget_differences, expr) == ""


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        (f"{LEFT} > 0.1", "it fires while budget is left, not when little is"),
        (f"0.1 < {LEFT}", "it fires while budget is left, not when little is"),
        (f"{LEFT} < 0.1 and {LEFT} < 0.2", "it has more than one condition on the budget"),
        (f"{LEFT} < 0.1 or {LEFT} < 0.2", "it has more than one condition on the budget"),
        (LEFT.replace("30d", "28d") + " < 0.1", "reads 28d, the error budget's period is 30d"),
        (LEFT.replace("30d", "28d", 1) + " < 0.1", "reads 28d and 30d, the error budget's"),
        (f"-({LEFT}) > -0.1", "must read 1 or 100 per cent of the budget while nothing fails"),
        (f"10 * {LEFT} < 1", "must read 1 or 100 per cent of the budget while nothing fails"),
        (f"1 - {failed('30d')} / 0.002 < 0.1", "uses an error budget of 0.2 % of the requests"),
        (f"{failed('30d')} / 0.001 > 0.9", "1 or 100 per cent of the budget"),
        ("up < 1", "is not comparable with the policy"),
        (LEFT.replace("5..", "4..") + " < 0.1", "is no share of the failed requests: "),
    ],
)
def test_a_budget_alert_on_anything_else_is_named(expr, problem):
    """Its period, its full budget, the budget itself, and the side on which it fires."""
    assert problem in compared(budget_differences, expr)


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        (f"{failed('5m')} > 0.001", ""),
        (f"100 * (1 - {failed('5m')}) < 99.9", ""),
        (f"{failed('5m')} > 0.001 and {failed('1h')} > 0.001", ""),
        (f"{failed('5m')} > 0.002", "fires at > 0.002, it must be > 0.001"),
        (f"{failed('5m')} < 0.001", "fires at < 0.001, it must be > 0.001"),
        (f"{failed('5m')} > 0.001 and {failed('1h')} > 0.002", "at > 0.002, it must be > 0.001"),
        (f"{rate('5m', OF_5XX)} / {rate('1h')} > 0.001", "a share over 5m and 1h"),
        ('sum(x{status=~"5.."}) / sum(x) > 0.001', "a share over no range"),
    ],
)
def test_an_alert_on_availability_reads_one_range_and_the_target(expr, problem):
    """Whichever range; in every comparison of it."""
    text = disagreements(expr, AVAILABILITY)
    assert problem in text
    assert bool(text) == bool(problem)


FAST = {"slo": "burn_rate", "window": "fast"}


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        (f"{failed('1h')} > 0.0144", ""),
        (f"{failed('1h')} > 0.0144 or {failed('6h')} > 0.006", ""),
        (f"{failed('6h')} > 0.006", "Burn reads 6h, "),
        (f"{failed('1h')} > 0.0144 or {failed('6h')} > 0.0144", "at > 0.0144, it must be > 0.006"),
        (f"{failed('1h')} > 0.0144 or {failed('2h')} > 0.1", "at > 0.1 over 2h, which is no win"),
        (f"{failed('1h')} > 0.0144 and {failed('5m')} > 0.0144", ""),
        (f"{failed('1h')} > 0.0144 and {failed('5m')} > 0.02", "> 0.02 over 5m, it must be > 0.01"),
        (f"{failed('1h')} / 0.002 > 14.4", "divides by 0.002, it must divide by 0.001"),
        (f"100 * {failed('1h')} / 0.1 > 14.4", ""),
        (f"100 * {failed('1h')} > 14.4", "fires at > 14.4, it must be > 1.44: "),
        (f"{failed('1h')} / 0.002 < 14.4", "fires at < 14.4, it must be > 7.2: "),
        (f"1 + {failed('1h')} / 0.002 > 14.4", "fires at > 14.4, it must be > 8.2: "),
        (f"1 - {failed('1h')} > 0.9", "fires at > 0.9, it must be < 0.9856: "),
        (f"1 - {failed('1h')} <= 0.9", "fires at <= 0.9, it must be <= 0.9856: "),
        (f"{failed('1h')} / 0.002 > 0.0144", "divides by 0.002, it must divide by 0.001: "),
        (f"{failed('1h')} / 0.002 > 0.0144", "fires at > 0.0144, it must be > 14.4: "),
    ],
)
def test_each_way_to_fire_has_the_rate_of_its_own_longest_window(expr, problem):
    """One of them is the objective's; all are windows of the policy."""
    text = disagreements(expr, FAST)
    assert problem in text
    assert bool(text) == bool(problem)


def test_alerts_of_a_service_take_their_shares_of_the_same_requests():
    """The first that can be read says of which; each other one is named once."""
    own, other = f"{failed('5m')} > 1", failed("5m", ',job="b"') + " > 1"
    assert compared(request_differences, own, own, labels=AVAILABILITY) == ""
    problem = compared(request_differences, "up < 1", own, other, other, labels=AVAILABILITY)
    assert problem.count('takes its share of http_requests_total{job="b"}, Burn of http_req') == 2
    both = compared(request_differences, f"{own} or {other}", other, labels=AVAILABILITY)
    of_b = 'takes its share of http_requests_total{job="b"}, Burn of http_requests_total'
    assert both.splitlines() == [f"rules.yaml:1:1: Burn {of_b}"] * 2


@pytest.mark.parametrize("check", [budget_differences, request_differences])
def test_a_policy_without_a_target_states_no_budget(check):
    """Nothing is compared with what is not there."""
    policy = read_policy(parse("service: x\n", "policies.yaml")).policy
    rules = RuleFiles((RuleGroup("g", "r.yaml", 30.0, (alert("up < 1", BUDGET),)),))
    assert check(policy, rules) == []
