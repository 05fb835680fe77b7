"""The judge's states against those of promtool, on histories full of awkward cases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S, STALE
from tests.verifier.histories import history, labels, row, rules
from verifier.errors import JudgeError
from verifier.evaluation import crosscheck as crosscheck_module
from verifier.evaluation.crosscheck import (
    AlertState,
    by_interval,
    crosscheck,
    differences,
    origin,
    promtool_states,
    timeline_states,
)
from verifier.evaluation.engine import evaluate
from verifier.evaluation.timeline import Grid
from verifier.pack.rules import RuleFiles
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from pathlib import Path

    from exporter.history.samples import History

SHAPES = {
    "fires and resolves": "0*8 9*12 0*8 9*12",
    "flaps under for": "9 0 9*2 0 9*3 0 9*4 0 9*5 0 9*6 0 9*7 0*5",
    "vanishes with a marker": "9*10 x .*20 9*9",
    "vanishes without": "9*10 .*30",
    "appears late": ".*12 9*28",
    "is stale at once": "x 9*5 x 9 x .*20 9*11",
    "returns within keep_firing_for": "9*8 0*2 9 0*3 9 0*4 9 0*20",
    "is never there": ".*40",
}


def shapes() -> History:
    """Return a series per shape, all of 40 scrapes, beginning 75 s before the start."""
    rows = {labels("x", shape=name): row(text)[:40] for name, text in SHAPES.items()}
    full = {name: [*values, *([np.nan] * (40 - len(values)))] for name, values in rows.items()}
    return history(full, start_s=-75)


def alerts(directory: Path, interval: str = "15s") -> RuleFiles:
    """Return an alert for each of several `for` and `keep_firing_for`."""
    some = [
        {
            "alert": f"For{for_s}Keep{keep_s}",
            "expr": "x > 5",
            "for": f"{for_s}s",
            "keep_firing_for": f"{keep_s}s",
            "labels": {"severity": "warning"},
        }
        for for_s in (0, 15, 40, 60)
        for keep_s in (0, 15, 45, 50)
    ]
    return rules(directory, *some, interval=interval)


@pytest.mark.parametrize("interval", ["15s", "30s", "1m"])
def test_every_state_of_every_shape_is_promtools(tmp_path: Path, interval: str) -> None:
    """Pending, firing, resolved, flapping, stale, absent, kept firing: 0 differences."""
    assert crosscheck(shapes(), alerts(tmp_path, interval), 0, 600) == []


def test_random_presence_gives_no_difference(tmp_path: Path) -> None:
    """Six random series: values, gaps and stale markers."""
    random = np.random.default_rng(20260105)
    values = random.choice([0.0, 9.0, np.nan], size=(6, 80), p=[0.35, 0.55, 0.1])
    values[random.random(values.shape) < 0.05] = STALE
    table = {labels("x", i=str(i)): list(values[i]) for i in range(6)}
    assert crosscheck(history(table), alerts(tmp_path), 0, 1200) == []


def test_templates_records_and_windows_give_no_difference(tmp_path: Path) -> None:
    """Labels filled in (Go's way of writing numbers included), recording rules, rates."""
    counter = np.cumsum(np.r_[np.full(20, 1e6), np.full(10, 1e9), np.full(10, 0.001)])
    rule_files = rules(
        tmp_path,
        {"record": "job:x:rate1m", "expr": "sum by (job) (rate(x_total[1m]))"},
        {"alert": "Late", "expr": "job:x:rate1m > 1e5", "for": "30s"},
        {"alert": "Value", "expr": "x_total > 3e6", "labels": {"value": "{{ $value }}"}},
        {"alert": "Small", "expr": "-x_total / 1e13 < 0", "labels": {"value": "{{ .Value }}"}},
        {
            "alert": "Label",
            "expr": "x_total",
            "labels": {"who": "{{ $labels.job }} {{$labels.no}}"},
        },
        {"alert": "Gone", "expr": "absent(x_total{job='b'})", "for": "1m"},
        {"alert": "Never", "expr": "x_total < 0 or vector(0) / 0 > 1"},
    )
    series = {
        labels("x_total", job='a "quoted\\" {b},\nc é'): list(counter),
        labels("x_total", job="b"): row(".*10 1*10 x .*19"),
    }
    assert crosscheck(history(series), rule_files, 60, 585) == []


def test_a_record_that_is_read_before_it_is_written_is_one_evaluation_old(tmp_path: Path) -> None:
    """Within a group Prometheus evaluates in order, and so does the judge."""
    rule_files = rules(
        tmp_path,
        {"alert": "Early", "expr": "y > 5"},
        {"record": "y", "expr": "x"},
        {"alert": "Late", "expr": "y > 5"},
    )
    assert rule_files.findings == ()
    assert crosscheck(shapes(), rule_files, 0, 300) == []


def test_groups_of_different_intervals_are_checked_each_on_its_own(tmp_path: Path) -> None:
    """One promtool run knows one interval only."""
    first, second = (alerts(tmp_path, interval).groups for interval in ("15s", "1m"))
    both = RuleFiles((*first, *second))
    assert crosscheck(shapes(), both, 0, 300) == []
    record = rules(tmp_path, {"record": "y", "expr": "x"}, interval="45s").groups
    with pytest.raises(JudgeError, match="only be crosschecked when all groups share one interval"):
        by_interval(RuleFiles((*first, *record)))


def test_a_shift_of_one_evaluation_is_caught(tmp_path: Path) -> None:
    """The planted fault: timelines one evaluation late, or a machine that ignores `for`."""
    rule_files, past = alerts(tmp_path), shapes()
    grid = Grid(0, 600, 15)
    theirs = promtool_states(past, rule_files, grid)
    with Prometheus() as server:
        server.push(past)
        right = evaluate(server, rule_files, start_s=origin(past, grid), end_s=600).timelines
        late = evaluate(server, rule_files, start_s=origin(past, grid) + 5, end_s=600).timelines
    assert differences(timeline_states(right, grid), theirs) == []
    assert differences(timeline_states(late, grid), theirs)
    shifted = {replace(state, time_s=state.time_s + 15) for state in timeline_states(right, grid)}
    assert len(differences(shifted, theirs)) > 50
    hasty = {replace(state, state="firing") for state in timeline_states(right, grid)}
    only = differences(hasty, theirs)
    assert {difference.side for difference in only} == {"the judge", "promtool"}
    assert str(only[0]).startswith("0 s: only ")


def test_another_history_is_caught(tmp_path: Path) -> None:
    """One sample is changed in what only promtool reads."""
    rule_files, past = alerts(tmp_path), shapes()
    grid = Grid(0, 600, 15)
    (block,) = past.blocks
    values = block.values.copy()
    values[0, 20] = 9.0
    changed = replace(past, blocks=[replace(block, values=values)])
    assert promtool_states(past, rule_files, grid) != promtool_states(changed, rule_files, grid)


def test_rules_promtool_cannot_run_are_a_judge_error(tmp_path: Path) -> None:
    """An answer that cannot be read is no agreement."""
    rule_files = rules(tmp_path, {"alert": "A", "expr": "x + on() x > 0"})
    with pytest.raises(JudgeError, match="promtool cannot run these rules"):
        promtool_states(shapes(), rule_files, Grid(0, 60, 15))


def test_no_state_on_either_side_is_no_difference() -> None:
    """A state on one side only is one difference."""
    state = AlertState(0, "A", (), "firing")
    assert differences(set(), set()) == []
    assert len(differences({state}, set())) == 1


@pytest.mark.parametrize(("output", "status"), [("SUCCESS", 1), ("SUCCESS", 2), ("other", 0)])
def test_an_outcome_that_does_not_fit_its_output_is_no_agreement(output: str, status: int) -> None:
    """Every state is a failed expectation: without one nothing may have failed."""
    assert crosscheck_module._parse("Unit Testing:  test.json\n  SUCCESS\n", 0, 0.0) == set()
    with pytest.raises(JudgeError, match=f"status {status}"):
        crosscheck_module._parse(output, status, 0.0)


def test_a_fixed_instant_is_moved_to_promtools_clock(tmp_path: Path) -> None:
    """Its second 0 is the first evaluation; what tells a person something is left out."""
    fixed = f"x @ {EPOCH_S + 60:.0f} > x @ end()"
    alert = {"alert": "A", "expr": fixed, "annotations": {"summary": "{{ nope }}"}}
    ((_, rule),) = rules(tmp_path, alert).alerts
    moved = crosscheck_module._rule(rule, -30.0)
    assert (moved["expr"], "annotations" in moved) == ("x @ 90.000 > x @ end()", False)
