"""Scenarios simulated in virtual time: exact and resampled runs agree, and nothing is made up."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pytest

from exporter.history.scrape_series import SCRAPE_SERIES
from exporter.target import SCRAPE_S
from tests.verifier.histories import rules
from tests.verifier.simulations import (
    NEAR,
    bundled,
    catalogue,
    every_series,
    is_stale,
    judge_simulated,
    pack_rules,
    scenario_of,
    series,
    simulate,
    simulated,
    total,
)
from verifier.pack.history_depth import depths
from verifier.virtual_time.steady_state import is_steady

EVALUATION_S = 30.0
POOL = 16
"""Scrapes of a steady state that further ones are drawn from."""
SMALL = "load: {rate: 1000}\n"
"""A tenth of the load: what these tests ask of a world does not depend on it."""
GAINS = (
    "http_requests_total",
    "agentaskit_tasks_processed_total",
    "agentaskit_inter_agent_messages_total",
    "agentaskit_sandbox_executions_total",
    "agentaskit_network_bytes_sent",
    "agentaskit_response_duration_seconds_sum",
)


def gains(history, name, **labels):
    """Return what all series of a counter gained together in each scrape but the first."""
    return np.diff(total(history, name, **labels))


def is_counter(history):
    """Return whether each series of a history is a counter."""
    counters = {
        dict(labels)["__name__"]
        for labels, kind in zip(catalogue().series, catalogue().kinds, strict=True)
        if kind == "counter"
    }
    return [dict(labels)["__name__"] in counters for labels in history.series]


def falls(history):
    """Return when which series falls, markers aside: (virtual time, series number) pairs."""
    drops = []
    for number, (_, times_s, values) in enumerate(every_series(history)):
        numbers = ~is_stale(values)
        steps = np.diff(values[numbers])
        drops += [(float(at), number) for at in times_s[numbers][1:][steps < 0]]
    return drops


# --- exact and resampled

SMALL_LEAK = f"""{SMALL}duration: 20m
faults:
  - name: leaking-pool
    fault: sandbox_leak
    start: 3m
    duration: 8m
    targets: {{sandboxes: [B]}}
    parameters: {{share: 0.95}}
expectations:
  - alert: SandboxPoolExhaustion
    labels: {{sandbox_type: B}}
    fires_within: 5m
    resolves_within: 2m
"""
"""The scenario `sandbox-leak` at a tenth of the load; the pool is as full when more of it leaks."""
IN_FULL = [pytest.param(name, marks=pytest.mark.long) for name in ("traffic-drop", "sandbox-leak")]


@cache
def leaking(*, exact=False):
    """Simulate the small leak, once."""
    return simulate(scenario_of(SMALL_LEAK), exact=exact)


def simulated_pair(name):
    """Return a scenario simulated resampled and exact."""
    run = leaking if name == "small leak" else partial(simulated, name)
    return run(exact=False), run(exact=True)


@pytest.mark.parametrize("name", ["small leak", *IN_FULL])
def test_exact_and_resampled_runs_give_the_same_verdicts(name):
    """Every alert, every label; times at most one evaluation apart."""
    small = name == "small leak"
    scenario = scenario_of(SMALL_LEAK) if small else bundled(name)
    near = pack_rules("backpressure") if small else pack_rules(*NEAR)
    resampled, exact = simulated_pair(name)
    assert (exact.exact_s, exact.resampled_s) == (scenario.duration_s, 600)
    assert resampled.exact_s < 700
    assert resampled.exact_s + resampled.resampled_s == exact.exact_s + exact.resampled_s
    verdicts, exact_verdicts = (
        judge_simulated(scenario, each, near)[0] for each in (resampled, exact)
    )
    assert [alert.ok for alert in verdicts] == [True] * len(verdicts)
    for alert, other in zip(verdicts, exact_verdicts, strict=True):
        assert (alert.alert, alert.labels, alert.expected, alert.ok) == (
            *(other.alert, other.labels, other.expected, other.ok),
        )
        for transition in ("pending_s", "firing_s", "resolved_s"):
            a, b = getattr(alert, transition), getattr(other, transition)
            assert (a is None) == (b is None)
            assert a is None or abs(a - b) <= EVALUATION_S


def distances(drawn, exact):
    """Return how far apart two samples are, each in units that are exceeded 1 time in 1000.

    A sample weighs as many scrapes as it has different ones. In order: two-sample
    Kolmogorov-Smirnov, means (normal), variances (the logarithm of their ratio, about normal).
    """
    different = len(set(drawn.tolist()))
    share = 1 / different + 1 / len(exact)
    grid = np.concatenate((drawn, exact))
    below = [
        np.searchsorted(np.sort(sample), grid, side="right") / len(sample)
        for sample in (drawn, exact)
    ]
    apart = np.abs(below[0] - below[1]).max() / (1.95 * np.sqrt(share))
    mean = abs(drawn.mean() - exact.mean()) / (3.3 * exact.std() * np.sqrt(share))
    ratio = max(drawn.var(), 1e-9) / max(exact.var(), 1e-9)
    spread = np.sqrt(2 / (different - 1) + 2 / (len(exact) - 1))
    return float(apart), float(mean), float(abs(np.log(ratio)) / (3.3 * spread))


REGIMES = {
    "traffic-drop": {"before": (0, 12), "during": (14, 48), "after": (52, 80)},
    "sandbox-leak": {"throughout": (0, 80)},
    "small leak": {"throughout": (0, 80)},
}
"""Scrapes under one load; the leak leaves pool B just enough, so that nothing else changes."""


def both(name, metric):
    """Yield what a metric gained in each regime of a scenario, resampled and exact."""
    pair = [gains(simulation.history, metric)[-80:] for simulation in simulated_pair(name)]
    for first, last in REGIMES[name].values():
        yield pair[0][first:last], pair[1][first:last]


@pytest.mark.parametrize("name", ["small leak", *IN_FULL])
def test_resampled_scrapes_are_distributed_as_exact_scrapes(name):
    """Shape, mean and variance of what each main counter gains in a scrape."""
    for metric in GAINS:
        for drawn, exact in both(name, metric):
            apart = distances(drawn, exact)
            assert max(apart) < 1, (metric, apart)


def test_another_distribution_is_noticed():
    """Planted: 1 % more, the same mean with a tenth of the deviation, and thrice the deviation."""
    ((drawn, exact),) = both("small leak", "http_requests_total")
    assert max(distances(drawn * 1.01, exact)) > 1
    assert max(distances(exact.mean() + 0.1 * (drawn - drawn.mean()), exact)) > 1
    assert max(distances(exact.mean() + 3 * (drawn - drawn.mean()), exact)) > 1


@pytest.mark.parametrize("exact", [False, True])
def test_what_belongs_together_in_one_scrape_stays_together(exact):
    """Requests are counted thrice, messages follow tasks; resampled or exact, the same holds."""
    history = leaking(exact=exact).history
    requests = gains(history, "http_requests_total")
    for histogram in ("http_request_duration_seconds", "agentaskit_response_duration_seconds"):
        assert (gains(history, f"{histogram}_count") == requests).all()
        assert (gains(history, f"{histogram}_bucket", le="+Inf") == requests).all()
    for _, _, below in series(history, "agentaskit_task_duration_seconds_bucket"):
        assert (below <= total(history, "agentaskit_task_duration_seconds_count")).all()
    messages = gains(history, "agentaskit_inter_agent_messages_total")
    assert np.corrcoef(messages, gains(history, "agentaskit_tasks_processed_total"))[0, 1] > 0.999


def test_series_that_are_drawn_separately_are_noticed():
    """Planted: the same gains, each series in an order of its own."""
    history = leaking().history
    random = np.random.default_rng(1)
    requests = gains(history, "http_requests_total")
    assert (random.permutation(requests) != requests).any()
    assert np.corrcoef(random.permutation(requests), requests)[0, 1] < 0.9


# --- seams


@pytest.mark.parametrize(
    "simulation",
    [
        pytest.param(partial(simulated, "traffic-drop"), marks=pytest.mark.long),
        partial(leaking, exact=True),
        leaking,
    ],
    ids=["traffic-drop", "small leak, exact", "small leak"],
)
def test_counters_never_fall(simulation):
    """Not from the past to the start, nor between what was simulated and what was drawn."""
    history = simulation().history
    counters = is_counter(history)
    drops = falls(history)
    assert any(not counters[number] for _, number in drops)
    assert not [at for at, number in drops if counters[number]]
    for _, times_s, _ in every_series(history):
        assert (np.diff(times_s) == SCRAPE_S).all()


RESTART = "faults: [{name: r, fault: counter_reset, start: %s, duration: 1m}]\n"
PAST_RESTART = "history: {incidents: [{name: h, fault: counter_reset, ago: 230s, duration: 1m}]}\n"


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("duration: 3m\n" + RESTART % "1m10s", [75]),
        ("duration: 3m\n" + RESTART % "0s", [15]),
        ("duration: 3m\n" + PAST_RESTART + RESTART % "1m10s", [-225, 75]),
    ],
    ids=["in the middle", "at the start", "once in the past and once again"],
)
def test_every_counter_falls_at_a_restart_and_at_no_other_time(text, expected_s):
    """At the first scrape after it. Twice in a run means twice."""
    simulation = simulate(scenario_of(text + SMALL))
    history = simulation.history
    assert simulation.truth.disturbed_s.tolist() == expected_s, "the world's counts went on"
    counters = is_counter(history)
    drops = [(at, number) for at, number in falls(history) if counters[number]]
    assert sorted({at for at, _ in drops}) == expected_s
    for at in expected_s:
        fallen = {dict(history.series[n])["__name__"] for when, n in drops if when == at}
        assert set(GAINS) <= fallen


DOWN = "duration: 20m\nfaults: [{name: d, fault: exporter_down, start: 5m, duration: 10m}]\n"


def test_while_the_exporter_is_down_its_series_have_ended():
    """One marker each, `up` 0, no sample until it is back; the world went on meanwhile."""
    simulation = simulate(scenario_of(DOWN + SMALL))
    history = simulation.history
    assert simulation.truth.disturbed_s.tolist() == list(range(300, 900, 15))
    for labels, times_s, values in every_series(history):
        stale = is_stale(values)
        if dict(labels)["__name__"] == "up":
            assert not stale.any()
            down = times_s[values == 0]
            assert (down[0], down[-1], len(down)) == (300, 885, 40)
        elif dict(labels)["__name__"] in SCRAPE_SERIES:
            assert not stale.any()
        else:
            assert times_s[stale].tolist() == [300]
            assert not ((times_s > 300) & (times_s < 900)).any()
    per_scrape = SCRAPE_S * 1000
    missed = [
        float(values[times_s == 900][0] - values[times_s == 285][0])
        for _, times_s, values in series(history, "http_requests_total", status="200")
    ]
    assert missed == [pytest.approx(per_scrape * 41, rel=0.02)]


# --- trends


def test_a_load_that_changes_at_once_is_not_drawn_from_the_load_before():
    """A stage of no duration leaves no instant at which a change would be noticed."""
    stages = "load: {rate: 1000, stages: [{duration: 0s, target: 300}]}\n"
    simulation = simulate(scenario_of("duration: 10m\n" + stages))
    per_s = gains(simulation.history, "http_requests_total") / SCRAPE_S
    assert per_s[-40:].mean() == pytest.approx(300, rel=0.02)
    assert simulation.exact_s == 300


LEAK = (
    "duration: 14m\nfaults: [{name: l, fault: memory_leak, start: 1m, duration: 12m,"
    " parameters: {bytes_per_s: 300}, targets: {tiers: %s}}]\n"
)


def test_what_builds_up_is_simulated_to_its_end():
    """Leaders are never restarted: they leak for ever, long hidden in the noise of memory."""
    simulation = simulate(scenario_of(LEAK % "[executive, stack_chief]" + SMALL))
    assert simulation.exact_s >= 12 * 60
    memory = total(simulation.history, "agentaskit_memory_bytes")
    assert sum(is_steady(memory[at : at + POOL, None]) for at in range(-40, -POOL)) > 12


def test_what_has_reached_its_balance_is_resampled():
    """Rolling restarts give back what workers leak, after three minutes as much as is added."""
    simulation = simulate(scenario_of(LEAK % "[micro, specialist]" + SMALL))
    assert simulation.exact_s < 11 * 60


RESTART = """duration: 12m
faults: [{name: r, fault: counter_reset, start: 6m, duration: 1m}]
"""


@pytest.mark.parametrize("depth", ["5m", "2d"])
def test_a_clock_is_computed_and_no_restart_of_the_exporter_sets_it_back(tmp_path, depth):
    """A rule that reads the simulator's own clock gets every second of it, resampled or not."""
    slow = f"delta(agentaskit_sim_time_seconds[{depth}]) < 0"
    read = rules(tmp_path, {"alert": "Slow", "expr": slow})
    clocks = []
    for exact in (False, True):
        simulation = simulate(scenario_of(RESTART + SMALL), depths(read), exact=exact)
        ((_, times_s, values),) = series(simulation.history, "agentaskit_sim_time_seconds")
        assert np.diff(values).tolist() == pytest.approx(np.diff(times_s), abs=1e-6)
        clocks.append(values[-60:])
    assert simulation.resampled_s > 300
    assert clocks[0].tolist() == clocks[1].tolist()


def test_everything_at_once_is_as_steady_as_its_parts():
    """No series of the catalogue keeps a quiet world from being resampled."""
    quiet = simulate(scenario_of("duration: 20m\n" + SMALL))
    assert quiet.exact_s == 0
