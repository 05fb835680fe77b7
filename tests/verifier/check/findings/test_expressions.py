"""What is checked of panels: with variables put in, and told from what stands in the file."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from verifier.check.findings.expressions import of_panels


@pytest.mark.parametrize(
    ("template", "is_written"),
    [('up{job="$job"}', False), ('up{job="api"}', True), ("", True)],
)
def test_what_a_variable_stands_for_is_not_written(template, is_written):
    """Only of the text with its variables; a query without any has its text alone."""
    query = SimpleNamespace(
        expr='up{job="api"}', template=template, position="board.json:7", step_s=15.0
    )
    panel = SimpleNamespace(title="Up", dashboard="Board", queries=(query,), name="Board / Up")
    (expression,) = of_panels([panel])
    assert expression.is_written("api") is is_written
    assert expression.is_written("up")
    assert (expression.text, expression.place, expression.interval_s) == (
        query.expr, "board.json:7", 15.0
    )  # fmt: skip
    assert (expression.panel, expression.query, expression.alert) == (panel, query, None)
