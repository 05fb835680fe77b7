"""The bound on detection latency holds for every phase of scrape and evaluation, and is reached."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from documents.mistakes import Place
from tests.verifier.outcomes import delivery, fired
from verifier.evaluation.alert_states import AlertStates
from verifier.judge.detection_latency import bound_s, latency
from verifier.pack.rules import AlertRule

if TYPE_CHECKING:
    from verifier.evaluation.timeline import Episode


def only_episode(first_s: float, evaluation_s: float, for_s: float) -> Episode:
    """Return the episode of an alert that holds from its first evaluation at `first_s` or later."""
    rule = AlertRule("A", "x", for_s, 0.0, (), (), Place("rules.yaml"))
    machine = AlertStates(rule)
    for step in range(math.ceil(2000 / evaluation_s)):
        at_s = step * evaluation_s
        machine.evaluate(round(at_s * 1000), [()] if at_s >= first_s else [])
    [timeline] = machine.timelines()
    [episode] = timeline.episodes
    return episode


@given(
    condition_s=st.floats(0, 200),
    scrape_s=st.sampled_from([0.5, 1.0, 15.0]),
    evaluation_s=st.sampled_from([1.0, 2.0, 15.0, 30.0]),
    for_s=st.sampled_from([0.0, 4.0, 10.0, 31.0, 120.0, 300.0]),
)
@example(condition_s=15.0001, scrape_s=15.0, evaluation_s=30.0, for_s=300.0)
def test_no_phase_of_scrape_and_evaluation_is_slower(condition_s, scrape_s, evaluation_s, for_s):
    """Against the judge's own state machine: seen by the next scrape, evaluated on the grid."""
    seen_s = math.ceil(condition_s / scrape_s) * scrape_s
    episode = only_episode(seen_s, evaluation_s, for_s)
    within_s = bound_s(scrape_s=scrape_s, evaluation_s=evaluation_s, for_s=for_s, group_wait_s=30.0)
    assert episode.firing_s + 30.0 - condition_s <= within_s + 1e-9


def test_the_bound_is_reached_and_a_for_counts_in_whole_evaluations():
    """A condition that comes right after a scrape, which comes right after an evaluation."""
    assert bound_s(scrape_s=15, evaluation_s=30, for_s=300, group_wait_s=10) == 355
    assert bound_s(scrape_s=15, evaluation_s=30, for_s=310, group_wait_s=0) == 15 + 30 + 330
    assert bound_s(scrape_s=0.5, evaluation_s=1, for_s=0, group_wait_s=0) == 1.5
    # Ten seconds of `for` compressed 30 times are a third of a second: still one evaluation.
    assert bound_s(scrape_s=0.5, evaluation_s=0.1, for_s=0.1 * 3, group_wait_s=0) == pytest.approx(
        0.9
    )
    episode = only_episode(30.0 + 1e-9, 30.0, 310.0)
    assert episode.firing_s - (30.0 + 1e-9) == pytest.approx(30 + 330)


def test_latency_counts_from_the_onset():
    """The first receiver that was notified; the bound from the condition, if it was measured."""
    deliveries = (
        delivery("slack", 545.0),
        delivery("sre", 541.0),
        delivery("pager", 600.0),
        delivery("sre", 841.0, "resolved"),
    )
    verdict = fired("Throughput", deliveries=deliveries)
    measured = latency(verdict, condition_s=20.0, within_s=375.0)
    assert (measured.condition_s, measured.pending_s, measured.firing_s) == (20.0, 30.0, 330.0)
    assert (measured.notified_s, measured.bound_s) == (361.0, 395.0)
    unmeasured = latency(verdict, condition_s=None, within_s=375.0)
    assert (unmeasured.condition_s, unmeasured.bound_s) == (None, 405.0)


def test_what_did_not_fire_has_no_latency_and_what_was_not_notified_has_no_end():
    """Neither is zero."""
    silent = fired("Throughput", firing_s=None, resolved_s=None)
    assert latency(silent, condition_s=20.0, within_s=375.0) is None
    for deliveries in ((), (delivery("sre", 841.0, "resolved"),)):
        verdict = fired("Throughput", deliveries=deliveries)
        assert latency(verdict, condition_s=20.0, within_s=375.0).notified_s is None
