"""Evaluations one after another: what is asked when, and what is stored by then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from verifier.evaluation.refused_rules import refused_rules
from verifier.evaluation.rule_graph import RuleNode
from verifier.evaluation.rule_run import RuleRun
from verifier.evaluation.step_by_step import StoredHistory, evaluate_step_by_step
from verifier.evaluation.timeline import Grid
from verifier.promql.reads import all_reads
from verifier.servers.prometheus import QueryError, Series

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from exporter.history.samples import History
    from verifier.pack.rules import RuleFiles
    from verifier.servers.prometheus import Prometheus


class EmptyServer:
    """Answers every query by `value`, of the expression and the second, and notes what happens."""

    def __init__(self, value: Callable[[str, float], float | None]) -> None:
        """Hold nothing."""
        self.value = value
        self.lines: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.lines.append(("ended",))

    def append(self, stored: History) -> None:
        """Note the samples of each series: its second and its value."""
        for block in stored.blocks:
            for number, values in zip(block.series, block.values, strict=True):
                name = dict(stored.series[number])["__name__"]
                for at_ms, value in zip(block.timestamps_ms, values, strict=True):
                    self.lines.append((name, float(at_ms) / 1000 - EPOCH_S, float(value)))

    def query(self, expr: str, at_s: float) -> list[Series]:
        """Answer with one series, or none."""
        second = at_s - EPOCH_S
        self.lines.append(("?", expr, second))
        value = self.value(expr, second)
        return [] if value is None else [Series({}, np.array([at_s]), np.array([value]))]

    def check_stored(self) -> None:
        """Note that it is looked whether all was taken."""
        self.lines.append(("checked",))


def stepped(
    files: RuleFiles, server: EmptyServer, *stored: StoredHistory, end_s: float = 30.0
) -> list[RuleRun]:
    """Evaluate every rule of some files step by step, each group from second 0 on."""
    runs = [
        RuleRun(
            RuleNode((number, index), group, rule, all_reads(rule.expr)),
            Grid(0.0, end_s, group.interval_s), epoch_s=EPOCH_S, stores=True,
        )
        for number, group in enumerate(files.groups)
        for index, rule in enumerate(group.rules)
    ]  # fmt: skip
    evaluate_step_by_step(runs, stored, cast("Prometheus", server))
    return runs


def test_each_evaluation_sees_what_was_stored_by_then_and_stores_for_the_next(
    tmp_path: Path,
) -> None:
    """In the order of the rules at one instant; what no rule of them reads is not given."""
    files = rules(
        tmp_path,
        {"record": "x", "expr": "y or a"},
        {"record": "y", "expr": "x"},
        {"record": "unread", "expr": "b"},
    )
    a, b, c = (history({labels(name): row("1 2 3 4")}) for name in "abc")
    server = EmptyServer(lambda _, second: second)
    stepped(files, server, StoredHistory(a), StoredHistory(b, 20_000), StoredHistory(c), end_s=15.0)
    assert server.lines == [
        *(("a", 0.0, 1.0), ("?", "y or a", 0.0), ("x", 0.0, 0.0)),
        *(("?", "x", 0.0), ("y", 0.0, 0.0), ("?", "b", 0.0)),
        *(("a", 15.0, 2.0), ("?", "y or a", 15.0), ("x", 15.0, 15.0)),
        *(("?", "x", 15.0), ("y", 15.0, 15.0), ("?", "b", 15.0)),
        *(("checked",), ("ended",)),
    ]
    server = EmptyServer(lambda _, __: None)
    stepped(files, server, StoredHistory(b, 20_000), end_s=45.0)
    seen = [line[1:] for line in server.lines if line[0] in ("b", "?")]
    assert seen.index((0.0, 1.0)) == 6, "stored at second 20, it is there at second 30"
    assert seen[10] == (15.0, 2.0), "and what is stored at 35 at second 45"


def test_groups_take_turns_and_ask_for_instants_of_their_own(tmp_path: Path) -> None:
    """By interval; one with a query offset asks for an earlier one, and stores it there."""
    (group,) = rules(tmp_path, {"record": "x", "expr": "x"}).groups
    (other,) = rules(tmp_path, {"record": "y", "expr": "y"}).groups
    slow = replace(other, name="h", interval_s=30.0, query_offset_s=10.0)
    server = EmptyServer(lambda _, __: 1.0)
    stepped(replace(rules(tmp_path), groups=(group, slow)), server)
    assert server.lines[:-2] == [
        *(("?", "x", 0.0), ("x", 0.0, 1.0), ("?", "y", -10.0), ("y", -10.0, 1.0)),
        *(("?", "x", 15.0), ("x", 15.0, 1.0), ("?", "x", 30.0), ("x", 30.0, 1.0)),
        *(("?", "y", 20.0), ("y", 20.0, 1.0)),
    ]


def test_of_two_rules_that_store_the_same_at_an_instant_the_first_one_does(tmp_path: Path) -> None:
    """Nor does either store what is there already; the next instant is another."""
    files = rules(tmp_path, {"record": "x", "expr": "x"}, {"record": "x", "expr": "x + 1"})
    values = {"x": 1.0, "x + 1": 2.0}
    server = EmptyServer(lambda expr, _: values[expr])
    stepped(files, server, StoredHistory(history({labels("x"): row("7")})))
    assert [line for line in server.lines if line[0] == "x" and line[2] > 0] == [
        ("x", 0.0, 7.0),
        ("x", 15.0, 1.0),
        ("x", 30.0, 1.0),
    ]


def test_an_evaluation_that_fails_stores_nothing_and_is_counted(tmp_path: Path) -> None:
    """The others go on."""

    def failing(_expr: str, second: float) -> float:
        if second > 0:
            raise QueryError(f"at {second:g}")
        return 1.0

    server = EmptyServer(failing)
    (run,) = stepped(rules(tmp_path, {"record": "x", "expr": "x"}), server)
    assert (run.failures.count, run.failures.of, run.failures.reason) == (2, 3, "at 15")
    assert [line for line in server.lines if line[0] == "x"] == [("x", 0.0, 1.0)]


def test_a_rule_that_is_refused_gives_the_reason_of_the_last_instant_and_is_asked_at_the_first(
    tmp_path: Path,
) -> None:
    """At five instants of the run; one that answers at any of them is none."""
    files = rules(tmp_path, {"record": "x", "expr": "x"}, {"alert": "Once", "expr": "once"})

    def failing(expr: str, second: float) -> float:
        if expr == "once" and second == 100.0:
            return 1.0
        raise QueryError(f"at {second:g}")

    server = EmptyServer(failing)
    (refused,) = refused_rules(cast("Prometheus", server), files, EPOCH_S + 100.0, EPOCH_S + 300.0)
    assert (refused.subject, refused.reason) == (
        "recording rule x", "Prometheus cannot evaluate it: at 300",
    )  # fmt: skip
    asked = [second for _, expr, second in server.lines if expr == "x"]
    assert asked == [300.0, 250.0, 200.0, 150.0, 100.0]
