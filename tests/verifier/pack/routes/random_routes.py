"""Random trees of routes in every syntax that Alertmanager takes, and alerts to send down them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verifier.servers.binaries import require

if TYPE_CHECKING:
    import random
    from pathlib import Path

NAMES = ("a", "b", "team", "severity")
VALUES = ("", "x", "y", "xy", "X", "7", "1.50", "true", "Zoë", "a,b", 'say "x"', "C:\\x", "x y")
PATTERNS = (
    "x|y", "x.*", ".+", ".*", "x|y|z", "x|7", "[a-y]", "", "(?i)x", "[[:alpha:]]+", r"\p{L}+",
    r"\d+", "[^x]*", "(x|y)z?", "x{1,2}y?", r"C:\\x", "a,b|x y", "(?i)ZOË|7", r"\w+", "7|1.50",
    "[^[:alpha:]]+", "(?s).*x.*",
)  # fmt: skip
PLAIN = frozenset("xyXzabcdefghijklmnopqrstuvwxyz0123456789.|*+()[]^?:")
"""Letters of values that stay what they are without quotes, in both syntaxes."""


@dataclass(frozen=True)
class RandomTree:
    """A configuration, and alerts to send down its routes; each route has its own receiver."""

    config: str
    alerts: list[dict[str, str]]


def random_tree(drawn: random.Random, *, routes: int, alerts: int) -> RandomTree:
    """Return a tree of about so many routes."""
    names = (f"r{number}" for number in range(10_000))
    root = {"receiver": next(names), "routes": _children(drawn, names, routes, depth=0)}
    receivers = [{"name": f"r{number}"} for number in range(int(next(names)[1:]))]
    labels = [
        {name: _value(drawn) for name in NAMES if drawn.random() < 0.9} for _ in range(alerts)
    ]
    return RandomTree(json.dumps({"route": root, "receivers": receivers}), labels)


def receivers_by_amtool(path: Path, labels: dict[str, str]) -> list[str]:
    """Return the receivers that amtool names for an alert, of every route that takes it."""
    command = [require("amtool"), "config", "routes", "test", f"--config.file={path}"]
    pairs = [f"{name}={_quoted(value)}" for name, value in labels.items()]
    run = subprocess.run([*command, *pairs], capture_output=True, text=True, check=True)
    # Later versions warn of old matchers before.
    return run.stdout.strip().splitlines()[-1].split(",")


def _children(drawn: random.Random, names: Any, count: int, *, depth: int) -> list[dict[str, Any]]:
    children = []
    while count > 0:
        below = drawn.randrange(count) if depth < 3 else 0
        child = {**_conditions(drawn), "continue": drawn.random() < 0.6}
        if drawn.random() < 0.9:  # the others have the receiver of their parent
            child["receiver"] = next(names)
        if below:
            child["routes"] = _children(drawn, names, below, depth=depth + 1)
        children.append(child)
        count -= below + 1
    return children


def _conditions(drawn: random.Random) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    kind = drawn.random()
    if kind < 0.25:
        conditions["match"] = {drawn.choice(NAMES): _scalar(drawn)}
    elif kind < 0.4:
        conditions["match_re"] = {drawn.choice(NAMES): drawn.choice(PATTERNS)}
    if kind > 0.35:
        texts = [_matcher(drawn) for _ in range(drawn.choice((1, 1, 1, 2)))]
        if drawn.random() < 0.3:
            texts = [", ".join(texts)]
        conditions["matchers"] = [f"{{{t}}}" if drawn.random() < 0.2 else t for t in texts]
    return conditions


def _scalar(drawn: random.Random) -> Any:
    """Return a value of `match`: a text, or a number, yes or nothing as people write them."""
    return drawn.choice((_value(drawn), _value(drawn), 7, 1.5, True, None))


def _value(drawn: random.Random) -> str:
    """Return a value; some are drawn often, so that alerts come to deep routes."""
    return drawn.choice(VALUES[1:3] if drawn.random() < 0.7 else VALUES)


def _matcher(drawn: random.Random) -> str:
    operator = drawn.choice(("=", "!=", "=~", "!~"))
    value = drawn.choice(PATTERNS) if "~" in operator else _value(drawn)
    space = drawn.choice(("", "", " "))
    bare = set(value) <= PLAIN and drawn.random() < 0.4
    return f"{drawn.choice(NAMES)}{space}{operator}{space}{value if bare else _quoted(value)}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
