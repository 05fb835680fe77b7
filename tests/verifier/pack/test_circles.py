"""Circles of rules, compared with what reaches what, on every small graph."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING

import pytest

from verifier.pack.circles import circles

if TYPE_CHECKING:
    from collections.abc import Iterator

Graph = list[set[int]]


def every_graph(nodes: int) -> Iterator[Graph]:
    """Yield every graph of so many nodes, edges of a node to itself among them."""
    sets = [{n for n in range(nodes) if bits >> n & 1} for bits in range(2**nodes)]
    for edges in product(sets, repeat=nodes):
        yield list(edges)


def random_graphs(nodes: int, number: int) -> Iterator[Graph]:
    """Yield so many graphs in which a node has an edge or two on average."""
    chance = Random(nodes)  # noqa: S311 - graphs to try, nothing secret
    for _ in range(number):
        share = chance.uniform(1.0, 2.0) / nodes
        yield [{n for n in range(nodes) if chance.random() < share} for _ in range(nodes)]


def reached(edges: Graph) -> Graph:
    """Return what each node leads to, itself first."""
    reach = [{number} for number in range(len(edges))]
    for _ in edges:
        reach = [own.union(*(edges[n] for n in own)) for own in reach]
    return reach


def check(edges: Graph) -> None:
    """Assert that who reaches each other is together, and comes after all that it reaches."""
    components, reach = circles(edges), reached(edges)
    together = [{n for n in own if number in reach[n]} for number, own in enumerate(reach)]
    assert sorted(n for each in components for n in each) == list(range(len(edges))), edges
    seen: set[int] = set()
    for component in components:
        assert set(component) == together[component[0]], edges
        seen.update(component)
        assert reach[component[0]] <= seen, edges


@pytest.mark.parametrize("nodes", [0, 1, 2, 3])
def test_every_small_graph_falls_into_its_circles_in_order(nodes: int) -> None:
    """Three rules are the fewest of which one reads the circle's first through another."""
    for edges in every_graph(nodes):
        check(edges)


@pytest.mark.parametrize("nodes", [4, 6, 9])
def test_larger_graphs_do_too(nodes: int) -> None:
    """Circles beside, behind and within circles."""
    for edges in random_graphs(nodes, 200):
        check(edges)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("length", [1, 2, 3, 5, 5000])
def test_a_ring_is_one_circle_however_long(length: int) -> None:
    """Each reads the next, the last the first."""
    (ring,) = circles([{(number + 1) % length} for number in range(length)])
    assert sorted(ring) == list(range(length))
