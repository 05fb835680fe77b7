"""A topology file changes the parts of the built-in system that it names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import InputError
from scenarios.topology_overlay import load_topology
from simulator.topology import Tier, Topology

WHOLE = """\
tiers:
  micro: {agents: 700}
  interns: {agents: 10, takes: [work, coordination], speed: 0.5, scales: true}
  cecca: {base_memory_bytes: 7, task_memory_bytes: 8, scales: true}
  clerks: {agents: 1, takes: [work]}
classes: {coordination: {share: 0.2, mean_service: 90ms}, work: {share: 0.8, sigma: 0.25}}
priorities: {low: {share: 0.2, queue_limit: 9, wait_limit: 5s}, high: {share: 0.25}}
sandboxes: {C: {slots: 3, share: 0.2}}
rate_limit_per_s: 5
merge: 4ms
cells: 2
cell_weights: [1, 3]
"""


def written(folder, text):
    """Write a topology file."""
    path = folder / "t.yaml"
    path.write_text(text)
    return path


def test_a_topology_file_may_add_a_tier(tmp_path):
    """A tier of a new name is added with its own numbers; the others stay."""
    path = written(tmp_path, "tiers: {interns: {agents: 10, takes: [work], speed: 0.5}}\n")
    topology = load_topology(path)
    assert topology.fleet == 938
    assert topology.tiers[-1].takes == ("work",)
    path.write_text("")
    assert load_topology(path) == Topology()


def test_each_part_has_what_is_said_of_it_and_all_else_is_as_it_was(tmp_path):
    """Parts stay in their order, whatever that of the file; new tiers come last, in the file's."""
    base = Topology()
    (work, coordination), (critical, high, normal, low) = base.classes, base.priorities
    cecca = replace(base.tiers[0], base_memory_bytes=7, task_memory_bytes=8, scales=True)
    assert load_topology(written(tmp_path, WHOLE)) == replace(
        base,
        tiers=(
            cecca,
            *base.tiers[1:-1],
            replace(base.tiers[-1], agents=700),
            Tier(name="interns", agents=10, takes=("work", "coordination"), speed=0.5, scales=True),
            Tier(name="clerks", agents=1, takes=("work",)),
        ),
        classes=(
            replace(work, share=0.8, sigma=0.25),
            replace(coordination, share=0.2, mean_service_s=0.09),
        ),
        priorities=(
            critical,
            replace(high, share=0.25),
            normal,
            replace(low, share=0.2, queue_limit=9, wait_limit_s=5.0),
        ),
        sandboxes=(*base.sandboxes[:2], replace(base.sandboxes[2], slots=3, share=0.2)),
        rate_limit_per_s=5.0,
        merge_s=0.004,
        cells=2,
        cell_weights=(1.0, 3.0),
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[]", ["1:1: the file must be a mapping, got a list"]),
        ("false", ["1:1: the file must be a mapping, got false"]),
        ("host: 3", ["1:1: unknown key 'host', did you mean 'hosts'?"]),
        (
            "tiers: {interns: {agents: 10}}",
            [
                (
                    "1:9: no tier is called 'interns', a new tier must have the keys 'agents'"
                    " and 'takes'"
                )
            ],
        ),
        (
            "tiers: {interns: {takes: [work]}, boards: {speed: 2}, micro: {agents: 0}}",
            [
                (
                    "1:9: no tier is called 'interns', a new tier must have the keys 'agents'"
                    " and 'takes'"
                ),
                "1:35: no tier is called 'boards', did you mean 'board'?",
                "1:71: tier micro: agents must be 1 to 100000, got 0",
            ],
        ),
        (
            "tiers: {board: {agents: 0}}\npriorities: {low: {wait_limit: 0s}}\nhosts: 0",
            [
                "1:25: tier board: agents must be 1 to 100000, got 0",
                "2:32: priority low: wait_limit must be 1ms to 3650d, got 0s",
            ],
        ),
        (
            "tiers: {board: {takes: [], speed: 0}, micro: {speed: 0}}\nclasses: {work: {sigma: 4}}",
            [
                "1:24: tier board: takes must be at least one task class, got none",
                "1:54: tier micro: speed must be 0.001 to 1000, got 0",
                "2:25: class work: sigma must be between 0 and 3, got 4",
            ],
        ),
        (
            "tiers: {interns: {agents: 0, takes: [work]}}",
            ["1:27: tier interns: agents must be 1 to 100000, got 0"],
        ),
        (
            "tiers: {interns: {agents: 1, takes: [rest]}}",
            ["1:38: tiers.interns.takes[0] must be 'work' or 'coordination', got 'rest'"],
        ),
        (
            "classes: {work: {share: 0.5}}",
            ["1:10: classes must be parts whose shares add up to 1, got 0.55"],
        ),
        (
            "cells: 3\ncell_weights: [1.5, 2.5]",
            [
                (
                    "2:15: cell_weights must be left out, or 3 numbers of 0.001 to 1000, one for"
                    " each cell, got 1.5, 2.5"
                )
            ],
        ),
    ],
)
def test_every_mistake_of_a_topology_file_has_its_place(tmp_path, text, lines):
    """The system as a whole is checked once its parts are right."""
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_topology(path)
    assert str(caught.value).splitlines() == [f"{path}:{line}" for line in lines]


@pytest.mark.parametrize(("keys", "noted"), [(199, 199), (200, 200), (201, 200)])
def test_of_more_mistakes_than_anybody_reads_the_first_two_hundred_are_noted(tmp_path, keys, noted):
    """Whoever reads the message is told how many more there are, or that there are many."""
    path = written(tmp_path, "".join(f"x{number}: 1\n" for number in range(keys)))
    with pytest.raises(InputError) as caught:
        load_topology(path)
    assert len(caught.value.mistakes) == noted
