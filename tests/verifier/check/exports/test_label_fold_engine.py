"""The label sets of the fold are those of a real Prometheus that holds the same series."""

from __future__ import annotations

import pytest

from tests.verifier.histories import history, labels, row
from verifier.check.exports.families import Exports
from verifier.check.exports.label_fold import LabelFold, MatchProblem
from verifier.promql.parsing import parse
from verifier.servers.prometheus.client import QueryError
from verifier.servers.prometheus.server import Prometheus

SERIES = {
    "a": [{"x": "1", "y": "1"}, {"x": "2", "y": "1"}, {"x": "2", "y": "2"}],
    "b": [{"x": "1"}, {"x": "2"}],
    "c": [{"z": "1"}],
    "h_bucket": [{"le": "1", "x": "1"}, {"le": "+Inf", "x": "1"}],
}
PIECES = ("a", "b", "c", "sum by (x) (a)", "sum without (y) (a)", "sum(a)", 'a{x="2"}', "(b > -1)")
OPERATORS = (
    "+", "and", "or", "unless", "* on (x)", "- on (y)", "/ ignoring (y)", "> bool on ()",
    "* on (x) group_left ()", "* on (x) group_right ()", "+ ignoring (y) group_left ()",
    "and on (x)", "unless ignoring (y)",
)  # fmt: skip
ALONE = (
    "rate(a[2m])", "topk(9, b)", "max by (y, x) (a)", "count without (x) (a)", "-a", "(a)",
    "histogram_quantile(0.9, h_bucket)", "max_over_time(b[1m:15s])", 'absent(gone{x="1"})',
    "sum by (x) (rate(a[2m])) / ignoring (x) group_left sum(rate(a[2m]))", "clamp_max(a, 1)",
)  # fmt: skip


@pytest.fixture(scope="module")
def server():
    """Return a Prometheus that holds the series, and the time of the last sample."""
    stored = {
        labels(name, job="*", instance="*", **own): row("1 2 3 4 5 6 7 8 9")
        for name, sets in SERIES.items()
        for own in sets
    }
    written = history(stored)
    with Prometheus() as prometheus:
        prometheus.push(written)
        yield prometheus, written.blocks[0].timestamps_ms[-1] / 1000


@pytest.fixture(scope="module")
def fold():
    """Return the fold over the same series, as a page would give them."""
    sets = {name: [tuple(sorted(own.items())) for own in listed] for name, listed in SERIES.items()}
    return LabelFold(Exports("p", sets, {}))


def test_the_fold_and_the_engine_agree(server, fold):
    """On which label sets there are; and where the fold sees a mistake, the engine has none."""
    prometheus, at_s = server
    pairs = [f"{left} {sign} {right}" for left in PIECES for sign in OPERATORS for right in PIECES]
    seen = {"sets": 0, "mismatched": 0, "many": 0}
    for expr in (*ALONE, *pairs):
        noted = []
        sets = fold.sets(parse(expr), noted.append)
        problems = {each.kind for each in noted if isinstance(each, MatchProblem)}
        try:
            answer = {
                tuple(sorted(pair for pair in series.labels.items() if pair[0] != "__name__"))
                for series in prometheus.query(expr, at_s)
            }
        except QueryError:
            assert problems == {"many"}, expr
            seen["many"] += 1
            continue
        assert "many" not in problems, expr
        if "mismatched" in problems:
            unmet = set(fold.sets(parse(expr.split(" unless")[0]), noted.append) or ())
            assert answer == (unmet if "unless" in expr else set()), expr
            seen["mismatched"] += 1
        elif " unless" not in expr:  # which of them pass is a matter of values to the fold
            assert answer == set(sets), expr
            seen["sets"] += 1
    assert min(seen.values()) > 50, seen
