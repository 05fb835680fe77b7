"""Writes derived tests as a promtool unit-test file, and asks promtool whether it agrees with each.

The file is for people to read and to commit: a comment says where it came from, every test has a
name, and alerts are checked by `ALERTS`, label by label, at the times at which something changes
and just before. What promtool does not confirm is left out of the file and named.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.derive.promtool import PROCESSES, run_promtool
from verifier.derive.series.worlds import selector
from verifier.errors import JudgeError
from verifier.promql.printing import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from verifier.derive.solving import Solution
    from verifier.derive.timelines import DerivedTest
    from verifier.labels import Labels

HEADLINE: Final = "# Derived by agentaskit-sim: series that make each alert fire, nearly fire,"
"""How every file that is written here begins."""
_MARKED: Final = re.compile(r"# t(\d+)[\"']?(?:,|$)", re.MULTILINE)
_PATTERN: Final = re.compile(r"([*?\[\\])")


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """What all tests of a file share: its rule files, and how often is evaluated."""

    rule_files: tuple[str, ...]
    evaluation_s: float

    def text(self, solutions: Sequence[Solution]) -> str:
        """Return the file of all tests."""
        tests = [test for solution in solutions for test in solution.tests]
        return "\n".join([*self._head(), *(line for test in tests for line in _lines(test)), ""])

    def _head(self) -> Iterator[str]:
        yield HEADLINE
        yield "# resolve and go absent. Run it with: promtool test rules THIS_FILE"
        yield "rule_files:"
        yield from (f"  - {_scalar(name)}" for name in self.rule_files)
        yield f"evaluation_interval: {format_duration(self.evaluation_s)}"
        yield "tests:"

    def chunk(self, tests: Sequence[tuple[int, DerivedTest]]) -> str:
        """Return a file of some tests whose expressions carry their numbers, as comments."""
        lines = [line for number, test in tests for line in _lines(test, f" # t{number}")]
        return "\n".join([*self._head(), *lines, ""])


def relative_rule_files(paths: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """Return how a test file in `folder` names rule files: promtool reads names as patterns."""
    return tuple(
        _PATTERN.sub(r"\\\1", os.path.relpath(path.resolve(), folder.resolve())) for path in paths
    )


def confirm(solutions: Sequence[Solution], suite: SuiteFile) -> list[Solution]:
    """Run all tests; return the solutions with those alone with which promtool agrees.

    `suite` names the rule files by absolute paths. Raises JudgeError when promtool cannot run them.
    """
    numbered = list(enumerate(test for solution in solutions for test in solution.tests))
    refused = _refused(numbered, suite) if numbered else frozenset()
    confirmed: list[Solution] = []
    numbers = iter(range(len(numbered)))
    for solution in solutions:
        own = [(next(numbers), test) for test in solution.tests]
        bad = [test for number, test in own if number in refused]
        reasons = tuple(f"promtool does not agree with the test {test.name!r}" for test in bad)
        confirmed.append(
            replace(
                solution,
                tests=tuple(test for number, test in own if number not in refused),
                unsolved=(*solution.unsolved, *reasons),
            )
        )
    return confirmed


def _refused(numbered: Sequence[tuple[int, DerivedTest]], suite: SuiteFile) -> frozenset[int]:
    size = -(-len(numbered) // PROCESSES)
    chunks = [numbered[first : first + size] for first in range(0, len(numbered), size)]
    refused: set[int] = set()
    for chunk, run in zip(
        chunks, run_promtool([suite.chunk(chunk) for chunk in chunks], {}), strict=True
    ):
        if run.status == 0:
            continue
        marks = {int(mark) for mark in _MARKED.findall(run.output)}
        if not marks or not marks <= {number for number, _ in chunk}:
            raise JudgeError(
                f"promtool cannot run the tests (status {run.status}): {run.output.strip()[:600]}"
            )
        refused |= marks
    return frozenset(refused)


def _lines(test: DerivedTest, mark: str = "") -> Iterator[str]:
    yield f"  - name: {_scalar(test.name)}"
    yield f"    interval: {format_duration(test.timing.sample_s)}"
    yield "    input_series:"
    for series in test.series:
        yield f"      - series: {_scalar(series.series)}"
        yield f"        values: {_scalar(series.values)}"
    yield "    promql_expr_test:"
    for time_s, alerts in test.expected:
        yield f"      - expr: {_scalar(f'ALERTS{{alertname={quoted(test.alert)}}}{mark}')}"
        yield f"        eval_time: {format_duration(time_s)}"
        if not alerts:
            yield "        exp_samples: []"
            continue
        yield "        exp_samples:"
        for labels in alerts:
            yield f"          - labels: {_scalar(_alert(labels))}"
            yield "            value: 1"


def _alert(labels: Labels) -> str:
    first = ("alertname", "alertstate")
    named = dict(labels)
    ordered = {name: named[name] for name in first} | {
        name: text for name, text in named.items() if name not in first
    }
    return selector("ALERTS", ordered)


def _scalar(text: str) -> str:
    """Write a text as YAML reads it: between single quotes where that will do."""
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text)
