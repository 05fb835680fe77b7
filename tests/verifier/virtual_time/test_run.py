"""Scenarios lived in virtual time: exact and resampled tell the same, and nothing is made up."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from exporter.history.retention import COARSE_S, FINE_PAST_S
from exporter.target import SCRAPE_S
from tests.verifier.histories import rules
from tests.verifier.lives import (
    EVERYTHING,
    NEAR,
    bundled,
    catalogue,
    is_stale,
    judge_lived,
    judged,
    live,
    lived,
    pack_panels,
    pack_rules,
    series,
    told,
    total,
)
from verifier.errors import JudgeError
from verifier.pack.history_depth import depths
from verifier.virtual_time import run as fastforward
from verifier.virtual_time.steady_state import is_steady

EVALUATION_S = 30.0
POOL = 16
"""Scrapes that a stretch is drawn from."""
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
    """Return whether each series of a history never falls."""
    counters = {
        dict(labels)["__name__"]
        for labels, kind in zip(catalogue().series, catalogue().kinds, strict=True)
        if kind == "counter"
    }
    return [dict(labels)["__name__"] in counters for labels in history.series]


def falls(history):
    """Return when which series falls, markers aside: (virtual time, series number) pairs."""
    found = []
    for number, labels in enumerate(history.series):
        ((_, times_s, values),) = series(history, **dict(labels, name=dict(labels)["__name__"]))
        numbers = ~is_stale(values)
        steps = np.diff(values[numbers])
        found += [(float(at), number) for at in times_s[numbers][1:][steps < 0]]
    return found


# --- exact and resampled


@pytest.mark.parametrize("name", ["traffic-drop", "sandbox-leak"])
def test_exact_and_resampled_runs_give_the_same_verdicts(name):
    """Every alert, every label; times at most one evaluation apart."""
    scenario, near = bundled(name), pack_rules(*NEAR)
    quick, slow = lived(name), lived(name, exact=True)
    assert (slow.exact_s, slow.resampled_s) == (scenario.duration_s, 600)
    assert quick.exact_s < 700
    assert quick.exact_s + quick.resampled_s == slow.exact_s + slow.resampled_s
    told_quick, told_slow = (judge_lived(scenario, one, near)[0] for one in (quick, slow))
    assert [one.ok for one in told_quick] == [True] * len(told_quick)
    for one, other in zip(told_quick, told_slow, strict=True):
        assert (one.alert, one.labels, one.expected, one.ok) == (
            *(other.alert, other.labels, other.expected, other.ok),
        )
        for when in ("pending_s", "firing_s", "resolved_s"):
            a, b = getattr(one, when), getattr(other, when)
            assert (a is None) == (b is None)
            assert a is None or abs(a - b) <= EVALUATION_S


def distances(drawn, exact):
    """Return how far apart two samples are, each in units of what chance explains (1 in 1000).

    A sample weighs as many scrapes as it has different ones. In order: two-sample
    Kolmogorov-Smirnov, means (normal), variances (F, about 3 for 30 and more on both sides).
    """
    share = 1 / len(set(drawn.tolist())) + 1 / len(exact)
    grid = np.concatenate((drawn, exact))
    below = [np.searchsorted(np.sort(one), grid, side="right") / len(one) for one in (drawn, exact)]
    apart = np.abs(below[0] - below[1]).max() / (1.95 * np.sqrt(share))
    mean = abs(drawn.mean() - exact.mean()) / (3.3 * exact.std() * np.sqrt(share))
    ratio = max(drawn.var(), 1e-9) / max(exact.var(), 1e-9)
    return float(apart), float(mean), float(abs(np.log(ratio)) / np.log(3))


STRETCHES = {
    "traffic-drop": {"before": (0, 12), "while it lasts": (14, 48), "after": (52, 80)},
    "sandbox-leak": {"all along": (0, 80)},
}
"""Scrapes of one regime; the leak leaves pool B just enough, so that nothing else changes."""


def compared(name, metric):
    """Yield what a metric gained in each stretch of a scenario, resampled and exact."""
    both = [gains(lived(name, exact=exact).history, metric)[-80:] for exact in (False, True)]
    for first, last in STRETCHES[name].values():
        yield both[0][first:last], both[1][first:last]


@pytest.mark.parametrize("name", STRETCHES)
def test_resampled_scrapes_are_distributed_as_exact_ones(name):
    """Shape, mean and variance of what each main counter gains in a scrape."""
    for metric in GAINS:
        for drawn, exact in compared(name, metric):
            found = distances(drawn, exact)
            assert max(found) < 1, (metric, found)


def test_another_distribution_is_noticed():
    """Planted: a hundredth more, the same mean without its chance, and thrice the chance."""
    ((drawn, exact),) = compared("sandbox-leak", "http_requests_total")
    assert max(distances(drawn * 1.01, exact)) > 1
    assert max(distances(exact.mean() + 0.1 * (drawn - drawn.mean()), exact)) > 1
    assert max(distances(exact.mean() + 3 * (drawn - drawn.mean()), exact)) > 1


@pytest.mark.parametrize("exact", [False, True])
def test_what_belongs_together_in_one_scrape_stays_together(exact):
    """Requests are counted thrice, messages follow tasks; drawn or lived, the same holds."""
    history = lived("traffic-drop", exact=exact).history
    requests = gains(history, "http_requests_total")
    for histogram in ("http_request_duration_seconds", "agentaskit_response_duration_seconds"):
        assert (gains(history, f"{histogram}_count") == requests).all()
        assert (gains(history, f"{histogram}_bucket", le="+Inf") == requests).all()
    for _, _, below in series(history, "agentaskit_task_duration_seconds_bucket"):
        assert (below <= total(history, "agentaskit_task_duration_seconds_count")).all()
    messages = gains(history, "agentaskit_inter_agent_messages_total")
    assert np.corrcoef(messages, gains(history, "agentaskit_tasks_processed_total"))[0, 1] > 0.999


def test_series_drawn_apart_would_be_noticed():
    """Planted: the same gains, each series in an order of its own."""
    history = lived("traffic-drop").history
    chance = np.random.default_rng(1)
    requests = gains(history, "http_requests_total")
    assert (chance.permutation(requests) != requests).any()
    assert np.corrcoef(chance.permutation(requests), requests)[0, 1] < 0.9


# --- seams


@pytest.mark.parametrize(
    ("name", "exact"),
    [("traffic-drop", False), ("traffic-drop", True), ("sandbox-leak", False)],
)
def test_counters_never_fall(name, exact):
    """Not from the past to the start, nor between what was lived and what was drawn."""
    history = lived(name, exact=exact).history
    counters = is_counter(history)
    found = falls(history)
    assert any(not counters[number] for _, number in found)
    assert not [at for at, number in found if counters[number]]
    for labels in history.series:
        ((_, times_s, _),) = series(history, **dict(labels, name=dict(labels)["__name__"]))
        assert (np.diff(times_s) == SCRAPE_S).all()


RESTART = "faults: [{name: r, fault: counter_reset, start: %s, duration: 1m}]\n"
PAST_RESTART = "history: {incidents: [{name: h, fault: counter_reset, ago: 230s, duration: 1m}]}\n"


@pytest.mark.parametrize(
    ("text", "expected_s"),
    [
        ("duration: 3m\n" + RESTART % "1m10s", [75]),
        ("duration: 3m\n" + RESTART % "0s", [15]),
        ("duration: 3m\n" + PAST_RESTART + RESTART % "1m10s", [-225, 75]),
    ],
    ids=["in the middle", "at the start", "once in the past and once again"],
)
def test_a_restart_is_when_every_counter_falls_and_the_only_time(text, expected_s):
    """At the first scrape after it. Twice in a run means twice."""
    history = fastforward.simulate(told(text + SMALL), EVERYTHING).history
    counters = is_counter(history)
    found = [(at, number) for at, number in falls(history) if counters[number]]
    assert sorted({at for at, _ in found}) == expected_s
    for at in expected_s:
        fallen = {dict(history.series[n])["__name__"] for when, n in found if when == at}
        assert set(GAINS) <= fallen


def test_while_the_exporter_is_down_its_series_have_ended():
    """One marker each, `up` 0, no sample until it is back; the world went on meanwhile."""
    history = lived("exporter-down").history
    for labels in history.series:
        ((_, times_s, values),) = series(history, **dict(labels, name=dict(labels)["__name__"]))
        stale = is_stale(values)
        if dict(labels)["__name__"] == "up":
            assert not stale.any()
            down = times_s[values == 0]
            assert (down[0], down[-1], len(down)) == (300, 885, 40)
        else:
            assert times_s[stale].tolist() == [300]
            assert not ((times_s > 300) & (times_s < 900)).any()
    up = gains(lived("traffic-drop").history, "http_requests_total")[0]
    missed = [
        float(values[times_s == 900][0] - values[times_s == 285][0])
        for _, times_s, values in series(history, "http_requests_total", status="200")
    ]
    assert missed == [pytest.approx(up * 41, rel=0.02)]


# --- the past


def test_each_metric_has_as_much_past_as_is_read_of_it():
    """30 days of requests, five minutes of the rest, and nothing that nobody reads."""
    asked = pack_rules("slo", *NEAR), pack_panels("sla", "capacity", "throughput")
    needed = depths(*asked)
    history = fastforward.simulate(told("duration: 1m\n" + SMALL), needed).history
    names = {dict(labels)["__name__"] for labels in history.series}
    assert names == {name for name in names if needed.depth_s(name)} | {"up"}
    assert needed.depth_s("http_requests_total") == 30 * 86_400
    assert needed.depth_s("agentaskit_agents_crashed_total") == 0
    for name in names - {"up"}:
        for _, times_s, _ in series(history, name):
            assert -needed.depth_s(name) - 2 * SCRAPE_S <= times_s[0] <= -needed.depth_s(name), name
            steps = np.diff(times_s)
            assert (steps[times_s[1:] > -FINE_PAST_S] == SCRAPE_S).all()
            assert (steps[times_s[1:] <= -FINE_PAST_S] == COARSE_S).all()


def test_a_week_on_week_rule_finds_its_five_minutes(tmp_path):
    """An offset reaches far back with a narrow window, which coarse steps would leave empty."""
    ratio = "sum(rate(agentaskit_tasks_processed_total[1m] offset 1d12h)) > 900"
    found = rules(tmp_path, {"alert": "AsBefore", "expr": ratio}, interval="1m")
    verdicts = judged(told("duration: 5m\n" + SMALL), found).alerts
    assert [(one.alert, one.firing_s, one.resolved_s) for one in verdicts] == [
        ("AsBefore", 0, None)
    ]


INCIDENT = (
    "history: {incidents: [{name: h, fault: task_failure, ago: %s, duration: %s,"
    " parameters: {share: 0.5}}]}\n"
)


@pytest.mark.parametrize(
    ("ago", "duration", "felt"),
    [("10d", "1h", False), ("4m", "2m", True), ("20m", "18m", True)],
    ids=["long over", "within what is read", "begun before what is read"],
)
def test_an_incident_is_lived_where_it_can_be_felt(ago, duration, felt):
    """With rules that look back five minutes, one ten days ago costs nothing and breaks nothing."""
    past = live(told("duration: 1m\n" + SMALL + INCIDENT % (ago, duration)), pack_rules("slo"))
    far = past.exact_s + past.resampled_s > 29 * 86_400
    assert far
    near = fastforward.simulate(
        told("duration: 1m\n" + SMALL + INCIDENT % (ago, duration)), EVERYTHING
    )
    errors = total(near.history, "http_requests_total", status="500")
    assert (errors[-1] > 100) == felt
    assert (near.exact_s > 60) == felt


def test_a_load_that_changes_at_once_is_not_drawn_from_the_load_before():
    """A stage of no duration leaves no instant at which anything would be seen to change."""
    scenario = told("duration: 10m\nload: {rate: 1000, stages: [{duration: 0s, target: 300}]}\n")
    past = fastforward.simulate(scenario, EVERYTHING)
    per_s = gains(past.history, "http_requests_total") / SCRAPE_S
    assert per_s[-40:].mean() == pytest.approx(300, rel=0.02)
    assert past.exact_s == 300


# --- trends


LEAK = (
    "duration: 14m\nfaults: [{name: l, fault: memory_leak, start: 1m, duration: 12m,"
    " parameters: {bytes_per_s: 300}, targets: {tiers: %s}}]\n"
)


def test_what_builds_up_is_lived_to_its_end():
    """Leaders are never restarted: they leak for ever, long unseen in the noise of memory."""
    past = fastforward.simulate(told(LEAK % "[executive, stack_chief]" + SMALL), EVERYTHING)
    assert past.exact_s >= 12 * 60
    memory = total(past.history, "agentaskit_memory_bytes")
    assert sum(is_steady(memory[at : at + POOL, None]) for at in range(-40, -POOL)) > 12


def test_what_has_found_its_balance_is_drawn():
    """Rolling restarts give back what workers leak, after three minutes as much as there comes."""
    past = fastforward.simulate(told(LEAK % "[micro, specialist]" + SMALL), EVERYTHING)
    assert past.exact_s < 11 * 60


def test_a_clock_is_never_drawn(tmp_path):
    """Who reads the simulator's own clock gets every second of it."""
    found = rules(tmp_path, {"alert": "Slow", "expr": "agentaskit_sim_time_seconds < 0"})
    past = live(told("duration: 8m\n" + SMALL), found)
    assert past.resampled_s == 0
    ((_, _, values),) = series(past.history, "agentaskit_sim_time_seconds")
    assert (np.diff(values) == SCRAPE_S).all()


def test_a_world_that_does_not_settle_has_no_past(monkeypatch):
    """Not a verdict on ever-growing queues."""
    monkeypatch.setattr(fastforward, "WARM_UP_MINUTES_MAX", 2)
    with pytest.raises(JudgeError, match=r"does not settle under 1234 tasks/s .* load\.stages"):
        live(told("duration: 1m\nload: {rate: 1234}\n"))


# --- what is told


def test_progress_is_told_from_the_past_to_the_verdict(monkeypatch):
    """A person sees where it is and how fast it goes."""
    monkeypatch.setattr(fastforward, "TELL_EVERY_S", 1e-9)
    heard = []
    outcome = fastforward.verify_scenario(
        told("duration: 2m\n" + SMALL + INCIDENT % ("4m", "2m")),
        pack_rules(*NEAR),
        (),
        exact=True,
        report=heard.append,
    )
    assert list(dict.fromkeys(one.phase for one in heard)) == ["history", "simulating", "judging"]
    simulated = [one.virtual_s for one in heard if one.phase == "simulating"]
    assert simulated == sorted(simulated)
    assert simulated[-1] == 120
    assert heard[-2].times_real_time > 0
    assert outcome.exact_s > 120
    assert outcome.virtual_s == 120 + 600
    assert all(a.of_s == b.of_s for a, b in pairwise(heard))


@pytest.mark.parametrize(
    "metric", ["http_requests_total", "agentaskit_response_duration_seconds_count"]
)
def test_a_window_without_its_history_is_named(tmp_path, metric):
    """The verdict is invalid, whichever series of a metric the window reads."""
    found = rules(tmp_path, {"alert": "A", "expr": f"sum(rate({metric}[1h])) < 0"})
    outcome = judged(told("duration: 1m\nhistory: {depth: 10m}\n" + SMALL), found)
    assert outcome.verdict == "invalid"
    assert outcome.invalid == (
        f"{metric}: a window of 1h needs as much history before the start, there is 10m",
    )
