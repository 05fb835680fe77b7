"""What is proved to be the same rule, and what only looks like it."""

from __future__ import annotations

import re

import pytest

from exporter.history.samples import EPOCH_S
from tests.exporter.mapping.mappings import BY_CODE, OF_TWO_JOBS, exporting
from tests.verifier.histories import history, labels, rules
from tests.verifier.simulations import scenario_of
from verifier.mutation.equivalence import ScrapedTargets, proof_of
from verifier.mutation.mutants import mutants_of
from verifier.servers.prometheus import Prometheus

CELLS = "topology: {cells: 2}\n"
VANISH = """faults:
  - {name: v, fault: series_vanish, start: 1m, duration: 1m, parameters: {share: 0.2}}
"""
DOWN = "faults: [{name: d, fault: exporter_down, start: 1m, duration: 1m}]\n"
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
        ("min(agentaskit_active_agents) < 0.5", "boundary", "divided by 1 is 0.5"),
        ("sum(max by (tier) (agentaskit_active_agents)) > 0.5", "boundary", "divided by 1 is 0.5"),
        ("agentaskit_active_agents / -10 > -0.25", "boundary", "divided by -10 is -0.25"),
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
        ("agentaskit_active_agents > 0.5 and agentaskit_active_agents > 7", "boundary"),
        ("agentaskit_active_agents / 0 > 0.9", "boundary"),
        ("agentaskit_active_agents / 10 > Inf", "boundary"),
        ("agentaskit_active_agents / agentaskit_agents > 0.3", "boundary"),
        ("0.5 < agentaskit_active_agents", "boundary"),
        ("agentaskit_active_agents * 10 > 0.5", "boundary"),
        ("agentaskit_active_agents > 3", "boundary"),
        ("agentaskit_active_agents > -3", "boundary"),
        ("agentaskit_active_agents / 4 > 0.75", "boundary"),
        ("agentaskit_active_agents / 3 > 0.3333333333333333", "boundary"),
        ("agentaskit_active_agents / 49 > 0.02040816326530612", "boundary"),
        ("sum by (job) (agentaskit_active_agents) > 1", "aggregation"),
        ("histogram_quantile(0.5, sum by (le) (-rate(a_bucket[1m]))) > 1", "function"),
        ("delta(agentaskit_memory_bytes[1m]) > 1", "function"),
        ("agentaskit_task_queue_depth > 1000", "boundary"),
        ("avg(agentaskit_task_queue_depth) > 2.5", "boundary"),
        ("agentaskit_memory_bytes > 0.5", "boundary"),
        ("sum(rate(agentaskit_tasks_processed_total[1m])) < 9999.5", "boundary"),
        ("agentaskit_active_agents > 0.5 < 7.5", "boundary"),
        ("sum(rate(agentaskit_tasks_processed_total[1m])) > 1", "function"),
        ("histogram_quantile(0.5, rate(a_bucket[1m]) > 3) > 1", "function"),
        ("histogram_quantile(0.5, max by (le) (delta(a_bucket[1m]))) > 1", "function"),
    ],
)
def test_what_may_differ_is_not_proved(tmp_path, expr, kind):
    """Several series, metrics of others, 837 of 930, means, measured numbers, two comparisons."""
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


SEVERAL = ScrapedTargets(single=False)
BUCKETS = "agentaskit_task_duration_seconds_bucket"
SCALED = "avg is sum divided by their number"


@pytest.mark.parametrize(
    ("expr", "proved"),
    [
        (QUANTILE.format("sum by (le)"), 1),
        (QUANTILE.format("sum by (le, job)"), 1),
        (f"histogram_quantile(0.9, (sum by (le) ({BUCKETS}))) > 1", 1),
        ("sum(agentaskit_agents_started_total) > 1", 0),
        ("histogram_quantile(0.9, sum(agentaskit_agents_started_total)) > 1", 0),
        (f"histogram_quantile(0.9, 2 * sum by (le) ({BUCKETS})) > 1", 0),
        (QUANTILE.format("max by (le)"), 0),
        (QUANTILE.format("sum by (job)"), 0),
        ("histogram_quantile(0.9, sum by (le) (rate(somebody_elses_bucket[5m]))) > 1", 0),
    ],
)
def test_of_several_targets_the_scale_of_a_quantile_alone_is_proved(tmp_path, expr, proved):
    """As many series in every bucket, and nothing between their average and the quantile."""
    mutants = mutants_of(rules(tmp_path, {"alert": "A", "expr": expr}))
    mutants = [mutant for mutant in mutants if mutant.kind == "aggregation"]
    proofs = [proof_of(mutant, targets=SEVERAL) for mutant in mutants]
    assert mutants
    assert [SCALED in (proof or "") for proof in proofs].count(True) == proved
    assert len([proof for proof in proofs if proof]) == proved
    lacking = ScrapedTargets(single=False, whole=False)
    assert not any(proof_of(mutant, targets=lacking) for mutant in mutants)


@pytest.mark.parametrize(
    ("scenario", "targets"),
    [
        ("", ScrapedTargets()),
        (VANISH, ScrapedTargets()),
        (CELLS, ScrapedTargets(single=False)),
        (CELLS + DOWN, ScrapedTargets(single=False)),
        (CELLS + VANISH, ScrapedTargets(single=False, whole=False)),
    ],
)
def test_a_page_that_lacks_series_is_whole_no_longer(scenario, targets):
    """With one target there is nothing that its buckets could be averaged with."""
    assert ScrapedTargets.of([scenario_of("duration: 5m\n" + scenario)]) == targets


@pytest.mark.parametrize(("lacking", "same"), [(False, True), (True, False)])
def test_the_engine_agrees_and_differs_where_a_target_lacks_a_bucket(lacking, same):
    """Planted: the second target has no series of the middle bucket."""
    le = ("0.1", "1", "+Inf")
    targets = [
        (labels("a_bucket", instance=name, le=bound), [rate * 60.0 * k for k in range(11)])
        for name, rates in (("one", (10, 30, 40)), ("two", (1, 70, 90)))
        for bound, rate in zip(le, rates, strict=True)
        if not (lacking and name == "two" and bound == "1")
    ]
    with Prometheus() as server:
        server.push(history(dict(targets), step_s=60))
        asked = "histogram_quantile(0.2, {} by (le) (rate(a_bucket[5m])))"
        values = [server.query(asked.format(op), EPOCH_S + 600) for op in ("sum", "avg")]
    of_sums, of_averages = (each[0].values[-1] for each in values)
    assert bool(of_sums == pytest.approx(of_averages)) is same
