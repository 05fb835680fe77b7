"""Timelines read back from Prometheus's own record of alert states."""

from __future__ import annotations

import numpy as np

from tests.verifier.alerts import rule_files
from verifier.evaluation.observed_timelines import observed_timelines
from verifier.evaluation.timeline import Episode
from verifier.scenario_clock import ScenarioClock
from verifier.servers.prometheus import Series

START_S = 1_800_000_000.0
CLOCK = ScenarioClock(START_S, 30.0)


def state(alert, state, times_s, **labels):
    """Samples of one alert in one state, at seconds after the start."""
    times = START_S + np.array(times_s, dtype=np.float64)
    every = {"__name__": "ALERTS", "alertname": alert, "alertstate": state, **labels}
    return Series(every, times, np.ones(len(times)))


def read(*stored, end_s=100.0):
    """The timelines of stored samples; groups are evaluated each second."""
    return observed_timelines(stored, rule_files(interval_s=1.0), CLOCK, START_S + end_s)


def test_an_episode_runs_from_pending_to_the_first_evaluation_without():
    """In scenario seconds, 30 in a real one."""
    (timeline,) = read(
        state("Slow", "pending", [10, 11, 12], tier="micro"),
        state("Slow", "firing", [13, 14], tier="micro"),
    )
    assert (timeline.alert, timeline.labels) == ("Slow", (("tier", "micro"),))
    assert timeline.episodes == (Episode(300.0, 390.0, 450.0),)


def test_an_alert_that_is_active_at_the_end_has_not_resolved():
    """The next evaluation had not come yet."""
    (timeline,) = read(state("Slow", "firing", [98, 99]), end_s=99.8)
    assert timeline.episodes == (Episode(2940.0, 2940.0, None),)


def test_two_active_periods_are_two_episodes_and_jitter_is_none():
    """An evaluation late by a third is no gap; one left out is."""
    (timeline,) = read(state("Slow", "pending", [10, 11, 12.3, 13, 15, 16]))
    assert timeline.episodes == (
        Episode(300.0, None, 420.0),
        Episode(450.0, None, 510.0),
    )


def test_one_evaluation_and_a_half_is_still_the_next_one():
    """Between two samples, and between the last one and the end."""
    (timeline,) = read(state("Slow", "pending", [10, 11.5, 13]))
    assert timeline.episodes == (Episode(300.0, None, 420.0),)
    (timeline,) = read(state("Slow", "firing", [98.5]), end_s=100.0)
    assert timeline.episodes == (Episode(2955.0, 2955.0, None),)


def test_that_an_alert_fired_once_says_nothing_of_its_next_episode():
    """Each is pending and fires by itself."""
    (timeline,) = read(state("Slow", "firing", [10]), state("Slow", "pending", [20]))
    assert timeline.episodes == (Episode(300.0, 300.0, 330.0), Episode(600.0, None, 630.0))


def test_each_label_set_has_a_timeline_of_its_own():
    """Each has its own timeline, in the order of labels."""
    timelines = read(
        state("Slow", "firing", [10], tier="micro"), state("Slow", "firing", [20], tier="board")
    )
    assert [timeline.labels for timeline in timelines] == [
        (("tier", "board"),),
        (("tier", "micro"),),
    ]
