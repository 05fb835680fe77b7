"""Alerts of every common form, solved together: what their tests show, and what promtool says."""

from __future__ import annotations

import pytest

from verifier.derive.promtool import _answers
from verifier.derive.solving import evaluation_s, solve_alerts
from verifier.derive.suite import SuiteFile, confirm
from verifier.errors import JudgeError
from verifier.pack.rules import load_rules

RULES = """\
groups:
  - name: forms
    rules:
      - record: shop:errors:ratio
        expr: sum(rate(hits_total{code=~"5.."}[2m])) / sum(rate(hits_total[2m]))
      - {alert: Recorded, expr: 'shop:errors:ratio > 0.05', for: 1m}
      - {alert: Rate, expr: 'sum by (job) (rate(drops_total[2m])) > 100', for: 1m}
      - alert: Quantile
        expr: histogram_quantile(0.99, sum by (le) (rate(wait_seconds_bucket[2m]))) > 0.5
        for: 1m
      - {alert: Counted, expr: 'count(up{job="db"} == 0) / count(up{job="db"}) > 0.3', for: 1m}
      - {alert: Gone, expr: 'absent(up{job="db"})', for: 1m}
      - {alert: Either, expr: 'free < 5 or kills > 0', for: 1m}
      - {alert: Both, expr: 'load > 4 and on (instance) cores == 2', for: 1m}
      - {alert: Stale, expr: 'time() - done_seconds > 300'}
      - {alert: Twin, expr: 'depth > 10', for: 1m, labels: {severity: warning}}
      - {alert: Twin, expr: 'depth > 20', for: 1m, labels: {severity: critical}}
      - alert: Burn
        expr: sum(rate(hits_total{code=~"5.."}[10m])) / sum(rate(hits_total[10m])) / 0.001 > 14.4
        for: 2m
      - {alert: Seldom, expr: 'increase(fails_total[2m]) > 0', for: 4m}
      - {alert: Clockwork, expr: 'vector(1)'}
"""
LASTING = """\
groups:
  - name: forms
    rules:
      - {alert: Lasting, expr: 'increase(falls_total[10m]) > 0', for: 3m}
"""


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """Return the solutions of all forms."""
    return solutions_of(RULES, tmp_path_factory.mktemp("forms"))


def solutions_of(text, folder):
    """Return the solutions of each alert of some rules, before and after they are confirmed."""
    path = folder / "rules.yaml"
    path.write_text(text)
    rules = load_rules([path])
    solutions = solve_alerts(rules, [rule for _, rule in rules.alerts], lambda _: None)
    suite = SuiteFile((str(path),), evaluation_s(rules))
    return solutions, confirm(solutions, suite)


def test_every_form_is_solved_and_promtool_agrees_with_each_test(solved):
    """What cannot be, and what reads no series, is named with the reason."""
    before, confirmed = solved
    unsolved = {each.rule.alert: each.unsolved for each in confirmed if not each.solved}
    assert list(unsolved) == ["Clockwork"]
    assert unsolved["Clockwork"] == ("it reads no series",)
    assert [each.tests for each in before] == [each.tests for each in confirmed]


def test_each_has_its_kinds_of_test_and_an_or_fires_by_both_sides(solved):
    """Four for an alert with a `for`, more where there are more conditions."""
    kinds = {each.rule.alert: [test.kind for test in each.tests] for each in solved[1]}
    assert kinds["Rate"] == ["fires", "threshold", "for", "absent"]
    assert kinds["Either"].count("fires") == 2
    assert kinds["Both"].count("threshold") == 2


def test_a_near_miss_is_at_the_threshold_itself(solved):
    """Where the comparison leaves it out."""
    rate = next(each for each in solved[1] if each.rule.alert == "Rate")
    near = next(test for test in rate.tests if test.kind == "threshold")
    growths = [float(s.values.split("+")[1].split("x")[0]) for s in near.series]
    step_s = near.timing.sample_s
    assert sum(growths) == pytest.approx(100 * step_s)


def test_a_long_window_is_pending_for_one_evaluation_too_few_and_for_none_before(solved):
    """A quotient of sums lies beside its threshold, not on it, where rounding would decide."""
    burn = next(each for each in solved[1] if each.rule.alert == "Burn")
    test = next(each for each in burn.tests if each.kind == "for")
    pending = [time_s for time_s, alerts in test.expected if alerts]
    step_s = test.timing.evaluation_s
    assert pending[0] > 600
    assert pending[-1] - pending[0] == burn.rule.for_s - step_s
    assert len(pending) == 2  # where it begins and where it ends, with nothing between
    fires = next(each for each in burn.tests if each.kind == "fires")
    assert min(time_s for time_s, alerts in fires.expected if alerts) > 600


def test_what_holds_while_a_window_sees_it_is_pending_for_one_evaluation_too_few(solved):
    """A counter that fell would count as one that grew."""
    pending_for_one_too_few(next(each for each in solved[1] if each.rule.alert == "Seldom"))


def test_two_quantiles_that_disagree_are_solved_near_their_for(repository):
    """A bundled alert; it was not, when a histogram alone counted all that its rows count."""
    rules = load_rules([repository / "observability" / "alerts" / "extras.yaml"])
    own = [rule for _, rule in rules.alerts if rule.alert == "ResponseTimesDisagree"]
    (solution,) = solve_alerts(rules, own, lambda _: None)
    assert [test.kind for test in solution.tests] == ["fires", "threshold", "for", "absent"]
    assert solution.unsolved == ()


@pytest.mark.long
def test_what_holds_in_a_window_beyond_its_for_is_pending_for_one_too_few(tmp_path):
    """It sees a gap."""
    before, confirmed = solutions_of(LASTING, tmp_path)
    assert [each.tests for each in before] == [each.tests for each in confirmed]
    pending_for_one_too_few(confirmed[0])


def pending_for_one_too_few(seldom):
    """Check the test of the wait."""
    test = next(each for each in seldom.tests if each.kind == "for")
    pending = [time_s for time_s, alerts in test.expected if alerts]
    assert pending[-1] - pending[0] == seldom.rule.for_s - test.timing.evaluation_s
    assert test.expected[-1][1] == ()


@pytest.mark.parametrize(
    "output",
    [
        "  FAILED:\nparse error: unexpected end",
        '    expr: "up # q0", time: 1m,\n        exp: nil\n        got: up is 1',
    ],
)
def test_an_answer_that_cannot_be_read_is_never_taken_for_silence(output):
    """A question without an answer would be an alert that stays silent."""
    with pytest.raises(JudgeError):
        _answers(output, 1)
