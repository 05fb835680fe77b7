"""Random trees of routes: who is notified is what amtool says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.verifier.pack.routes.muted_hours import dice
from tests.verifier.pack.routes.random_routes import random_tree, receivers_by_amtool
from verifier.pack.routes.routing import load_routing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verifier.pack.routes.route import Route


def root_of(path: Path) -> Route:
    """Return the root of the routes that we read."""
    return load_routing(path).root


def differences(
    folder: Path, seed: int, trees: int, read: Callable[[Path], Route] = root_of
) -> list[tuple[str, dict[str, str]]]:
    """Return trees and alerts for which amtool names other receivers; four alerts a tree."""
    drawn, different = dice(seed), []
    path = folder / "alertmanager.yml"
    for _ in range(trees):
        tree = random_tree(drawn, routes=drawn.randrange(4, 20), alerts=4)
        path.write_text(tree.config, encoding="utf-8")
        root = read(path)
        for labels in tree.alerts:
            here = [route.receiver for route in root.matching(labels)]
            if here != receivers_by_amtool(path, labels):
                different.append((tree.config, labels))
    return different


def test_random_alerts_take_the_routes_that_amtool_names(tmp_path: Path) -> None:
    """In every syntax, with continue, nested, through regular expressions of Go."""
    assert differences(tmp_path, 1, 12) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_thousand_trees_take_the_routes_that_amtool_names(tmp_path: Path, seed: int) -> None:
    """As above, a hundred trees for each seed."""
    assert differences(tmp_path, seed, 100) == []


def test_a_walk_that_forgot_continue_would_be_detected(tmp_path: Path) -> None:
    """The comparison can fail."""
    assert differences(tmp_path, 2, 10, lambda path: _without_continue(root_of(path))) != []


def _without_continue(route: Route) -> Route:
    return replace(route, continues=False, routes=tuple(map(_without_continue, route.routes)))
