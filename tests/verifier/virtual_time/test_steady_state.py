"""When a period may be resampled from its own minutes: noise may, a trend never."""

from __future__ import annotations

import numpy as np
import pytest

from verifier.virtual_time.minute_draws import MinuteDraws
from verifier.virtual_time.steady_state import (
    MINUTE,
    POOL_MINUTES,
    RETURN_MINUTES,
    SETTLE_MINUTES,
    ResamplingPool,
    find_pool,
    find_return,
    is_steady,
)

SERIES = 300
ENOUGH = (POOL_MINUTES + SETTLE_MINUTES) * MINUTE


def noise(seed=1, scrapes=ENOUGH, series=SERIES):
    """Return scrapes of a system at rest: counts of events, each series with its own mean."""
    random = np.random.default_rng(seed)
    means = 10 ** random.uniform(0, 6, series)
    return list(random.poisson(means, (scrapes, series)).astype(np.float64))


def with_trend(rows, growth):
    """Let one series grow by `growth` of its mean from the first scrape to the last."""
    out = np.array(rows)
    steepest = out.mean(axis=0).argmax()
    out[:, steepest] *= 1 + growth * np.linspace(0, 1, len(out))
    return list(out)


def test_a_steady_state_gives_its_last_minutes():
    """Whole minutes, as they were, without the first after the change."""
    rows = noise()
    pool = find_pool(rows)
    assert pool is not None
    assert (pool.rows == np.array(rows[SETTLE_MINUTES * MINUTE :])).all()
    assert len(pool.rows) == POOL_MINUTES * MINUTE


def test_too_few_minutes_give_no_pool():
    """It takes four minutes to draw from and one to settle."""
    assert find_pool(noise()[1:]) is None
    assert find_pool([]) is None


def test_what_a_change_leaves_behind_in_the_first_minute_does_not_count():
    """It is not in the pool either."""
    rows = noise()
    rows[: SETTLE_MINUTES * MINUTE] = [3 * row for row in rows[: SETTLE_MINUTES * MINUTE]]
    pool = find_pool(rows)
    assert pool is not None
    assert (pool.rows == np.array(rows[SETTLE_MINUTES * MINUTE :])).all()


def test_one_series_with_a_trend_keeps_all_from_being_resampled():
    """Of three hundred; a hundredth in five minutes is a twelfth in an hour."""
    assert find_pool(with_trend(noise(), 0.01)) is None


@pytest.mark.parametrize("growth", [1e-3, 1e-6, 1e-9])
def test_a_trend_without_noise_is_seen_however_slow_it_is(growth):
    """Memory that leaks shows in the sum of what leaked long before it shows in memory used."""
    rows = np.full((ENOUGH, 3), 1e12)
    assert find_pool(list(rows)) is not None
    assert find_pool(with_trend(list(rows), growth)) is None


def test_a_level_that_changed_within_the_minutes_is_a_trend():
    """A step, not only a slope."""
    rows = np.array(noise())
    rows[-POOL_MINUTES * MINUTE // 2 :, 0] += 20 * rows[:, 0].std() + 20
    assert find_pool(list(rows)) is None


def test_noise_is_rarely_taken_for_a_trend():
    """It would only cost time: the next scrape is another try."""
    steady = [is_steady(np.array(noise(seed, 16))) for seed in range(200)]
    assert sum(steady) >= 170


def test_series_that_stand_still_are_steady():
    """Among them all series that are 0."""
    assert is_steady(np.zeros((16, 4)))
    assert is_steady(np.full((16, 4), 928.0))


def test_minutes_are_drawn_whole_and_all_of_them():
    """Four scrapes that followed each other still do, every minute is drawn about as often."""
    pool = ResamplingPool(np.arange(16.0)[:, None])
    picks = pool.pick(np.arange(1, 4 * 4000 + 1), MinuteDraws(1, "test"))
    minutes = picks.reshape(-1, MINUTE)
    assert (np.diff(minutes, axis=1) == 1).all()
    assert (minutes[:, 0] % MINUTE == 0).all()
    counts = np.bincount(minutes[:, 0] // MINUTE)
    assert len(counts) == POOL_MINUTES
    assert abs(counts - 1000).max() < 150


@pytest.mark.parametrize("first", [-40_000, -7, 0, 1, 3])
def test_the_draw_of_a_scrape_is_its_own(first):
    """Wherever drawing begins or ends, before the start or after it: a cut minute keeps its place.

    Planted: draws in order, as a generator gives them, move with the first scrape.
    """
    pool, draws = ResamplingPool(np.zeros((16, 2))), MinuteDraws(7, "test")
    whole = pool.pick(np.arange(first - 9, first + 200), draws)
    assert pool.pick(np.arange(first, first + 50), draws).tolist() == whole[9:59].tolist()
    in_order = np.random.default_rng(7).integers(0, 4, 80)
    assert in_order[9:59].tolist() != np.random.default_rng(7).integers(0, 4, 50).tolist()


def test_draws_differ_by_seed_and_by_purpose_and_from_minute_to_minute():
    """As often as chance has it: three times in four; neighbours tell nothing of each other."""
    minutes = np.arange(-20_000, 20_000)
    drawn = np.floor(4 * MinuteDraws(1, "a").uniform(minutes))
    for draws in (MinuteDraws(2, "a"), MinuteDraws(1, "b")):
        other = np.floor(4 * draws.uniform(minutes))
        assert abs((other != drawn).mean() - 0.75) < 0.015
    for lag in (1, 2, 4, 60, 1440):
        assert abs((drawn[lag:] != drawn[:-lag]).mean() - 0.75) < 0.015


@pytest.mark.parametrize("seed", range(5))
def test_rare_failures_are_drawn_as_often_as_they_happen_on_average(seed):
    """Eight minutes hold some 240 of them, give or take fifteen; a month holds the average."""
    failed = np.random.default_rng(seed).poisson(7.7, 32).astype(float)
    rows = failed[:, None]
    month = np.arange(-43_200 * MINUTE + 1, 1)

    def mean(surplus):
        return rows[ResamplingPool(rows, surplus).pick(month, MinuteDraws(seed, "test"))].mean()

    assert mean(failed - 7.7) == pytest.approx(7.7, rel=0.02)
    assert mean(None) == pytest.approx(failed.mean(), rel=0.005)


def test_a_pool_without_a_minute_on_the_other_side_is_tilted_only_so_far():
    """All minutes have too many: each is still drawn."""
    pool = ResamplingPool(np.zeros((16, 1)), np.repeat([1.0, 2.0, 3.0, 4.0], MINUTE))
    assert pool.weights.min() > 0
    assert pool.weights.sum() == pytest.approx(1)
    assert pool.weights.tolist() == sorted(pool.weights, reverse=True)


BACK = (RETURN_MINUTES + SETTLE_MINUTES) * MINUTE


@pytest.mark.parametrize("seed", range(3))
def test_a_world_that_is_healthy_again_is_known_by_its_last_minutes(seed):
    """As it is after a fault: one minute to settle, two to compare."""
    rows = np.array(noise(1, 32 + 200))
    healthy, after = ResamplingPool(rows[:32]), list(rows[32 + seed * BACK :])[:BACK]
    pool = find_return(after, healthy)
    assert pool is not None
    assert (pool.rows == np.array(after[SETTLE_MINUTES * MINUTE :])).all()
    assert find_return(after[1:], healthy) is None


@pytest.mark.parametrize("share", [0.99, 1.01])
def test_what_is_still_marked_is_not_healthy_again(share):
    """Planted: a hundredth in one series of three hundred; still draining, or lower for good."""
    rows = np.array(noise(1, 32 + BACK))
    healthy, after = ResamplingPool(rows[:32]), rows[32:]
    assert find_return(list(after), healthy) is not None
    after[:, rows.mean(axis=0).argmax()] *= share
    assert find_return(list(after), healthy) is None


def test_pools_of_the_same_state_are_joined_and_of_another_are_not():
    """After an incident a world is healthy again, or still marked by it."""
    rows = np.array(noise(1, 32))
    before, after = (ResamplingPool(half, np.ones(16)) for half in (rows[:16], rows[16:]))
    assert len(after.joined(before).rows) == 32
    assert len(after.joined(before).surplus) == 32
    marked = ResamplingPool(rows[16:] * 1.5)
    assert marked.joined(before) is marked


def test_a_joined_pool_holds_of_each_scrape_what_belongs_to_it():
    """In the order of time: its series, its surplus, and what the world counted."""
    rows, counts = np.array(noise(1, 32)), np.arange(64).reshape(32, 2)
    surplus = np.linspace(-1, 1, 32)
    before, after = (
        ResamplingPool(rows[part], surplus[part], counts[part])
        for part in (slice(0, 16), slice(16, 32))
    )
    joined = after.joined(before)
    for whole, parts in ((rows, joined.rows), (surplus, joined.surplus), (counts, joined.counts)):
        assert (parts == whole).all()


def test_compressed_as_many_times_more_scrapes_are_drawn_from():
    """Rare events come as rarely in the world's own time."""
    pool = find_pool(noise(1, 2 * ENOUGH), factor=2.0)
    assert pool is not None
    assert len(pool.rows) == 2 * POOL_MINUTES * MINUTE
    assert find_pool(noise(1, 2 * ENOUGH - 1), factor=2.0) is None
    rows = np.array(noise(1, 64 + 2 * BACK))
    healthy, after = ResamplingPool(rows[:64]), list(rows[64:])
    pool = find_return(after, healthy, factor=2.0)
    assert pool is not None
    assert len(pool.rows) == 2 * RETURN_MINUTES * MINUTE
    assert find_return(after[1:], healthy, factor=2.0) is None


@pytest.mark.parametrize(("step", "is_found"), [(0, True), (7, False), (-7, False)])
def test_what_builds_up_or_drains_below_the_noise_keeps_from_resampling(step, is_found):
    """A stock that goes up as much as down does not."""
    rows = noise()
    steadily = [step * number for number in range(len(rows))]
    assert (find_pool(rows, steadily) is not None) is is_found
    up_and_down = [step * (number % 2) for number in range(len(rows))]
    assert find_pool(rows, up_and_down) is not None
