"""Burn-rate rules and policies as people write them: each is judged for what it says.

Every rule stands in place of FastBurnRateHigh of the bundled pack (14.4 times the budget of 0.1 %
over an hour), every policy in place of its policy. What was decided for each policy, and why:

| policy | decision | because |
|---|---|---|
| target `99.9%` | read as 99.9 | a percent sign can mean nothing else |
| target `0.999` | refused, with 99.9 as the hint | 0.999 per cent is a target too, so nothing is guessed |
| a third window, `creeping` | completeness fails | only an alert of extras.yaml has its labels, and extras are loaded on request |
| OpenSLO, sloth | refused by name | they state no latency and no start-up time, and their queries are not what the rules of a pack were written from |
"""  # noqa: E501 - a table's row is one line

from __future__ import annotations

import pytest

from tests.verifier.slo.packs import disagreements, edit, failed

FAST = (
    'sum(rate(http_requests_total{status=~"5.."}[1h])) / sum(rate(http_requests_total[1h]))'
    " / 0.001 > 14.4"
)
BURN = "burn-rate thresholds"


def errors(window, matcher='status=~"5.."'):
    """Return the rate of the requests that the matcher selects."""
    return f"sum(rate(http_requests_total{{{matcher}}}[{window}]))"


def burn(window, rate):
    """Return a good condition on the share of failed requests."""
    return f"{errors(window)} / {errors(window, '')} / 0.001 > {rate}"


TWO = errors("1h", 'status=~"2.."')
DIGITS = errors("1h", 'status=~"5[0-9]+"')
CLASS = errors("1h", 'status="5xx"')
E_A = errors("1h", 'status=~"5..",job="a"')
T_A = errors("1h", 'job="a"')
T_NO_4 = errors("1h", 'status!~"4.."')
E_4 = errors("1h", 'status=~"4..|5.."')
E_OUTCOME = errors("1h", 'outcome="bad"')
T_B = errors("1h", 'job="b"')


FAILING = {
    "unsummed": (
        (
            'rate(http_requests_total{status=~"5.."}[1h]) / rate(http_requests_total[1h]) / 0.001'
            " > 14.4"
        ),
        "it compares one ratio for each label set, without sum; the policy is of all requests",
    ),
    "bool": (FAST.replace("> 14.4", "> bool 14.4"), "always has a value: it always fires"),
    "success-numerator": (
        FAST.replace("5..", "2.."),
        (
            'is no share of the failed requests: it counts http_requests_total{status=~"2.."}: 2xx'
            " are no errors"
        ),
    ),
    "never-matches": (
        FAST.replace("sum(rate", "sum by (status) (rate", 1),
        "the sides of '/' never meet: the left has the labels status, the right no labels",
    ),
    "sum-of-ratios": (
        (
            'sum(rate(http_requests_total{status=~"5.."}[1h]) / rate(http_requests_total[1h]))'
            " / 0.001 > 14.4"
        ),
        "it sums a ratio of each series: what counts is the ratio of the sums",
    ),
    "short-window-typo": (
        f"{FAST} and {burn('5m', 144)}",
        "fires at > 144 over 5m, it must be > 14.4, as over 1h",
    ),
    "wrong-numerator": (
        FAST.replace('=~"5.."', '="500"'),
        "of the errors it leaves out 501, 502, 503, 96 more 5xx",
    ),
    "other-denominator": (
        f"{errors('1h')} / {TWO} / 0.001 > 14.4",
        "which leaves out 3xx, 4xx, 5xx, not by all requests",
    ),
    "per-status": (
        (
            'sum by (status) (rate(http_requests_total{status=~"5.."}[1h])) / ignoring(status)'
            " group_left sum(rate(http_requests_total[1h])) / 0.001 > 14.4"
        ),
        "it compares one ratio for each status; the policy is of all requests",
    ),
}
PASSING = {
    "workbook-or": (
        f"({FAST} and {burn('5m', 14.4)}) or ({burn('6h', 6.0)} and {burn('30m', 6.0)})"
    ),
    "short-window-good": f"{FAST} and {burn('5m', 14.4)}",
    "unless-on": f"{FAST} unless on() (hour() < 6)",
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", FAILING)
def test_a_rule_that_never_fires_always_fires_or_counts_other_events_fails_by_name(pack, name):
    """Whatever it looks like."""
    expr, reason = FAILING[name]
    edit(pack / "alerts" / "slo.yaml", FAST, expr)
    failures = failed(pack)
    assert f"FastBurnRateHigh {reason}" in failures[BURN] or reason in failures[BURN]
    assert failures[BURN].startswith(f"{pack / 'alerts' / 'slo.yaml'}:39:15: FastBurnRateHigh ")


@pytest.mark.parametrize("name", PASSING)
def test_a_good_rule_in_another_form_passes(pack, name):
    """The pack as a whole passes with it."""
    edit(pack / "alerts" / "slo.yaml", FAST, PASSING[name])
    assert failed(pack) == {}


OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: answers}
spec:
  service: agentaskit
  objectives: [{target: 0.999}]
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
"""
SLOTH = """\
version: prometheus/v1
service: agentaskit
slos:
- name: requests-availability
  objective: 99.9
"""


@pytest.mark.parametrize(("text", "form"), [(OPENSLO, "OpenSLO"), (SLOTH, "sloth")])
def test_a_policy_in_the_form_of_another_tool_is_refused_by_that_name(pack, text, form):
    """One line that says what a policy states, instead of three missing keys."""
    path = pack / "slo" / "policies.yaml"
    path.write_text(text)
    [line] = failed(pack)["policy syntax"].splitlines()
    assert line.startswith(f"{path}:1:1: a policy must state service, availability, latency and")
    assert form in line


def test_a_target_with_a_percent_sign_is_read(pack):
    """It is the same number."""
    edit(pack / "slo" / "policies.yaml", "target: 99.9 ", "target: 99.9% ")
    assert failed(pack) == {}
    edit(pack / "slo" / "policies.yaml", "target: 99.9% ", "target: 99.95 % ")
    assert "it must divide by 0.0005" in failed(pack)[BURN]


def test_a_target_as_a_ratio_is_refused_with_the_number_that_was_meant(pack):
    """And nothing is compared with it: no threshold of 14256 is asked for."""
    edit(pack / "slo" / "policies.yaml", "target: 99.9 ", "target: 0.999 ")
    failures = failed(pack)
    assert list(failures) == ["policy syntax"]
    assert (
        "availability.target must be in per cent, like 99.9, got 0.999, a ratio"
        in (failures["policy syntax"])
    )


def test_a_window_whose_only_alert_is_optional_fails_and_names_that_alert(pack):
    """Extras may not be loaded, so nobody may be notified."""
    window = "    - {name: creeping, lookback: 3d, burn_rate: 1}\n"
    edit(pack / "slo" / "policies.yaml", "\nlatency:", f"{window}\nlatency:")
    assert (
        "burn rate, window creeping: no alert has the labels slo=burn_rate, window=creeping, but"
        " ErrorBudgetBurnCreeping, which is loaded only on request"
    ) in failed(pack)["completeness"]


E1, T1, G1 = errors("1h"), errors("1h", ""), errors("1h", 'status!~"5.."')
READ = [
    f"1 - {G1} / {T1} > 0.001 * 14.4",
    f"(1 - {G1} / {T1}) * 100 > 1.44",
    f"{G1} / {T1} < 1 - 0.0144",
    f"({T1} - {G1}) / {T1} > 0.0144",
    f"0.0144 < {E1} / {T1}",
    f"{E1} / {T1} >= 14.4 * (1 - 0.999)",
    f"{E1} / {T1} > 0.0144".replace("rate", "increase"),
    f"({E1} or vector(0)) / {T1} > 0.0144",
    f"({E1} / {T1} or vector(0)) > 0.0144",
    f"{E1} / on() {T1} > 0.0144",
    f"{E1} / {T1} > on() group_left() vector(0.0144)",
    f"{DIGITS} / {T1} > 0.0144",
    f"{CLASS} / {T1} > 0.0144",
    f"{E_A} / {T_A} > 0.0144",
    f"{E1} / {T1} > 0.0144 and on() (day_of_week() > 0 < 6)",
    "sum(sum by (job) (rate(http_requests_total{status=~'5..'}[1h])))" + f" / {T1} > 0.0144",
]
UNREAD = [
    (f"{E1} / {T1} > 0.0144 unless on() maintenance == 1", "ever lets it fire is not to be seen"),
    (f"{E1} / {T1} > 0.0144 unless on() (hour() < 24)", "lets it fire at no hour"),
    (f"{E1} / {T1} > 0.0144 and on() (hour() > 24)", "lets it fire at no hour"),
    (f"{E1} / {T1} > 0.0144 and on() vector(0) > 1", "lets it fire at no hour"),
    (f"{E1} / {T1} > 0.0144 and {T1} > 10", "which is no share of requests"),
    (f"{E1} / {T1} > 0.0144 or vector(0)", "'vector(0)' is compared with nothing"),
    (f"{E1} / {T1}", "is compared with nothing: it fires whenever it has a value"),
    (f"({E1} / {T1} or vector(1)) > 0.0144", "without series it counts as 1, and fires for that"),
    (f"({E1} or vector(1)) / {T1} > 0.0144", "1 stands for events where none were counted"),
    (f"{E1} / {T1} > 0.0144".replace("sum", "avg"), "avg() of the series is another number"),
    (f"{E1.replace('rate', 'irate')} / {T1} > 0.0144", "irate() reads the last two scrapes"),
    (f"{E1.replace('rate', 'increase')} / {T1} > 0.0144", "it divides increase by rate"),
    (f"{E1.replace('[1h]', '[1h] offset 1h')} / {T1} > 0.0144", "3600 s before the evaluation"),
    (f"{E1.replace('[1h]', '[1h] @ 5')} / {T1} > 0.0144", "at a fixed time"),
    (f"{E1.replace('1h', '5m')} / {T1} > 0.0144", "Burn reads 5m and 1h"),
    (
        "sum(http_requests_total{status=~'5..'}) / sum(http_requests_total) > 0.0144",
        "Burn reads no range",
    ),
    (f"{E1} / {T1} > 0.0144".replace("sum(", "sum by (job) ("), "one ratio for each job"),
    (f"{E1} / {T1} > 0.0144".replace("sum(", "sum without (status) ("), "for each label set"),
    (f"{E1} / clamp_min({T1}, 1) > 0.0144", "clamp_min() is not compared"),
    (f"label_replace({E1} / {T1}, 'a', 'b', 'c', 'd') > 0.0144", "label_replace() is not comp"),
    (f"{E1} / {T1} > on() group_left threshold", "compares with no number"),
    (f"count({E1} / {T1} > 0.0144) > 0", "it counts with the outcome of '>'"),
    (f"avg_over_time(({E1} / {T1})[1h:]) > 0.0144", "avg_over_time() is not compared"),
    (f"job:errors:rate1h / {T1} > 0.0144", "no file of the pack records job:errors:rate1h"),
    (f"{E1} / {T1} > 0.0144 or {burn('2h', 14.4)}", "also fires at > 14.4 over 2h, which is no"),
    (f"{E1} / {T1} > 0.0144 and {burn('6h', 14.4)}", "Burn reads 1h and 6h"),
    (f"{E1} / {T_NO_4} > 0.0144", "which leaves out 4xx"),
    (f"{E_4} / {T1} > 0.0144", "it counts 4xx too"),
    (f"{T1} / {T1} > 0.0144", "by itself: the ratio is always 1"),
    (f"{E_OUTCOME} / {T1} > 0.0144", "must be stated in the policy"),
    (f"{E1} / {T1} > 0.0144".replace("status", "port"), "port is no HTTP status here"),
    ("sum(rate(errors_total[1h])) / sum(rate(all_total[1h])) > 0.0144", "must be stated in the"),
    (f"{E_A} / {T_B} > 0.0144", "differ in"),
    (f"{E1} / {T1} < 0.0144", "fires at < 0.0144, it must be > 0.0144"),
    (f"{G1} / {T1} > 0.0144", "fires at > 0.0144, it must be < 0.9856"),
    (f"{E1} / {T1} > NaN", "fires at > nan"),
]


@pytest.mark.parametrize("expr", READ)
def test_the_same_statement_in_another_form_is_read(expr):
    """Complements, per cent, `increase`, `vector(0)` for no errors yet, guards by the clock."""
    assert disagreements(expr) == ""


@pytest.mark.parametrize(("expr", "reason"), UNREAD)
def test_what_cannot_be_compared_or_is_something_else_is_never_praised(expr, reason):
    """Each has its own reason."""
    assert reason in disagreements(expr)


def test_rules_are_read_through_recording_rules():
    """As generators write them: a ratio for each window, told apart by a fixed label."""
    recordings = [
        (f"slo:ratio_rate{window}", f"{errors(window)} / {errors(window, '')}", {"w": window})
        for window in ("5m", "1h")
    ]
    expr = 'slo:ratio_rate5m{w="5m"} > 14.4 * 0.001 and ignoring(w) slo:ratio_rate1h > 14.4 * 0.001'
    assert disagreements(expr, recordings=recordings) == ""
    never = expr.replace("ignoring(w) ", "")
    assert "the sides of 'and' never meet" in disagreements(never, recordings=recordings)
    other = expr.replace('{w="5m"}', '{w="6h"}')
    assert "no series of slo:ratio_rate5m has the labels" in disagreements(
        other, recordings=recordings
    )
    of_ratios = "avg_over_time(slo:ratio_rate5m[1h]) > 0.0144"
    assert "avg_over_time() is not compared" in disagreements(of_ratios, recordings=recordings)
    loop = [("slo:ratio", "slo:ratio + 0")]
    assert "slo:ratio reads itself" in disagreements("slo:ratio > 0.0144", recordings=loop)


def test_a_threshold_may_come_from_a_rule_that_records_a_number():
    """And it is compared as if it were written there."""
    for limit, problem in (("0.0144", ""), ("0.02", "fires at > 0.02, it must be > 0.0144")):
        recordings = [("slo:limit", f"vector({limit})", {"kind": "fast"})]
        expr = f"{E1} / {T1} > on() group_left() slo:limit"
        assert problem in disagreements(expr, recordings=recordings)
        assert bool(disagreements(expr, recordings=recordings)) == bool(problem)


OUTCOMES = '  requests: rpc_total\n  errors: rpc_total{outcome="bad"}\n'


@pytest.mark.parametrize(
    ("share", "problem"),
    [
        ('sum(rate(rpc_total{outcome="bad"}[1h])) / sum(rate(rpc_total[1h])) > 0.0144', ""),
        ('sum(rate(rpc_total{outcome!="bad"}[1h])) / sum(rate(rpc_total[1h])) < 0.9856', ""),
        (
            'sum(rate(rpc_total{outcome="good"}[1h])) / sum(rate(rpc_total[1h])) < 0.9856',
            'the policy\'s errors are rpc_total{outcome="bad"}',
        ),
        (
            f"{E1} / {T1} > 0.0144",
            "it divides by http_requests_total, the policy's requests are rpc_total",
        ),
    ],
)
def test_a_policy_may_state_which_events_are_errors(share, problem):
    """Then nothing is inferred from the status."""
    assert problem in disagreements(share, policy=OUTCOMES)
    assert bool(disagreements(share, policy=OUTCOMES)) == bool(problem)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        (f"{E1} / {T1} / 0.005 > 14.4", ""),
        (f"{E1} / {T1} / 0.001 > 14.4", "divides by 0.001, it must divide by 0.005"),
        (f"{E1} / {T1} / (1 - 0.999) > 10", "fires at > 10, it must be > 14.4"),
        (f"{E1} / {T1} / 0.005 > 10", "fires at > 10, it must be > 14.4"),
        (f"{E1} / {T1} > 0.0144", "fires at > 0.0144, it must be > 0.072"),
    ],
)
def test_with_another_target_the_divisor_is_named_not_a_threshold(pack, expr, problem):
    """99.5 per cent leave 0.5 per cent: the rate of 14.4 is right, what it divides by is not."""
    edit(pack / "slo" / "policies.yaml", "target: 99.9 ", "target: 99.5 ")
    edit(pack / "alerts" / "slo.yaml", FAST, expr)
    own = [line for line in failed(pack)[BURN].splitlines() if "FastBurnRateHigh" in line]
    assert problem in "\n".join(own)
    assert bool(own) == bool(problem)
    if "divides" in problem:
        assert "72" not in "\n".join(own)


def test_an_alert_on_other_requests_than_the_rest_is_named(pack):
    """Each may be right alone; together they are of two services."""
    expr = f"{E_A} / {T_A} > 0.0144"
    edit(pack / "alerts" / "slo.yaml", FAST, expr)
    assert (
        'FastBurnRateHigh takes its share of http_requests_total{job="a"}, AvailabilitySLOBreach'
        " of http_requests_total"
    ) in failed(pack)["dashboard/alert alignment"]
