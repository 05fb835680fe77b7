"""What the variables of dashboards ask for, as expressions whose names can be checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from verifier.check.findings.expressions import CheckedExpression
from verifier.dashboards.data_sources import PROMETHEUS, DataSources
from verifier.dashboards.models import ModelReader
from verifier.dashboards.resources import BoardFinder
from verifier.dashboards.variable_values import question_reads
from verifier.dashboards.variables import read_variable
from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from verifier.dashboards.resources import BoardSource

_USE: Final = re.compile(r"\$\{[^}]*\}|\[\[[^\]]*\]\]|\$\w+")
"""A variable in the question of another: whatever there is."""


def variable_questions(paths: Iterable[Path]) -> Iterator[CheckedExpression]:
    """Yield the question of each variable that asks Prometheus, where it names a metric."""
    finder = BoardFinder()
    finder.read(paths)
    for source in finder.boards:
        yield from _of_board(source)


def _of_board(source: BoardSource) -> Iterator[CheckedExpression]:
    reader = ModelReader(source)
    board = reader.read()
    sources = DataSources()
    for entry in board.inputs:
        sources.add_input(entry)
    for raw in board.variables:
        if raw.get("type") == "datasource":
            sources.add_variable(raw)
    key = ("templating", "list") if source.is_classic else ("variables",)
    for index, raw in enumerate(board.variables):
        is_prometheus = sources.kind(raw.get("datasource")) == PROMETHEUS
        variable = read_variable(raw, is_prometheus=is_prometheus)
        if not variable.asks:
            continue
        text = _USE.sub(".+", question_reads(variable.query))
        try:
            tree = parse(text)
        except ValueError:  # it asks for names of labels or metrics
            continue
        place = reader.place((*source.steps, *key, index))
        subject = f"variable {board.title} / {variable.name}"
        yield CheckedExpression(text, tree, place, subject, 0.0, variable.query)
