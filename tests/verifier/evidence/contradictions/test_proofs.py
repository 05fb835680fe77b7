"""Which conditions contradict themselves, by what is written alone: the server has nothing."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from exporter.metrics.catalogue import WORLD
from verifier.evidence.contradictions import contradictions
from verifier.evidence.emptiness import EmptinessCheck, Recording
from verifier.evidence.stock import Answer
from verifier.evidence.value_bounds import KnownFacts, bounds_of
from verifier.promql.parsing import parse
from verifier.servers.prometheus import Series

BY_JOB = "sum by (job) (up)"
DEPTH = "agentaskit_task_queue_depth"
REQUESTS, TASKS = "agentaskit_response_duration_seconds", "agentaskit_task_duration_seconds"


class ThreeSeries:
    """Three series of everything; `seen` are expressions that had a value all the same."""

    def __init__(self, seen):
        """Hold nothing else."""
        self.seen = seen

    def answer(self, query, _span):
        """Return what a query ever was."""
        return self._series(1.0) if query in self.seen else Answer()

    def over(self, query, _span):
        """Return how many series there are."""
        return self._series(3.0) if query.startswith("max(count") else Answer()

    def _series(self, value):
        return Answer((Series({}, np.ones(1), np.array([value])),))


def proofs(expr, *recordings, seen=()):
    """Return why a condition can never hold."""
    parsed = [Recording(name, parse(text), {}) for name, text in recordings]
    check = EmptinessCheck(ThreeSeries(seen), parsed)
    return contradictions(check, parse(expr), SimpleNamespace())


def never(expr, side="left", stays="between 0 and 1"):
    """Return that nothing makes a comparison true."""
    return f"nothing in this world makes `{expr}` true: its {side} side stays {stays}"


def nothing_left(expr):
    """Return that thresholds exclude each other."""
    return f"nothing makes `{expr}` true: its thresholds leave no value between them"


EMPTY = never("up == 2")


@pytest.mark.parametrize(
    ("expr", "reasons"),
    [
        ("up > 0.5", []),
        ("up == 2", [EMPTY]),
        ("2 < up", [never("2 < up", "right")]),
        ("up == 2 and up > 3", [EMPTY, never("up > 3")]),
        ("up == 2 or up > 3", [EMPTY, never("up > 3")]),
        ("up > 5 unless up == 2", [never("up > 5")]),
        ("up > 2 unless up > 1", [never("up > 2")]),
        ("count(up) > 3", [never("count(up) > 3", stays="between 1 and 3")]),
        ("count(up == 0) > 3", [never("count(up == 0) > 3", stays="between 1 and 3")]),
        ("count(up) >= 3", []),
        *[(f"count({pick}(5, up)) > 3", []) for pick in ("topk", "bottomk", "limitk")],
        ('count(count_values("x", up)) > 3', []),
        ("count(limit_ratio(0.5, up)) > 3", []),
        *[("count(up or up) > 3", []), ("count(info(up)) > 3", []), ("count(other) > 3", [])],
        ("up > scalar(up == 2)", [EMPTY]),
        ("up != scalar(up == 2)", []),
        ("count(up == 2) != 5", [EMPTY]),
        ("up > on() group_left() sum(up == 2)", [EMPTY]),
        ("sum(up == 2)", [EMPTY]),
        *[
            (expr, [nothing_left(expr)])
            for expr in (
                *("up > 0.5 and up <= 0.5", "up >= 0.5 and up < 0.5", "0.7 < up and up < 0.2"),
                *(
                    "up > 0.5 unless up > 0.2",
                    "up > 0.5 unless up >= 0.5",
                    "up < 0.5 unless up < 0.7",
                ),
                *("up <= 0.5 unless up <= 0.5", f"(up > 0.7 unless {DEPTH}) and up < 0.2"),
                f"(up > 0.7 and on (job) {DEPTH} > 1) and up < 0.2",
                f"({DEPTH} > 1 and on (job) sum(up) > 0.7) and on () sum(up) < 0.2",
            )
        ],
        *[
            (expr, [])
            for expr in (
                *(
                    "up >= 0.5 and up <= 0.5",
                    "up >= 0.5 unless up > 0.5",
                    "up > 0.2 unless up > 0.5",
                ),
                *("up > bool 0.5 and up < 0.2", "up + 1 and up < 0.2", "up > 0.7 or up < 0.2"),
                *("up > 0.7 and on(job) up < 0.2", f"up > 0.7 and {DEPTH} < 0.2"),
                *("up == 0.5 unless up != 0.5", "up == 0.5 unless up == 0.5"),
                f"({DEPTH} > 1 and on(job) up > 0.7) and up < 0.2",
                f"({DEPTH} > 1 and on(job) {BY_JOB} > 0.7) and on(job) {BY_JOB} < 0.2",
                f"({DEPTH} > 1 and on(job) topk(1, up) > 0.7) and on(job) topk(1, up) < 0.2",
            )
        ],
    ],
)
def test_a_condition_that_nothing_can_make_true_is_named_with_what_is_to_blame(expr, reasons):
    """The comparison itself, a filter below it, or two thresholds of one value."""
    assert proofs(expr) == reasons


@pytest.mark.parametrize(
    "expr", ["up == 2", "up > 0.5 and up <= 0.5", "up > 0.5 unless up > 0.2", "count(up) > 3"]
)
def test_what_the_engine_has_seen_is_possible(expr):
    """Whatever the bounds say."""
    assert proofs(expr)
    assert proofs(expr, seen=[expr]) == []


def test_a_recording_is_traced_to_the_first_of_its_rules():
    """Of which none ever has a value; one that reads itself may have any."""
    dead = ("rec", "up == 2"), ("rec", "up == 3")
    why = [f"recording rec never has a value: {EMPTY}"]
    assert proofs("rec > 5", *dead) == why
    assert proofs("sum(rec) > 5", *dead) == why
    assert proofs("rec > 5", dead[0], ("rec", "up")) == [never("rec > 5")]
    assert proofs("rec > 5", ("rec", "rec + 1")) == []
    assert proofs("count(up) > 3", ("up", "other")) == [], "how many it has is not known"


@pytest.mark.parametrize(
    ("expr", "least", "greatest"),
    [
        *[(f"{name}(other[5m])", 0, np.inf) for name in ("changes", "resets", "count_over_time")],
        *[("idelta(other[5m])", -np.inf, np.inf), ("delta(up[5m])", -np.inf, np.inf)],
        *[("rate(up[5m])", 0, np.inf), ("rate(other[5m])", -np.inf, np.inf)],
        *[("minute()", 0, 59), ("hour()", 0, 23), ("day_of_week()", 0, 6), ("month()", 1, 12)],
        *[("day_of_month()", 1, 31), ("absent(other)", 1, 1), ("group(other)", 1, 1)],
        *[("stddev(other)", 0, np.inf), ("stdvar(other)", 0, np.inf), ("count(other)", 1, np.inf)],
        *[
            ("max(up)", 0, 1),
            ("avg(up)", 0, 1),
            ("quantile(0.5, up)", 0, 1),
            ("sum(up)", 0, np.inf),
        ],
        *[("quantile(95, up)", -np.inf, np.inf), ("quantile_over_time(0.5, up[5m])", 0, 1)],
        *[("quantile_over_time(2, up[5m])", -np.inf, np.inf), ("max_over_time(up[5m])", 0, 1)],
        *[("clamp_max(other, 5)", -np.inf, 5), ("clamp_min(other, 5)", 5, np.inf)],
        *[("clamp(other, 2, 5)", 2, 5), ("clamp_min(up, 0.5)", 0.5, 1), ("-up", -1, 0)],
        *[("clamp_max(up, 0.5)", 0, 0.5), ("clamp_max(up, 7)", 0, 1), ("clamp_min(up, -7)", 0, 1)],
        *[("up + up", 0, 2), ("up - up", -1, 1), ("up * up", 0, 1), ("up * 100", 0, 100)],
        *[("100 * (sum(up) / sum(up))", 0, 100), ("sum(up) * 100 / sum(up)", 0, 100)],
        *[("100 * sum(up) / sum(up)", 0, 100), ("sum(up) / on() sum(up)", 0, np.inf)],
        *[("sum(up) / sum by (job) (up)", 0, np.inf), ("sum(other) / sum(other)", -np.inf, np.inf)],
        *[('sum(up{a="b"}) / sum(up)', 0, 1), ('sum(up) / sum(up{a="b"})', 0, np.inf)],
        *[("sum(up offset 5m) / sum(up)", 0, np.inf), ("sum(up) / sum(up offset 5m)", 0, np.inf)],
        *[("sum(rate(up[5m])) / sum(rate(up[5m]))", 0, 1)],
        *[("sum(increase(up[5m])) / sum(increase(up[5m]))", 0, 1)],
        *[("sum(rate(up[5m])) / sum(rate(up[1m]))", 0, np.inf)],
        *[("sum(rate(up[5m])) / sum(increase(up[5m]))", 0, np.inf)],
        *[("time() - timestamp(up)", 0, 300), ("hour() - timestamp(up)", -np.inf, np.inf)],
        *[("time() - timestamp(up offset 1h)", -np.inf, np.inf), ("up > bool 5", 0, 1)],
        *[("up and other", 0, 1), ("other and up", -np.inf, np.inf), ("up or up + 1", 0, 2)],
        *[
            ("up unless other", 0, 1),
            ("scalar(up)", 0, 1),
            ("vector(5)", 5, 5),
            ("NaN", -np.inf, np.inf),
        ],
        *[
            ('label_replace(up, "a", "b", "", "")', 0, 1),
            ("1 / (up + 1)", 0.5, 1),
            ("1 / up", 0, np.inf),
        ],
        *[(f"rate({REQUESTS}_bucket[5m])", 0, np.inf), (f"{REQUESTS}_sum", 0, np.inf)],
    ],
)
def test_between_which_values_an_expression_stays(expr, least, greatest):
    """Whatever happens, where nothing is asked of a server."""
    bounds = bounds_of(parse(expr))
    assert (bounds.least, bounds.greatest) == (least, greatest)


def test_a_quantile_of_two_histograms_reaches_to_the_last_bound_of_either():
    """Of one that is not ours it may be anything; so may one of changed labels, or beyond 1."""
    shorter = [
        replace(metric, bounds_s=(1.0, 4.0)) if metric.name == TASKS else metric for metric in WORLD
    ]
    facts = KnownFacts(tuple(shorter))
    read = {(TASKS,): 4.0, (REQUESTS,): 30.0, (REQUESTS, TASKS): 30.0, (TASKS, REQUESTS): 30.0}
    for names, greatest in read.items():
        buckets = " or ".join(f"{name}_bucket" for name in names)
        bounds = bounds_of(parse(f"histogram_quantile(0.9, {buckets})"), facts)
        assert (bounds.least, bounds.greatest) == (0.0, greatest), names
    for expr in (
        f"histogram_quantile(9, {REQUESTS}_bucket)",
        f"histogram_quantile(0.9, {REQUESTS}_bucket or other_bucket)",
        f'histogram_quantile(0.9, label_replace({REQUESTS}_bucket, "le", "9", "", ""))',
    ):
        assert bounds_of(parse(expr)).greatest == np.inf, expr
