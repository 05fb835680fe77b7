"""Ranges beside how often their series has a sample: a scrape, or an evaluation of its group."""

from __future__ import annotations

import pytest

from tests.verifier.check.packs import findings

TASKS = "sum(agentaskit_task_queue_depth)"
RANGES = {"short-range", "narrow-range", "prometheus3-left-end"}


@pytest.mark.parametrize(
    ("expr", "kinds"),
    [
        ("deriv(agentaskit_task_queue_depth[45s]) > 1", {"narrow-range"}),
        ("deriv(tasks:recorded[45s]) > 1", {"short-range"}),
        ("deriv(tasks:recorded[90s]) > 1", {"narrow-range"}),
        ("deriv(tasks:recorded[2m]) > 1", set()),
        ("sum_over_time(tasks:recorded[2m]) > 1", {"prometheus3-left-end"}),
        ("sum_over_time(tasks:recorded[2m15s]) > 1", set()),
        ("sum_over_time(agentaskit_task_queue_depth[2m]) > 1", set()),
        ("count_over_time(tasks:recorded[1h]) < 118", set()),
        ("count_over_time(tasks:recorded[1h]) < 119", {"prometheus3-left-end"}),
        ("count_over_time(tasks:recorded[1h]) < 121", {"prometheus3-left-end"}),
        ("count_over_time(tasks:recorded[1h]) < 122", set()),
    ],
)
def test_what_a_rule_records_has_a_sample_for_each_evaluation_of_its_group(tmp_path, expr, kinds):
    """Every 30 s here, where a scrape brings one every 15 s."""
    rules = [{"record": "tasks:recorded", "expr": TASKS}, {"alert": "A", "expr": expr}]
    named = {each.kind.id for each in findings(tmp_path, rules=rules)}
    assert named & RANGES == kinds
