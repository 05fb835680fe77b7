"""The rooms and their arrows, read from the imports: what the house style says, made to hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = ("documents", "simulator", "exporter", "scenarios", "verifier", "agentaskit_sim")
OUTSIDE = {"tests", "benchmarks", "observability", "tools"}
IMPURE = {
    "asyncio", "logging", "time", "random", "os", "io", "sys", "pathlib", "socket", "threading",
    "multiprocessing", "subprocess", "tempfile", "shutil", "signal", "urllib", "http", "datetime",
    "aiohttp", "uvloop", "prometheus_client", "pydantic", "ruamel", "rich", "typer",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input"}
METRIC = re.compile(r"\b(agentaskit_(?!sim\b)\w+|http_request\w*|node_cpu\w*)")
CATALOGUE = "exporter/metrics/catalogue.py"
PACER = "simulator/pacer.py"


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the first word of every absolute import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, (node.module or "").partition(".")[0] if not node.level else "."


def wrong_arrows(path: str, source: str) -> list[str]:
    """Return a line for each import that points to a room further right, or out of the house."""
    room = ROOMS.index(path.partition("/")[0])
    refused = {".", *OUTSIDE, *ROOMS[room + 1 :]}
    return [
        f"{path}:{line}: {ROOMS[room]} must not import {name}"
        for line, name in imported(ast.parse(source))
        if name in refused
    ]


def impurities(path: str, source: str) -> list[str]:
    """Return a line for each clock, chance or outside world in a module of the simulator."""
    if not path.startswith("simulator/") or path == PACER:
        return []
    tree = ast.parse(source)
    names = [(line, name) for line, name in imported(tree) if name in IMPURE]
    names += [
        (node.lineno, f"{node.func.id}()")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in IMPURE_CALLS
    ]
    return [f"{path}:{line}: the simulator must not use {name}" for line, name in names]


def metric_names(path: str, source: str) -> list[str]:
    """Return a line for each metric name typed outside the catalogue; docstrings may name them."""
    if path == CATALOGUE:
        return []
    tree = ast.parse(source)
    documenting = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        f"{path}:{node.lineno}: {found[0]} must be typed in {CATALOGUE} alone"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documenting
        and (found := METRIC.search(node.value))
    ]


RULES = (wrong_arrows, impurities, metric_names)


def modules(repository: Path) -> list[tuple[str, str]]:
    """Return path and source of every module of the rooms."""
    return [
        (file.relative_to(repository).as_posix(), file.read_text(encoding="utf-8"))
        for room in ROOMS
        for file in sorted((repository / room).rglob("*.py"))
    ]


@pytest.mark.parametrize("rule", RULES)
def test_every_module_of_every_room_keeps_the_rule(rule, repository):
    """The code as it stands breaks none of them."""
    found = modules(repository)
    assert {path.partition("/")[0] for path, _ in found} == set(ROOMS)
    assert [line for path, source in found for line in rule(path, source)] == []


@pytest.mark.parametrize(
    ("rule", "path", "source", "complaint"),
    [
        (wrong_arrows, "simulator/a.py", "import exporter.server.app", "must not import exporter"),
        (wrong_arrows, "exporter/a.py", "from scenarios import yaml", "must not import scenarios"),
        (wrong_arrows, "verifier/a.py", "def f():\n  import agentaskit_sim", ":2: verifier"),
        (wrong_arrows, "scenarios/a.py", "if X:\n  from verifier.x import y", "verifier"),
        (wrong_arrows, "scenarios/a.py", "from . import yaml", "must not import ."),
        (wrong_arrows, "agentaskit_sim/a.py", "from tests.x import y", "import tests"),
        (impurities, "simulator/a.py", "from time import perf_counter", "must not use time"),
        (impurities, "simulator/a.py", "import numpy, random", "must not use random"),
        (impurities, "simulator/a.py", "def f():\n    print(1)", "must not use print"),
        (metric_names, "verifier/a.py", "q = 'sum(http_requests_total)'", "http_requests_total"),
        (metric_names, "scenarios/a.py", "x = f'agentaskit_task{n}'", "agentaskit_task must"),
        (metric_names, "exporter/a.py", "x = ['node_cpu_seconds_total']", "node_cpu_seconds_total"),
    ],
)  # fmt: skip
def test_a_planted_violation_is_caught(rule, path, source, complaint):
    """Each rule sees its violation, at its line."""
    (line,) = rule(path, source)
    assert line.startswith(f"{path}:")
    assert complaint in line


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (wrong_arrows, "verifier/a.py", "import exporter, documents.yaml_reader, numpy"),
        (impurities, PACER, "import asyncio"),
        (impurities, "exporter/a.py", "import asyncio"),
        (metric_names, CATALOGUE, "x = 'http_requests_total'"),
        (metric_names, "verifier/a.py", '"""Reads http_requests_total."""\nx = "agentaskit_sim"'),
    ],
)
def test_what_is_allowed_is_not_complained_of(rule, path, source):
    """Arrows to the left, the pacer, the catalogue, docstrings and the program's own name."""
    assert rule(path, source) == []
