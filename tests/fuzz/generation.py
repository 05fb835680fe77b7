"""The document of a number: the same number makes the same document, on any machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.fuzz.expressions import expression
from tests.fuzz.mutations import DURATIONS, NUMBERS, bomb, mutate_text, mutate_tree, scalar
from tests.fuzz.seeds import Seed, seeds
from tests.fuzz.trees import in_lines, tree_of, written

KINDS: Final = (
    "scenario", "topology", "trace", "rules", "dashboard", "routing", "policy", "overlay",
    "injection",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FuzzDocument:
    """A document that may be wrong; `engine_takes` is what the engine is to say of it."""

    number: int
    kind: str
    suffix: str
    content: bytes
    engine_takes: bool

    @property
    def name(self) -> str:
        """What its file is called."""
        return f"{self.kind}-{self.number}{self.suffix}"


def document(number: int) -> FuzzDocument:
    """Return the document of a number; kinds take turns."""
    random = Random(number)  # noqa: S311 - no secret depends on it
    kind = KINDS[number % len(KINDS)]
    seed = random.choice(seeds()[kind])
    suffix = seed.suffix
    if suffix == ".json" and kind == "dashboard" and random.random() < 0.1:
        suffix = ".yaml"
    content = _trace(random) if kind == "trace" else _content(random, seed, suffix)
    return FuzzDocument(number, kind, suffix, content, engine_takes=random.random() < 0.7)


def _content(random: Random, seed: Seed, suffix: str) -> bytes:
    tree = tree_of(seed.value, random)
    chance = random.random()
    if chance < 0.03:
        return bomb(random)
    if chance < 0.13 and seed.kind in ("rules", "dashboard"):
        return _with_expression(seed.kind, suffix, expression(random, 5)).encode()
    if chance < 0.7:
        tree = mutate_tree(random, tree)
    is_json = suffix == ".json"
    text = written(tree) if is_json or random.random() < 0.3 else in_lines(tree)
    content = text.encode("utf-8", "surrogatepass")
    return content if chance < 0.6 else mutate_text(random, content)


def _with_expression(kind: str, suffix: str, expr: str) -> str:
    if kind == "rules":
        rules = [{"alert": "A", "expr": expr, "for": "1m"}, {"record": "a:b", "expr": expr}]
        return json.dumps({"groups": [{"name": "g", "rules": rules}]}, indent=1)
    panel = {"type": "timeseries", "title": "p", "targets": [{"expr": expr}]}
    board = json.dumps({"title": "b", "panels": [panel]}, indent=1)
    return board if suffix == ".json" else board.replace("\t", " ")


def _trace(random: Random) -> bytes:
    time_s, lines = 0.0, []
    for _ in range(random.choice((0, 3, 20, 2000))):
        time_s += random.expovariate(10.0)
        lines.append(f"{time_s:.{random.randrange(9)}f}")
    for _ in range(random.randrange(3)):
        odd = random.choice(
            (*NUMBERS, *DURATIONS, scalar(random), "inf", "nan", "1_0", "\u0661", "#")
        )
        lines.insert(random.randrange(len(lines) + 1), odd)
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    return content if random.random() < 0.5 else mutate_text(random, content)
