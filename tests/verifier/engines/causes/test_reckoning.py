"""What is recomputed is what real engines answer, on random histories with everything that breaks.

Each function, with gaps, restarts and markers, on a grid that meets the scrapes and one that does
not. What needs VictoriaMetrics is left out loudly where there is none.
"""

from __future__ import annotations

import math

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.engines.test_other_engines import needs_victoria_metrics
from tests.verifier.generated_histories import SHAPES, generated_history
from verifier.engines.causes.explaining import traits_of
from verifier.engines.causes.leaves import NotReckonedError
from verifier.engines.causes.reckoning import Reckoning, values_of
from verifier.engines.causes.traits import PROMETHEUS_2, VICTORIA_METRICS, Trait
from verifier.engines.victoria_metrics import VictoriaMetrics
from verifier.servers.prometheus import Prometheus, RangeQuery

HISTORY = generated_history(7, SHAPES[1])
EXPRESSIONS = (
    *(
        "level",
        "sum(depth) / 3 > 2",
        'level{instance!="b"} offset 1m',
        'absent(level{instance="a"})',
    ),
    *("rate(done_total[1m])", "sum by (instance) (increase(done_total[2m]))"),
    *("irate(failed_total[1m])", "delta(level[2m])", "rate(done_total[20s] offset 45s)"),
    *("avg_over_time(level[1m])", "max_over_time(depth[45s])", "min_over_time(depth[5m])"),
    *("sum_over_time(level[30s])", "count_over_time(level[30s])", "last_over_time(level[1m])"),
    *("changes(up[2m])", "resets(done_total[5m])", "stddev_over_time(level[1m])"),
    *("changes(level[20s])", "resets(up[20s])", "stdvar_over_time(depth[20s])"),
    *("deriv(level[1m])", "predict_linear(depth[2m], 4 * 60)", "deriv(level[20s])"),
    *("quantile_over_time(0.9, level[2m])", 'absent_over_time(level{instance="a"}[45s])'),
    *("present_over_time(up[30s])", "level - on(instance) depth", "-level"),
    "histogram_quantile(0.9, sum by (le) (rate(wait_bucket[1m])))",
    'sum(rate(done_total{instance=~"a|b"}[5m])) / sum(rate(failed_total[5m])) > 1.5 or vector(0)',
    "sum(rate(failed_total[1m])) / sum(rate(failed_total[1m]))",
    "(level / (level - level)) or depth",
)
GRIDS = ((0.0, 30.0), (4.25, 30.0))


@pytest.fixture(scope="module")
def reckoning():
    """Return what recomputes on the history."""
    with Reckoning(((HISTORY,), (HISTORY,))) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus():
    """Return the installed Prometheus, which holds the history."""
    with Prometheus() as running:
        running.push(HISTORY)
        yield running


@pytest.fixture(scope="module")
def victoria_metrics():
    """Return a VictoriaMetrics that holds the history."""
    with VictoriaMetrics() as running:
        running.push(HISTORY)
        yield running


def misses(server, reckoning, traits, expr, grid):
    """Return the answers of a server that do not come out, and what comes out; how many do."""
    first_s, step_s = grid
    query = RangeQuery(expr, EPOCH_S + 120 + first_s, EPOCH_S + 2280 + first_s, step_s)
    steps = range(int(2160 / step_s) + 1)
    answer = values_of(server.query_range(query), query)
    reckoned = reckoning.values(query, steps, traits, held_by=0)
    wrong, right = [], 0
    for labels in {*answer, *reckoned}:
        for step in steps:
            pair = answer.get(labels, {}).get(step), reckoned.get(labels, {}).get(step)
            if _is_same(*pair):
                right += pair[0] is not None
            else:
                wrong.append((labels, step, *pair))
    return wrong, right


def _is_same(answer, reckoned):
    if answer is None or reckoned is None:
        return answer is reckoned
    return math.isclose(answer, reckoned, rel_tol=1e-9, abs_tol=1e-9) or (
        math.isnan(answer) and math.isnan(reckoned)
    )


@pytest.mark.sampled(16)
@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_prometheus_answers_what_is_recomputed(prometheus, reckoning, expr):
    """To the last digits, and nothing where it answers nothing."""
    traits, _ = traits_of(prometheus.name, prometheus.version)
    answers = 0
    for grid in GRIDS:
        wrong, right = misses(prometheus, reckoning, traits, expr, grid)
        assert not wrong, (expr, grid, wrong[:5])
        answers += right
    assert answers


@needs_victoria_metrics
@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_victoria_metrics_answers_what_is_recomputed(victoria_metrics, reckoning, expr):
    """By the traits that are known of it, all at once."""
    for grid in GRIDS:
        wrong, _ = misses(victoria_metrics, reckoning, VICTORIA_METRICS, expr, grid)
        assert not wrong, (expr, grid, wrong[:5])


@pytest.mark.parametrize(
    ("expr", "trait"),
    [
        ("rate(done_total[1m])", Trait.SAMPLE_BEFORE),
        ("rate(done_total[1m])", Trait.UNEXTENDED),
        ("rate(done_total[5m])", Trait.LATE_ZERO),
        ("rate(done_total[1m])", Trait.EMPTY_IS_ZERO),
        ("count_over_time(level[30s])", Trait.OPEN_WINDOW),
        ("increase(done_total[1m])", Trait.STARTS_FROM_ZERO),
        ("changes(level[1m])", Trait.FIRST_IS_CHANGE),
        ("deriv(level[20s])", Trait.ONE_IS_FLAT),
        ("level", Trait.SHORT_LOOKBACK),
        ("level / (level - level) or depth", Trait.NAN_IS_MISSING),
    ],
)
def test_a_trait_that_is_left_out_is_noticed(prometheus, reckoning, expr, trait):
    """Turned over, what is recomputed is no longer what Prometheus answers."""
    traits, _ = traits_of(prometheus.name, prometheus.version)
    wrong, _ = misses(prometheus, reckoning, traits ^ {trait}, expr, GRIDS[0])
    assert wrong


@pytest.mark.parametrize(
    ("expr", "what"),
    [
        ("max_over_time(rate(done_total[1m])[5m:1m])", "a subquery"),
        ("holt_winters(level[5m], 0.5, 0.5)", r"double_exponential_smoothing\(\)"),
        ("predict_linear(level[5m], time())", "a number that changes"),
        ("timestamp(level)", r"timestamp\(\)"),
        ("level @ 5", "@"),
    ],
)
def test_what_is_not_known_is_named(reckoning, expr, what):
    """Rather than recomputed wrongly."""
    with pytest.raises(NotReckonedError, match=what):
        reckoning.values(RangeQuery(expr, EPOCH_S, EPOCH_S + 60, 30), [0], PROMETHEUS_2, held_by=0)
