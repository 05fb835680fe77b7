"""What a command imports before it knows what is asked: nothing that costs time and may be unused.

Read from the sources, so that every command is looked at, and what leads to an import is named.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from agentaskit_sim.__main__ import COMMANDS
from tests.syntax import parse

ROOT = Path(__file__).parents[3]
ROOMS = ("documents", "charts", "simulator", "exporter", "scenarios", "verifier", "agentaskit_sim")
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
        ".__init__"
    ): path.read_text()
    for room in ROOMS
    for path in (ROOT / room).rglob("*.py")
}
SERVERS = {"aiohttp", "exporter.server.app", "verifier.servers.webhook"}
COMPILER = {"numba", "llvmlite", "ctypes"}
VERIFIER = {"agentaskit_sim.inputs", "verifier.judge", "verifier.pack", "verifier.servers"}
WORLD = {"numpy", "simulator.kernel", "exporter.metrics.catalogue", "prometheus_client"}
FILES = {"pydantic", "ruamel", "scenarios.schema"}
CLUSTER = {"verifier.cluster", "asyncio"}
SELDOM = {*SERVERS, "xml", "verifier.report.html", "verifier.report.pages.rendering"}
MAPPED = {"verifier.mapping"}
UNUSED = {
    "__main__": {*SERVERS, *VERIFIER, *WORLD, *FILES, "rich", "importlib.metadata"},
    "fault": {*SERVERS, *VERIFIER, *WORLD, *FILES},
    "scenarios": {*SERVERS, *VERIFIER, "prometheus_client"},
    "verify": {*SERVERS, *CLUSTER, *MAPPED, "verifier.engines.comparison"},
    "mutate": {*SELDOM, *CLUSTER, *MAPPED},
    "coverage": {*SELDOM, *CLUSTER, *MAPPED},
    "check": {*SELDOM, *CLUSTER, *MAPPED},
    "derive": {*SELDOM, *CLUSTER, *MAPPED},
    "replay": {*SELDOM, *CLUSTER, *MAPPED},
    "send": {*SERVERS, *CLUSTER, *MAPPED},
    "serve": {*MAPPED, "verifier.judge.judgement"},
    "slo": {*SELDOM, *CLUSTER, "pydantic", "exporter.metrics.catalogue", "prometheus_client"},
    "doctor": {*SELDOM, *CLUSTER, "pydantic", "simulator", "agentaskit_sim.inputs"},
    "explain": {*SELDOM, *CLUSTER, "pydantic"},
}
"""What a command does without until it is known that it is needed; for all others `COMPILER`."""


def imports_of(statements):
    """Yield what is imported when a module is: not in functions, and not for types alone."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)
        elif isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from imports_of(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            blocks = (getattr(statement, name, ()) for name in ("body", "orelse", "handlers"))
            yield from (name for block in blocks for name in imports_of(block))


def modules_of(name, sources):
    """Yield every module that an import runs: packages first; of another's package its name."""
    words = name.split(".")
    known = words[0] in ROOMS
    for count in range(1, len(words) + 1):
        module = ".".join(words[:count])
        if module in sources or not known:
            yield module


def imported_by(start, sources):
    """Return all modules that are imported with `start`, each with the one that asks for it."""
    asked_by = dict.fromkeys(modules_of(start, sources))
    waiting = list(asked_by)
    while waiting:
        asking = waiting.pop()
        for name in imports_of(parse(sources[asking]).body if asking in sources else ()):
            for module in modules_of(name, sources):
                if module not in asked_by:
                    asked_by[module] = asking
                    waiting.append(module)
    return asked_by


def needless(command, sources):
    """Return a line for each thing that a command imports and must not: who asks for it."""
    module = f"agentaskit_sim.{command if command == '__main__' else f'commands.{command}'}"
    asked_by = imported_by(module, sources)
    lines = []
    for name in sorted({*COMPILER, *UNUSED.get(command, ())} & {*asked_by}):
        line = name
        while name := asked_by[name]:
            line += f" <- {name}"
        lines.append(line)
    return lines


@pytest.mark.parametrize("command", ["__main__", *COMMANDS])
def test_a_command_imports_only_what_it_is_sure_to_need(command):
    """The rest is imported where it is used: to start costs processor time each time."""
    assert needless(command, SOURCES) == []


@pytest.mark.parametrize(
    ("command", "module", "planted", "chain"),
    [
        (
            "scenarios",
            "agentaskit_sim.options",
            "try:\n    from verifier.pack.rules import X\nfinally:\n    pass\n",
            "verifier.pack <- agentaskit_sim.options <- agentaskit_sim.commands.scenarios",
        ),
        (
            "fault",
            "documents.amounts",
            "import aiohttp.web\n",
            "aiohttp <- documents.amounts <- agentaskit_sim.commands.fault",
        ),
        (
            "verify",
            "agentaskit_sim.judges",
            "class Judge:\n    import numba\n",
            "numba <- agentaskit_sim.judges <- agentaskit_sim.commands.verify",
        ),
    ],
)
def test_a_needless_import_is_named_with_what_leads_to_it(command, module, planted, chain):
    """Planted wherever a module may import."""
    assert chain in needless(command, {**SOURCES, module: SOURCES[module] + planted})


def test_what_a_function_or_a_type_needs_is_not_imported_at_the_start():
    """Until the function is called."""
    text = "if TYPE_CHECKING:\n    import a\nelse:\n    import b\ndef f():\n    import c\n"
    assert list(imports_of(ast.parse(text).body)) == ["b"]
