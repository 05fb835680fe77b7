"""Random streams: each depends on its name and the seed alone, however it is laid out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.kernel import loop as k
from simulator.kernel.initial_state import build
from simulator.kernel.state import BLOCK
from simulator.kernel.streams import SANDBOX_SIGMA, Mix, Streams, _shares, generator
from tests.simulator.worlds import small

BLOCKS = (
    (k.TASK_CURSOR, "gaps"), (k.TASK_CURSOR, "tasks"), (k.BIT_CURSOR, "bits"),
    (k.START_CURSOR, "starts"), (k.FACTOR_CURSOR, "factors"), (k.CRASH_CURSOR, "crash_bits"),
    (k.FLOOD_CURSOR, "flood_gaps"), (k.FLOOD_CURSOR, "flood_bits"),
)  # fmt: skip


def filled(seed=3, gaps=None, **changes):
    """Return a small state whose streams are full, and the streams."""
    state = build(small(**changes))
    streams = Streams(small(**changes), seed, gaps)
    streams.refill(state)
    return state, streams


def test_a_generator_depends_on_seed_and_name():
    """The same of both gives the same numbers; another of either gives others."""
    numbers = generator(1, "crash").random(5).tolist()
    assert generator(1, "crash").random(5).tolist() == numbers
    assert generator(2, "crash").random(5).tolist() != numbers
    assert generator(1, "flood").random(5).tolist() != numbers


def test_what_a_seed_means_never_changes():
    """The first numbers of two streams, bit by bit: worlds of before are worlds of after."""
    assert generator(1, "crash").bit_generator.random_raw(2).tolist() == [
        5666293356367708725,
        721807148967092172,
    ]
    assert generator(42, "arrivals").bit_generator.random_raw(1) == 11211029678772886425


@pytest.mark.parametrize(("cursor", "block"), BLOCKS, ids=[block for _, block in BLOCKS])
def test_a_refill_changes_no_number(cursor, block):
    """Refilled at odd places, a stream goes on as one that was refilled at its end."""
    state, streams = filled()
    pieces = []
    for read in (7, 1000, 0, 12_345):
        pieces.append(getattr(state, block)[:read].copy())
        state.head[cursor] = read
        streams.refill(state)
        assert state.head[cursor] == 0
    whole, other = filled()
    first = getattr(whole, block).copy()
    whole.head[cursor] = len(first)
    other.refill(whole)
    stream = np.concatenate([first, getattr(whole, block)])
    read = np.concatenate(pieces)
    assert np.array_equal(read, stream[: len(read)])


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0])
def test_starts_take_as_long_on_average_as_the_topology_says(sigma):
    """However much they spread; and so do the runs of a triple-verified task, on average 1."""
    state, streams = filled(startup_mean_s=2.0, startup_sigma=sigma)
    starts_s, factors = [], []
    while len(starts_s) < 50_000:
        starts_s += (state.starts / 1e9).tolist()
        factors += state.factors.tolist()
        state.head[[k.START_CURSOR, k.FACTOR_CURSOR]] = len(state.starts), len(state.factors)
        streams.refill(state)
    for drawn, mean, spread in ((starts_s, 2.0, sigma), (factors, 1.0, SANDBOX_SIGMA)):
        deviation = mean * np.sqrt(np.expm1(spread**2))
        assert np.mean(drawn) == pytest.approx(mean, abs=4 * deviation / len(drawn) ** 0.5 + 1e-9)
        assert np.std(np.log(drawn)) == pytest.approx(spread, rel=0.03, abs=1e-9)


def test_recorded_gaps_take_the_place_of_drawn_ones_and_end():
    """After the last recorded arrival nothing comes; all other streams are as drawn."""
    recorded = np.array([5.0, 10.0, 10.0])
    state, _ = filled(gaps=recorded)
    drawn, _ = filled()
    assert state.gaps[:3].tolist() == recorded.tolist()
    assert np.isinf(state.gaps[3:]).all()
    assert np.array_equal(state.tasks, drawn.tasks)


def test_numbers_have_the_bits_that_the_kernel_cuts_them_into():
    """Messages have 63 bits, tasks 62; every bit is set about half of the time."""
    state, _ = filled()
    for numbers, bits in ((state.bits, 63), (state.tasks[:, k.T_DRAW], 2 * k.DRAW_BITS)):
        assert numbers.min() >= 0
        assert int(numbers.max()) < 1 << bits
        for bit in range(bits):
            share = ((numbers >> bit) & 1).mean()
            assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(len(numbers)), bit


def test_a_mix_draws_what_a_binary_search_would():
    """Also at the edges themselves, with empty shares and with several in one guide cell."""
    edges = np.array([0.1, 0.1, 0.5, 0.5004, 0.5005, 0.999])
    mix = Mix(np.arange(7), edges)
    uniform = np.concatenate([generator(1, "x").random(20_000), edges, edges - 1e-12, [0.0]])
    assert np.array_equal(mix.draw(uniform), np.searchsorted(edges, uniform, side="right"))


def test_the_kinds_of_tasks_have_their_shares():
    """A tenth of the tasks for each sandbox, none calls the dependency, by the bits of its kind."""
    topology = small(dependency_share=0.0, triple_share=0.0)
    state = build(topology)
    Streams(topology, 3, None).refill(state)
    kinds = state.tasks[:, k.T_KIND]
    assert (kinds & k.DEPENDENCY_BIT).max() == 0
    needs = (kinds >> k.NEED_SHIFT) & k.ALL_POOLS
    assert set(needs.tolist()) == {0, 1, 2, 4}
    for need in (1, 2, 4):
        assert abs((needs == need).mean() - 0.1) < 4 * np.sqrt(0.09 / len(needs))


@pytest.mark.parametrize("distribution", ["deterministic", "exponential"])
def test_each_class_has_its_own_mean(distribution):
    """A tenth of a second for work, a fiftieth for coordination, task by task."""
    means_s = (0.1, 0.02)
    classes = tuple(
        replace(entry, mean_service_s=mean_s, distribution=distribution)
        for entry, mean_s in zip(small().classes, means_s, strict=True)
    )
    task_class = np.arange(20_000) % 2
    work = Streams(small(classes=classes), 7, None)._draw_work(len(task_class), task_class)
    for number, mean_s in enumerate(means_s):
        assert work[task_class == number].mean() == pytest.approx(mean_s * 1e9, rel=0.05)


def test_a_fork_goes_on_where_a_recorded_trace_had_come():
    """Longer than a block: what has been read is not played again."""
    _, streams = filled(gaps=np.arange(50_000.0))
    blocks = [np.zeros(100), np.zeros(100)]
    for each, block in zip((streams.fork(), streams), blocks, strict=True):
        each._fill_gaps(block)
    assert blocks[0].tolist() == blocks[1].tolist() == list(range(BLOCK, BLOCK + 100))


@pytest.mark.parametrize(("cursor", "block"), BLOCKS, ids=[block for _, block in BLOCKS])
def test_a_fork_draws_what_its_origin_would(cursor, block):
    """Neither takes a number from the other."""
    drawn = []
    state, streams = filled()
    for each in (streams.fork(), streams.fork(), streams):
        state.head[cursor] = len(getattr(state, block))
        each.refill(state)
        drawn.append(getattr(state, block).tolist())
    assert drawn[1:] == drawn[:1] * 2


class FarTail:
    """Draws nothing but what is nine standard deviations above the mean."""

    def standard_normal(self, count):
        """Return as many of them."""
        return np.full(count, 9.0)


def test_no_start_and_no_work_takes_less_or_more_than_the_kernel_can_count():
    """A microsecond a start at least, 36 years each at most, however unlikely that is."""
    state, _ = filled(startup_mean_s=1e-6, startup_sigma=3.0)
    assert (state.starts.min(), state.starts.max() > 10_000) == (1_000, True)
    longest = tuple(replace(entry, mean_service_s=86_400.0, sigma=3.0) for entry in small().classes)
    streams = Streams(small(classes=longest, startup_mean_s=86_400.0, startup_sigma=3.0), 3, None)
    streams._named |= {"startup": FarTail(), "service": FarTail()}
    starts = np.zeros(2, np.int64)
    streams._fill_starts(starts)
    assert starts.tolist() == [k.CLOCK_MAX_NS] * 2
    assert streams._draw_work(2, np.array([0, 1])).tolist() == [k.CLOCK_MAX_NS] * 2


def raw(name, count):
    """Return so many numbers of 64 bits of a stream of seed 3."""
    return generator(3, name).bit_generator.random_raw(count)


def test_every_block_is_its_own_stream():
    """As that of its name gives them, from the first on; the factors spread by a quarter."""
    state, _ = filled(startup_mean_s=2.0, startup_sigma=0.5)
    count = 1000
    normal = {name: generator(3, name).standard_normal(count) for name in ("startup", "sandbox")}
    expected = {
        "gaps": generator(3, "arrivals").standard_exponential(count),
        "bits": raw("messages", count) >> 1,
        "crash_bits": raw("crash", count) >> 1,
        "flood_gaps": generator(3, "flood").standard_exponential(count),
        "flood_bits": raw("flood-bits", count) >> 1,
        "starts": (2e9 * np.exp(0.5 * normal["startup"] - 0.125)).astype(np.int64),
        "factors": np.exp(0.25 * normal["sandbox"] - 0.03125),
    }
    for block, numbers in expected.items():
        assert getattr(state, block)[:count] == pytest.approx(numbers, rel=1e-9, abs=1), block
    assert state.factors[:count] == pytest.approx(expected["factors"], rel=1e-12)
    for gaps in ("gaps", "flood_gaps"):
        assert getattr(state, gaps)[:count].tolist() == expected[gaps].tolist()
    assert (state.tasks[:count, k.T_DRAW] == raw("luck", count) >> 2).all()


@pytest.mark.parametrize("first", ["lognormal", "exponential", "deterministic"])
@pytest.mark.parametrize("second", ["lognormal", "exponential", "deterministic"])
def test_the_work_of_each_class_is_drawn_as_it_says(first, second):
    """Task by task, of its own mean and spread; who has no such class draws nothing of its kind."""
    settings = (first, 0.1, 0.3), (second, 0.02, 0.9)
    classes = tuple(
        replace(entry, distribution=distribution, mean_service_s=mean_s, sigma=sigma)
        for entry, (distribution, mean_s, sigma) in zip(small().classes, settings, strict=True)
    )
    task_class = np.array([0, 1, 1, 0, 1, 0])
    streams = Streams(small(classes=classes), 7, None)
    normal, exponential = generator(7, "service"), generator(7, "service-exponential")
    z, e = np.ones(6), np.ones(6)
    if "lognormal" in (first, second):
        z = normal.standard_normal(6)
    if "exponential" in (first, second):
        e = exponential.standard_exponential(6)
    expected = []
    for place, number in enumerate(task_class):
        distribution, mean_s, sigma = settings[number]
        unit = {"lognormal": np.exp(sigma * z[place] - sigma * sigma / 2), "exponential": e[place]}
        expected.append(mean_s * 1e9 * unit.get(distribution, 1.0))
    assert streams._draw_work(6, task_class) == pytest.approx(np.array(expected), rel=1e-9)
    for name, stream in (("service", normal), ("service-exponential", exponential)):
        assert streams._named[name].random() == stream.random(), name


def shared(priorities, classes, sandboxes, **changes):
    """Return the share of each kind of task of a topology with these shares."""
    parts = {"priorities": priorities, "classes": classes, "sandboxes": sandboxes}
    parts = {
        name: tuple(
            replace(entry, share=share)
            for entry, share in zip(getattr(small(), name), shares, strict=True)
        )
        for name, shares in parts.items()
    }
    kinds, edges = _shares(small(**parts, **changes))
    assert (edges >= 0).all()
    assert (edges <= 1).all()
    return dict(zip(kinds.tolist(), np.diff([0.0, *edges, 1.0]).tolist(), strict=True))


@pytest.mark.parametrize("slack", [0.0, 4e-10, -4e-10])
def test_each_kind_of_task_has_the_product_of_its_shares(slack):
    """By its bits; shares that are a rounding away from 1 together are taken for 1."""
    priorities, classes = (0.4 + slack, 0.3, 0.2, 0.1), (0.85, 0.15)
    needs = {0: 0.61, 1: 0.1, 2: 0.2, 4: 0.05, 7: 0.04}
    kinds = shared(priorities, classes, (0.1, 0.2, 0.05), triple_share=0.04, dependency_share=0.3)
    assert kinds == pytest.approx(
        {
            p | c << 2 | need << 3 | calls << 6: (
                priorities[p] * classes[c] * needs[need] * (0.3 if calls else 0.7) / (1 + slack)
            )
            for p in range(4)
            for c in range(2)
            for need in needs
            for calls in range(2)
        },
        rel=0,
        abs=1e-13,
    )


def test_a_share_that_rounding_leaves_below_nothing_is_none():
    """All tasks need a sandbox, and a trifle more: no edge falls back behind another."""
    kinds = shared((0, 0, 1, 0), (1, 0), (0.5, 0.3, 0.1), triple_share=0.1 + 5e-10)
    needs = {}
    for kind, share in kinds.items():
        assert share >= 0
        needs[kind >> 3 & 7] = needs.get(kind >> 3 & 7, 0.0) + share
    assert needs[0] == 0
    assert [needs[need] for need in (1, 2, 4, 7)] == pytest.approx([0.5, 0.3, 0.1, 0.1], rel=1e-8)
