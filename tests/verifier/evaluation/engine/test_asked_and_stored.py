"""What the engine asks of a server and pushes to it, rule by rule: the server is a stand-in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.evaluation.engine.stand_in_server import (
    StandInServer,
    always,
    answering,
    series,
    steps_of,
)
from tests.verifier.histories import rules
from verifier.evaluation import engine
from verifier.evaluation.crosscheck import PlainSchedule
from verifier.evaluation.engine import (
    Evaluation,
    evaluate,
    evaluate_copies,
    evaluate_rules,
    record,
)
from verifier.evaluation.rule_graph import rule_units
from verifier.evaluation.timeline import Episode
from verifier.pack.history_depth import depths
from verifier.pack.rules import RuleFiles
from verifier.servers.prometheus import (
    Prometheus,
    RangeQuery,
    RefusedQueryError,
    Series,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from verifier.evaluation.rule_run import RuleRun
    from verifier.evaluation.step_by_step import StoredHistory


def evaluated(server: StandInServer, files: RuleFiles, end_s: float = 60.0) -> Evaluation:
    """Evaluate rules every 15 s from second 0 on, none before."""
    schedule = PlainSchedule(0.0, end_s, depths(files))
    return evaluate_rules(cast("Prometheus", server), files, schedule)


def delayed(files: RuleFiles, *offsets_s: float) -> RuleFiles:
    """Return a group for each rule, each with a query offset of its own."""
    (group,) = files.groups
    return replace(
        files,
        groups=tuple(
            replace(group, name=rule_name, rules=(rule,), query_offset_s=offset_s)
            for rule, offset_s, rule_name in zip(group.rules, offsets_s, "ABCDEF", strict=False)
        ),
    )


# --- what is stored, and in which order


@pytest.fixture
def stepwise(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], list[tuple[str, int]]]]:
    """Note what is evaluated step by step, and on which stored series with which delay."""
    noted: list[tuple[list[str], list[tuple[str, int]]]] = []

    def note(runs: Sequence[RuleRun], stored: Sequence[StoredHistory], _fresh: object) -> None:
        held = [(dict(of)["__name__"], s.delay_ms) for s in stored for of in s.history.series]
        noted.append(([getattr(run.node.rule, "record", "") for run in runs], held))

    monkeypatch.setattr(engine, "evaluate_step_by_step", note)
    return noted


def test_what_groups_of_different_query_offsets_store_is_there_that_much_later(
    tmp_path: Path, stepwise: list[Any]
) -> None:
    """Its stamps lie where the query asked; whoever is evaluated step by step sees it in time."""
    files = rules(
        tmp_path,
        {"record": "late", "expr": "b"},
        {"record": "soon", "expr": "c"},
        {"record": "later", "expr": "c"},
        {"record": "last", "expr": "late or soon or last"},
    )
    server = answering(b=always(), c=always())
    evaluated(server, delayed(files, 30.0, 0.0, 45.0, 0.0))
    at_s = [0.0, 15.0, 30.0, 45.0, 60.0]
    assert server.pushed == [
        ("soon", at_s),
        ("late", [each - 30.0 for each in at_s]),
        ("later", [each - 45.0 for each in at_s]),
    ]
    held = [("a", 0), ("soon", 0), ("late", 30_000), ("later", 45_000)]
    assert stepwise == [(["last"], held)]


def test_of_two_groups_that_store_the_same_the_one_without_delay_does(tmp_path: Path) -> None:
    """Its last sample is later than the first of the other, whichever of them is written first."""
    files = rules(tmp_path, {"record": "r", "expr": "b"}, {"record": "r", "expr": "c"})
    for offsets_s in ((0.0, 30.0), (30.0, 0.0)):
        server = answering(b=always(), c=always())
        evaluated(server, delayed(files, *offsets_s))
        assert server.pushed == [("r", [0.0, 15.0, 30.0, 45.0, 60.0])]


def test_what_is_stored_already_is_not_stored_again_by_a_rule_that_reads_rules(
    tmp_path: Path,
) -> None:
    """Neither what another rule stored, nor what was scraped."""
    files = rules(
        tmp_path,
        {"record": "r", "expr": "b"},
        {"record": "twice", "expr": "b"},
        {"record": "twice", "expr": "r"},
        {"record": "a", "expr": "r"},
        {"record": "s", "expr": "r"},
    )
    server = answering(b=always(), r=always())
    evaluated(server, files)
    assert [name for name, _ in server.pushed] == ["r", "twice", "s"]


def test_a_rule_waits_for_what_it_reads_of_any_group_but_for_later_ones_of_its_own(
    tmp_path: Path,
) -> None:
    """It sees the last result of those: they are evaluated together, in their order."""
    first = rules(
        tmp_path,
        {"alert": "A", "expr": "x and y"},
        {"record": "y", "expr": "b"},
        {"record": "z", "expr": "y"},
        {"alert": "Ahead", "expr": "b offset -1m"},
        {"alert": "Own", "expr": '{__name__=~"ALERTS|b"}'},
    ).groups
    second = rules(tmp_path, {"record": "x", "expr": "b"}).groups
    units = rule_units(RuleFiles((*first, replace(second[0], name="h"))))
    assert [
        (unit.level, unit.stepwise, [node.position for node in unit.nodes]) for unit in units
    ] == [
        (0, True, [(0, 3)]),
        (0, False, [(1, 0)]),
        (1, True, [(0, 0), (0, 1)]),
        (2, False, [(0, 2)]),
        (2, True, [(0, 4)]),
    ]


def test_rules_in_circles_are_evaluated_in_the_order_of_their_files(
    tmp_path: Path, stepwise: list[Any]
) -> None:
    """Two circles, one within the other."""
    files = rules(
        tmp_path,
        {"record": "x", "expr": "z"},
        {"record": "y", "expr": "y"},
        {"record": "z", "expr": "x"},
    )
    evaluated(answering(), files)
    assert stepwise == [(["x", "y", "z"], [("a", 0)])]


@pytest.mark.parametrize("state", ["ALERTS", "ALERTS_FOR_STATE"])
def test_states_of_alerts_are_stored_where_one_of_their_two_names_is_read(
    tmp_path: Path, state: str
) -> None:
    """Timelines come in the order of the files, whatever is evaluated first."""
    files = rules(tmp_path, {"alert": "Reads", "expr": state}, {"alert": "B", "expr": "b"})
    server = answering(b=always(), **{state: always()})
    stored = [
        ("ALERTS B firing", [0.0, 15.0, 30.0, 45.0, 60.0]),
        ("ALERTS_FOR_STATE B", [0.0, 15.0, 30.0, 45.0, 60.0]),
    ]
    (group,) = files.groups
    alone = replace(files, groups=(replace(group, rules=group.rules[1:]),))
    evaluated(server, alone)
    assert server.pushed == []
    needed = depths(files)
    evaluate_rules(cast("Prometheus", server), alone, PlainSchedule(0.0, 60.0, needed))
    assert server.pushed == stored


def test_timelines_come_in_the_order_of_the_files(tmp_path: Path) -> None:
    """Whatever had to be evaluated first."""
    files = rules(
        tmp_path,
        {"alert": "Third", "expr": "r"},
        {"alert": "Second", "expr": "b"},
        {"alert": "First", "expr": "c"},
    )
    other = rules(tmp_path, {"record": "r", "expr": "b"}, {"alert": "Last", "expr": "c"})
    both = RuleFiles((*files.groups, replace(other.groups[0], name="h")))
    evaluation = evaluated(answering(b=always(), c=always(), r=always()), both)
    assert [line.alert for line in evaluation.timelines] == ["Third", "Second", "First", "Last"]


def test_each_of_several_copies_has_its_own_timelines(tmp_path: Path) -> None:
    """However many groups are in each."""
    files = rules(tmp_path, {"alert": "A", "expr": "b"}, {"alert": "B", "expr": "c"})
    first, second = delayed(files, 0.0, 0.0).groups
    schedule = PlainSchedule(0.0, 60.0, depths(files))
    server = cast("Prometheus", answering(b=always(), c=always()))
    copies = evaluate_copies(server, [[first, second], [], [second], [first]], schedule)
    alerts = [[line.alert for line in lines] for lines in copies]
    assert alerts == [["A", "B"], [], ["B"], ["A"]]


# --- what is asked


def test_what_was_recorded_before_a_run_reaches_as_far_back_as_alerts_read_it(
    tmp_path: Path,
) -> None:
    """No alert itself: a server that starts knows none."""
    files = rules(
        tmp_path,
        {"record": "r", "expr": "b"},
        {"alert": "A", "expr": "avg_over_time(r[10m])"},
        {"record": "s", "expr": "ALERTS"},
    )
    server = answering(b=always(), ALERTS=always())
    record(cast("Prometheus", server), files, epoch_s=EPOCH_S + 6000.0)
    before_s = depths(files).before_s(files.groups[0], files.groups[0].rules[0])
    assert before_s > 600.0
    assert server.asked[0] == ("b", 6000.0 - before_s, 6000.0)
    assert [expr for expr, *_ in server.asked] == ["b", "ALERTS"]


def test_rules_are_evaluated_as_far_back_as_panels_read_them(tmp_path: Path) -> None:
    """Where nobody says what panels need, as rules read them; the last is at the end."""
    files = rules(tmp_path, {"record": "r", "expr": "b"})
    deeper = rules(tmp_path, {"alert": "A", "expr": "max_over_time(r[1h])"})
    (group,) = files.groups
    deep_s = depths(deeper).before_s(group, group.rules[0])
    assert deep_s > 3600.0
    for needed, first_s in ((None, -30.0), (depths(deeper), -deep_s)):
        server = answering(b=always())
        evaluate(cast("Prometheus", server), files, start_s=0.0, end_s=74.0, needed=needed)
        assert server.asked == [("b", first_s, 60.0)]


def test_the_steps_at_which_a_query_fails_are_those_left_out(tmp_path: Path) -> None:
    """The others are answered, however many fail; the first reason is the one."""
    files = rules(
        tmp_path,
        {"alert": "A", "expr": "b", "for": "15s"},
        {"record": "r", "expr": "b"},
        {"alert": "B", "expr": "c"},
    )

    def later(query: RangeQuery) -> list[Series]:
        first_s = query.start_s - EPOCH_S
        return [
            series(
                query, [1.0 if first_s + 15 * n >= 30 else np.nan for n in range(steps_of(query))]
            )
        ]

    server = StandInServer({"b": later, "c": always()}, failing_s=[15.0, 90.0, 105.0])
    evaluation = evaluated(server, files, end_s=150.0)
    assert [(line.alert, line.episodes) for line in evaluation.timelines] == [
        ("A", (Episode(30.0, 45.0, None),)),
        ("B", (Episode(0.0, 0.0, None),)),
    ]
    assert server.pushed == [("r", [30.0, 45.0, 60.0, 75.0, 120.0, 135.0, 150.0])]
    some = "3 of 11 evaluations fail, as they would on a server, and change nothing"
    assert [each.message for each in evaluation.findings] == [
        f"{subject}: {some}: it fails at 15"
        for subject in ("alert A", "recording rule r", "alert B")
    ]
    assert evaluation.not_judged == ()


@pytest.mark.parametrize(("answered", "is_judged"), [([0.0], True), ([], False)])
def test_a_rule_is_not_judged_where_every_evaluation_fails_and_judged_where_one_does_not(
    tmp_path: Path, answered: list[float], *, is_judged: bool
) -> None:
    """It is not what the others are that decides."""
    files = rules(tmp_path, {"alert": "A", "expr": "b"})
    failing = [at_s for at_s in (0.0, 15.0, 30.0, 45.0, 60.0) if at_s not in answered]
    evaluation = evaluated(StandInServer({"b": always()}, failing_s=failing), files)
    assert (len(evaluation.findings), len(evaluation.not_judged)) == (is_judged, not is_judged)
    assert len(evaluation.timelines) == is_judged


def test_a_rule_that_the_engine_refuses_is_asked_once(tmp_path: Path) -> None:
    """It would be refused at every evaluation."""

    def refuse(_query: RangeQuery) -> list[Series]:
        raise RefusedQueryError("no such function")

    server = answering(b=refuse)
    evaluation = evaluated(server, rules(tmp_path, {"alert": "A", "expr": "b"}))
    assert server.asked == [("b", 0.0, 60.0)]
    (not_judged,) = evaluation.not_judged
    assert not_judged.reason == "Prometheus cannot evaluate it: no such function"
