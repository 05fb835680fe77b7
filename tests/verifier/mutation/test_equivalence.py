"""What is proved to be the same rule, and what only looks like it."""

from __future__ import annotations

import re

import pytest

from tests.exporter.mapping.mappings import BY_CODE, OF_TWO_JOBS, exporting
from tests.verifier.histories import rules
from verifier.mutation.equivalence import proof_of
from verifier.mutation.mutants import mutants_of

QUANTILE = "histogram_quantile(0.9, {} (rate(agentaskit_task_duration_seconds_bucket[5m]))) > 1"
ONE_SERIES = "sum and avg of one series are that series: .* there is one target"
WHOLE = "is a whole number, and no whole number divided by 928 is 0.9"


def proofs(tmp_path, expr, kind):
    """Return the proof of each mutant of a kind, None where there is none."""
    mutants = mutants_of(rules(tmp_path, {"alert": "A", "expr": expr}))
    return [proof_of(mutant) for mutant in mutants if mutant.kind == kind]


@pytest.mark.parametrize(
    ("expr", "kind", "proof"),
    [
        (QUANTILE.format("sum by (le)"), "aggregation", ONE_SERIES),
        (QUANTILE.format("sum by (le, job)"), "aggregation", ONE_SERIES),
        ("sum(agentaskit_agents_started_total) > 1", "aggregation", ONE_SERIES),
        ("sum(agentaskit_active_agents) / 928 > 0.9", "boundary", WHOLE),
        ("(max((agentaskit_active_agents)) / (928)) > 0.9", "boundary", WHOLE),
        ("agentaskit_task_queue_depth > 10.5", "boundary", "divided by 1 is 10.5"),
        (QUANTILE.format("sum by (le)"), "function", "times one number is the same"),
        ("histogram_quantile(0.5, (increase(a_bucket[1m]))) > 1", "function", "times one number"),
    ],
)
def test_what_cannot_differ_is_proved(tmp_path, expr, kind, proof):
    """One series in a group, or a quotient that is never the threshold.

    Of an aggregation that is left out nothing is proved: the labels are others.
    """
    sentence, *left_out = proofs(tmp_path, expr, kind)
    assert re.search(proof, sentence)
    assert left_out == [None] * (kind == "aggregation")


@pytest.mark.parametrize(
    ("expr", "kind"),
    [
        (QUANTILE.format("sum without (le)"), "aggregation"),
        ("sum(agentaskit_active_agents) > 1", "aggregation"),
        ("sum(somebody_elses_total) > 1", "aggregation"),
        ("count(agentaskit_agents_started_total) > 1", "aggregation"),
        ("sum(agentaskit_active_agents) / 930 > 0.9", "boundary"),
        ("agentaskit_task_queue_depth > 1000", "boundary"),
        ("agentaskit_memory_bytes > 0.5", "boundary"),
        ("sum(rate(agentaskit_tasks_processed_total[1m])) < 9999.5", "boundary"),
        ("agentaskit_active_agents > 0.5 < 7.5", "boundary"),
        ("sum(rate(agentaskit_tasks_processed_total[1m])) > 1", "function"),
        ("histogram_quantile(0.5, rate(a_bucket[1m]) > 3) > 1", "function"),
        ("histogram_quantile(0.5, max by (le) (delta(a_bucket[1m]))) > 1", "function"),
    ],
)
def test_what_may_differ_is_not_proved(tmp_path, expr, kind):
    """Several series, metrics of others, 837 of 930, measured numbers, a second comparison."""
    assert set(proofs(tmp_path, expr, kind)) == {None}


def test_a_proof_is_of_what_a_mapping_exports(tmp_path):
    """Neither the labels of ours nor its whole numbers are known of another exporter's."""
    read = rules(
        tmp_path,
        {"alert": "Sum", "expr": "sum by (status) (http_requests_total) > 3"},
        {"alert": "Jobs", "expr": "sum(workers) > 3"},
        {"alert": "Whole", "expr": "agentaskit_active_agents / 10 > 0.25"},
    )
    mutants = mutants_of(read, (), [])
    proved = {m.rule.alert for m in mutants if proof_of(m)}
    assert proved == {"Sum", "Whole"}
    mapped = exporting(BY_CODE, OF_TWO_JOBS)
    assert {m.rule.alert for m in mutants if proof_of(m, mapped)} == set()


def test_several_targets_leave_no_aggregation_of_one_series(tmp_path):
    """With cells there are as many series in a group, and the proof does not hold."""
    mutants = mutants_of(rules(tmp_path, {"alert": "A", "expr": QUANTILE.format("sum by (le)")}))
    mutants = [m for m in mutants if m.kind == "aggregation" and proof_of(m)]
    assert mutants
    assert not any(proof_of(mutant, one_target=False) for mutant in mutants)
