"""An alert whose own parts contradict each other is vacuous; one that may hold is not."""

from __future__ import annotations

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.evaluation.engine import evaluate
from verifier.evidence.contradictions import ValueThreshold, leaves_nothing
from verifier.evidence.silence import WatchedRun, silences
from verifier.evidence.value_bounds import OURS
from verifier.pack.spread import WHOLE
from verifier.promql.intervals import SHARE, ValueBounds
from verifier.promql.parsing import parse
from verifier.servers.prometheus import Prometheus

END_S = 600.0
QUEUE = "agentaskit_task_queue_depth"
CELLS = ({"cell": str(cell), "job": "agentaskit"} for cell in range(3))
STORED = history(
    {
        **{labels("up", **cell): row("1*20 0*8 1*22" if cell["cell"] == "1" else "1*50")
           for cell in CELLS},
        **{labels(QUEUE, priority=name): row("3*50") for name in ("high", "low")},
        labels("elsewhere", cell="0"): row("1*50"),
        labels("elsewhere", cell="1"): row("1*50"),
    },
    start_s=-60.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def server():
    """Start a Prometheus that holds three cells, of which one is down for two minutes."""
    with Prometheus() as started:
        started.push(STORED)
        yield started


def silence_of(server, tmp_path, *written):
    """Return the last silence of some rules."""
    files = rules(tmp_path, *written)
    evaluation = evaluate(server, files, start_s=0.0, end_s=END_S)
    run = WatchedRun(server, files, EPOCH_S, END_S, WHOLE)
    return silences(run, evaluation.timelines)[-1]


def vacuous(server, tmp_path, expr):
    """Say why one alert could not have fired; None when it could."""
    return silence_of(server, tmp_path, {"alert": "A", "expr": expr}).vacuous


BETWEEN = "its thresholds leave no value between them"
UP_2 = "nothing in this world makes `up == 2` true: its left side stays between 0 and 1"


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ("count(up == 2) >= 1", UP_2),
        ("1 <= count(up == 2)", UP_2),
        ("count(up == 2)", UP_2),
        ("sum by (cell) (up == 2) != 5", UP_2),
        ("max_over_time((up == 2)[5m:1m]) < 9", UP_2),
        ("elsewhere * on(cell) (up == 2) < 9", UP_2),
        ("elsewhere and on(cell) ((up == 2) * 1)", UP_2),
        ("(count(up == 2) or vector(0)) > 0", "its left side stays at 0"),
        ("elsewhere > 9 or count(up == 2) > 1", UP_2),
        ("elsewhere > 9 unless on() count(up < 0) or count(up == 2) > 1", UP_2),
        ("elsewhere > scalar(count(up == 2))", UP_2),
        ("count((up > 0.5) < 0.5) > 0", "makes `(up > 0.5) < 0.5` true: its left side stays bet"),
        (f"count({QUEUE} < 0) > 0", f"`{QUEUE} < 0` true: its left side stays at 0 or above"),
        ("count(up == 0) > 3", "`count(up == 0) > 3` true: its left side stays between 1 and 3"),
        ("count by (cell) (up == 0) > 1", "true: its left side stays at 1"),
        ("count without (cell) (up == 0) > 3", "stays between 1 and 3"),
        ("sum(up) > 3", "its left side stays between 0 and 3"),
        ("sum(up == 0) > 0", "`sum(up == 0) > 0` true: its left side stays at 0"),
        ("count(up == 0) + count(up) > 6", "its left side stays between 2 and 6"),
        ("count(count by (cell) (up == 0)) > 3", "stays between 1 and 3"),
        (f"count(rate({QUEUE}[1m]) > 1 unless up) > 2", "stays between 1 and 2"),
        # A threshold of the condition itself that no value can meet.
        ("up == 2", UP_2),
        ("(up > 1) > 0", "makes `up > 1` true"),
        ("up > 1 and up > 1", "makes `up > 1` true"),
        (f"{QUEUE} < 0 or up > 1", f"`{QUEUE} < 0` true: its left side stays at 0 or above"),
        ("avg(up) > 1", "its left side stays between 0 and 1"),
        ("(sum(up == 0) or vector(0)) < 0", "its left side stays at 0 or above"),
        ("absent(up == 0) and on() up == 0 > 1", "up == 0 > 1"),
        ("absent(up) or absent_over_time((up == 2)[9m:]) > 1", "stays at 1"),
        ("vector(1) == 2", "its left side stays at 1"),
        ("hour() > 24", "its left side stays between 0 and 23"),
        (f"{QUEUE} > NaN", "NaN is no number"),
        ("clamp_max(sum(up), 1) > 1", "its left side stays between 0 and 1"),
        ("clamp(elsewhere, 2, 5) < 2", "its left side stays between 2 and 5"),
        ("time() - timestamp(up) > 600", "its left side stays between 0 and 300"),
        # Two thresholds of one value that exclude each other.
        (f"{QUEUE} > 100 and {QUEUE} < 50", BETWEEN),
        (f"50 > {QUEUE} and 100 < {QUEUE}", BETWEEN),
        (f"{QUEUE} > 5 and {QUEUE} <= 5", BETWEEN),
        (f"{QUEUE} > 500 unless {QUEUE} > 300", BETWEEN),
        (f"{QUEUE} > 500 unless {QUEUE} > 500", BETWEEN),
        (f"({QUEUE} > 9 and {QUEUE} > 100) and {QUEUE} < 50", BETWEEN),
        ("sum(elsewhere) == 1 and on() sum(elsewhere) == 2", BETWEEN),
    ],
)
def test_a_condition_whose_parts_contradict_each_other_is_vacuous(server, tmp_path, expr, reason):
    """Wherever the filter stands, and however many series would have to be there."""
    assert reason in (vacuous(server, tmp_path, expr) or "")


@pytest.mark.parametrize(
    "expr",
    [
        # As many as there are, of all or of a group.
        "count(up == 0) >= 3",
        "count without (cell) (up == 0) > 2",
        "count(up == 0) == 2",
        f"sum({QUEUE} > 5) > 1e9",
        # A side that may pass, and what is there without the filter.
        "count((up == 2) or (up == 0)) > 2",
        "sum(up == bool 2) > 2",
        "elsewhere > 1 unless on() (up == 2)",
        "elsewhere != scalar(count(up == 2)) < 0",
        # Thresholds that leave something between them, and those of different series.
        f"{QUEUE} > 5 and {QUEUE} < 50",
        f"{QUEUE} >= 5 and {QUEUE} <= 5",
        f"{QUEUE} > 300 unless {QUEUE} > 500",
        f"{QUEUE} > 500 unless {QUEUE} == 300",
        f"{QUEUE} > 500 unless ({QUEUE} > 300 and {QUEUE} < 400)",
        f"{QUEUE} > 100 and on(job) {QUEUE} < 50",
        "topk(1, elsewhere) > 9 and on() topk(1, elsewhere) < 5",
        f"{QUEUE} > 100 and {QUEUE} offset 5m < 50",
        f"{QUEUE} > 1e8 or {QUEUE} == 1e9",
        "elsewhere > 1e9 and elsewhere != 3",
        # Ages that can be, and limits that are not known.
        "time() - timestamp(up) > 200",
        "time() - timestamp(up offset 10m) > 600",
        "clamp_min(up, scalar(elsewhere)) > 1",
        "clamp_max(elsewhere, 1) < -5",
        # What depends on what holds, or on what there is elsewhere, is not counted.
        "count(elsewhere == 0) > 2",
        'count(ALERTS{alertname="A"}) > 2',
        "count(topk(1, up) == 0) > 1",
        "count(up == 0 or on() elsewhere) > 4",
        "count_values('v', up == 0) > 9",
    ],
)
def test_a_condition_that_may_hold_is_not(server, tmp_path, expr):
    """A count that is reached is none, nor a threshold that is merely far."""
    assert vacuous(server, tmp_path, expr) is None


def test_a_recording_that_lets_nothing_through_leaves_its_readers_without_a_value(server, tmp_path):
    """Through another one too; of two rules of its name one suffices."""
    dead = {"record": "a:dead", "expr": "up == 2"}
    down = {"record": "a:down", "expr": "count(up == 0)"}
    deader = {"record": "a:deader", "expr": "sum(a:dead) + 1"}
    read = {"alert": "A", "expr": "count(a:deader) > 0"}
    reason = silence_of(server, tmp_path, dead, deader, read).vacuous
    prefix = "recording a:deader never has a value: recording a:dead never has a value: "
    assert reason == prefix + UP_2
    other = {"record": "a:dead", "expr": "up < 1", "labels": {"of": "down"}}
    more = {"alert": "A", "expr": "count(a:deader) > 5"}
    assert silence_of(server, tmp_path, dead, other, deader, more).vacuous is None
    above = {"alert": "A", "expr": "a:down > 3"}
    assert (
        "its left side stays between 1 and 3" in silence_of(server, tmp_path, down, above).vacuous
    )
    own = {"record": QUEUE, "expr": "up - 5"}
    read = {"alert": "A", "expr": f"count({QUEUE} < 0) > 9"}
    assert silence_of(server, tmp_path, own, read).vacuous is None


def test_what_the_engine_has_seen_is_never_called_impossible(server, tmp_path):
    """A proof that is wrong, as of a metric of ours with a value of somebody else's."""
    low = labels("agentaskit_active_agents", tier="micro")
    server.push(history({low: row("-5*50")}, start_s=-60.0))
    assert vacuous(server, tmp_path, "count(agentaskit_active_agents < -9) > 1") is not None
    assert vacuous(server, tmp_path, "count(agentaskit_active_agents < 0) > 1") is None


@pytest.mark.parametrize(("limit", "excluded"), [(ValueBounds(1.0, 1.0), True), (SHARE, False)])
def test_opposite_thresholds_exclude_each_other_at_one_limit(limit, excluded):
    """Two limits that lie between the same bounds may be different ones."""
    above, below = (ValueThreshold(parse("x"), operator, limit) for operator in (">", "<="))
    assert above.excludes(below, OURS) is excluded


@pytest.mark.parametrize("operator", ["and", "unless"])
@pytest.mark.parametrize(
    ("left", "right", "by_and", "by_unless"),
    [
        *[("< 5", "< 5", False, True), ("<= 5", "< 5", False, False), ("< 5", "<= 5", False, True)],
        *[("> 5", "> 5", False, True), (">= 5", "> 5", False, False), ("> 5", ">= 5", False, True)],
        *[("<= 5", "<= 5", False, True), (">= 5", ">= 5", False, True)],
        *[
            ("< 5", "> 5", True, False),
            ("<= 5", ">= 5", False, False),
            ("< 5", ">= 5", True, False),
        ],
        *[("> 5", "<= 5", True, False), ("> 5", "< 5", True, False), (">= 5", "< 5", True, False)],
        *[("== 5", "!= 5", False, False), ("> 5", "== 5", False, False)],
    ],
)
def test_what_two_thresholds_leave_is_exact_at_their_limit(
    left, right, by_and, by_unless, operator
):
    """What `unless` takes away leaves its opposite: of `< 5` that is 5 and all above."""
    expected = by_and if operator == "and" else by_unless
    assert leaves_nothing(parse(f"x {left} {operator} x {right}"), OURS) is expected
