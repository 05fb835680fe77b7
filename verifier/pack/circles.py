"""Rules that read each other in a circle, and the order of all that do not.

Called wherever rules are put in order: by what must be evaluated first, or by how deep a history
each needs. It knows numbers and edges only. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def circles(edges: Sequence[set[int]]) -> list[list[int]]:
    """Return the strongly connected components, each after those that it has edges to.

    Tarjan's algorithm, without recursion: rules may read each other in chains of any length.
    """
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    open_nodes: set[int] = set()
    components: list[list[int]] = []
    for root in range(len(edges)):
        path = [(root, iter(sorted(edges[root])))] if root not in order else []
        while path:
            number, ahead = path[-1]
            if number not in order:
                order[number] = low[number] = len(order)
                stack.append(number)
                open_nodes.add(number)
            following = next(ahead, None)
            if following is None:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[number])
                if low[number] == order[number]:
                    components.append(_close(number, stack, open_nodes))
            elif following not in order:
                path.append((following, iter(sorted(edges[following]))))
            elif following in open_nodes:
                low[number] = min(low[number], order[following])
    return components


def _close(number: int, stack: list[int], open_nodes: set[int]) -> list[int]:
    """Take the component that began with `number` off the stack."""
    circle: list[int] = []
    while not circle or circle[-1] != number:
        circle.append(stack.pop())
        open_nodes.discard(circle[-1])
    return circle
