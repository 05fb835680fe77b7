"""The rooms and their arrows, read from the imports and held against ARCHITECTURE.md.

A unit is a folder of modules, or a module beside such folders. `ARCHITECTURE.md` lists every unit
with the units that it imports, ground floor first; what is listed must be what the imports say,
and no unit may import one that is listed below it.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

import pytest

from tests.syntax import nodes

MAY_IMPORT = {
    "documents": set(),
    "charts": {"documents"},
    "simulator": set(),
    "exporter": {"documents", "charts", "simulator"},
    "scenarios": {"documents", "simulator"},
    "verifier": {"documents", "charts", "simulator", "exporter", "scenarios"},
    "agentaskit_sim": {"documents", "charts", "simulator", "exporter", "scenarios", "verifier"},
}
"""The rooms, each with the rooms that it may import."""
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
MACHINE_CODE = "simulator/kernel/machine_code.py"  # it keeps the compiled kernel, as numba does
ARROWS_BLOCK = re.compile(r"```arrows\n(.*?)```", re.DOTALL)

Sources = Mapping[str, str]
"""The text of each module by its path, such as `verifier/pack/rules.py`."""
Arrows = dict[str, set[str]]
"""The units that each unit imports: of its own room by their names, of other rooms by the room."""


def imported_names(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the first word of every absolute import, wherever it stands."""
    for node in nodes(source):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, (node.module or "").partition(".")[0] if not node.level else "."


def wrong_rooms(path: str, source: str) -> list[str]:
    """Return a line for each import of a room that this one may not import, or from outside."""
    room = path.partition("/")[0]
    refused = {".", *OUTSIDE, *MAY_IMPORT} - MAY_IMPORT[room] - {room}
    return [
        f"{path}:{line}: {room} must not import {name}"
        for line, name in imported_names(source)
        if name in refused
    ]


def impurities(path: str, source: str) -> list[str]:
    """Return a line for each clock, random number or I/O in a module of the simulator."""
    if not path.startswith("simulator/") or path in {PACER, MACHINE_CODE}:
        return []
    names = [(line, name) for line, name in imported_names(source) if name in IMPURE]
    names += [
        (node.lineno, f"{node.func.id}()")
        for node in nodes(source)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in IMPURE_CALLS
    ]
    return [f"{path}:{line}: the simulator must not use {name}" for line, name in names]


def metric_names(path: str, source: str) -> list[str]:
    """Return a line for each metric name typed outside the catalogue; docstrings may name them."""
    if path == CATALOGUE:
        return []
    documenting = {
        id(node.value)
        for node in nodes(source)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        f"{path}:{node.lineno}: {match[0]} must be typed in {CATALOGUE} alone"
        for node in nodes(source)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documenting
        and (match := METRIC.search(node.value))
    ]


RULES = (wrong_rooms, impurities, metric_names)


def unit_of(path: str, divided: Collection[PurePosixPath]) -> str:
    """Return the unit of a module: its folder, or the module itself beside folders of modules.

    `divided` are the folders that have such folders in them.
    """
    folder = PurePosixPath(path).parent
    is_room = len(folder.parts) == 1
    if is_room and folder in divided and not path.endswith("/__init__.py"):
        return path.removesuffix(".py").replace("/", ".")
    return ".".join(folder.parts)


def imported_modules(path: str, source: str, sources: Sources) -> Iterator[str]:
    """Yield the path of each module of the rooms that a module imports."""
    for node in nodes(source):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            module = module_of(name, sources)
            if module not in {None, path}:
                yield module


def module_of(name: str, sources: Sources) -> str | None:
    """Return the module that a dotted name is, or is defined in; None if it is of no room."""
    while name:
        place = name.replace(".", "/")
        for module in (f"{place}.py", f"{place}/__init__.py"):
            if module in sources:
                return module
        name = name.rpartition(".")[0]
    return None


def read_arrows(sources: Sources) -> Arrows:
    """Return the arrows between units that the imports of all modules make."""
    arrows: Arrows = {}
    packages = [PurePosixPath(path) for path in sources if path.endswith("/__init__.py")]
    divided = {package.parent.parent for package in packages}
    for path, source in sources.items():
        unit = unit_of(path, divided)
        targets = arrows.setdefault(unit, set())
        room = unit.partition(".")[0]
        for module in imported_modules(path, source, sources):
            target = unit_of(module, divided)
            other = target.partition(".")[0]
            if target != unit:
                targets.add(target if other == room else other)
    return {unit: targets for unit, targets in arrows.items() if unit not in OUTSIDE}


def circles(sources: Sources) -> list[str]:
    """Return a line for each circle of modules that import one another, for types included."""
    imports = {
        path: set(imported_modules(path, source, sources)) for path, source in sources.items()
    }
    complaints = []
    # Whatever imports nothing that is left is in no circle, and neither is what only that needs.
    while leaves := [path for path, targets in imports.items() if not targets & {*imports}]:
        for path in leaves:
            del imports[path]
    for path, targets in imports.items():
        back = [target for target in targets if path in imports.get(target, ())]
        complaints += [f"{path}: imports {target}, which imports it" for target in back]
    return complaints or [f"{path}: is in a circle, or imports one" for path in sorted(imports)]


def read_drawing(text: str) -> Arrows:
    """Return the arrows that ARCHITECTURE.md lists, in its order."""
    block = ARROWS_BLOCK.search(text)
    assert block is not None, "ARCHITECTURE.md must have a block of arrows"
    arrows: Arrows = {}
    for line in block[1].splitlines():
        unit, _, targets = line.partition(" -> ")
        arrows[unit.strip()] = {target.strip() for target in targets.split(",") if target.strip()}
    return arrows


def wrong_arrows(drawn: Arrows, imports: Arrows) -> list[str]:
    """Return a line for each unit whose arrows differ, and for each arrow that points down."""
    empty_rooms = {unit for unit in imports if not imports[unit] and "." not in unit}
    complaints = [
        f"{unit}: ARCHITECTURE.md must say '{describe(unit, imports)}'"
        for unit in sorted({*imports, *drawn} - (empty_rooms - {*drawn}))
        if drawn.get(unit) != imports.get(unit)
    ]
    order = list(drawn)
    for unit, targets in drawn.items():
        below = [
            target
            for target in targets
            if target in order and order.index(target) > order.index(unit)
        ]
        complaints += [f"{unit}: must not import {target}, listed below it" for target in below]
    return complaints


def describe(unit: str, arrows: Arrows) -> str:
    """Return a unit's line as it has to stand in ARCHITECTURE.md."""
    targets = ", ".join(sorted(arrows.get(unit, ())))
    return f"{unit} -> {targets}" if targets else unit


def read_sources(repository: Path) -> dict[str, str]:
    """Return path and text of every module of the rooms."""
    return {
        file.relative_to(repository).as_posix(): file.read_text(encoding="utf-8")
        for room in MAY_IMPORT
        for file in sorted((repository / room).rglob("*.py"))
    }


@pytest.mark.parametrize("rule", RULES)
def test_every_module_of_every_room_keeps_the_rule(rule, repository):
    """The code as it stands breaks none of them."""
    sources = read_sources(repository)
    assert {path.partition("/")[0] for path in sources} == set(MAY_IMPORT)
    assert [line for path, text in sources.items() for line in rule(path, text)] == []


def test_the_arrows_in_architecture_are_those_of_the_imports(repository):
    """Every unit is listed with exactly what it imports, and imports nothing listed below it."""
    drawn = read_drawing((repository / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    assert wrong_arrows(drawn, read_arrows(read_sources(repository))) == []


def test_no_modules_import_one_another_in_a_circle(repository):
    """Not even for their types: a reader of one would have to read them all."""
    assert circles(read_sources(repository)) == []


@pytest.mark.parametrize(
    ("rule", "path", "source", "complaint"),
    [
        (wrong_rooms, "simulator/a.py", "import exporter.http", "must not import exporter"),
        (wrong_rooms, "simulator/a.py", "import documents.files", "must not import documents"),
        (wrong_rooms, "exporter/a.py", "from scenarios import schema", "not import scenarios"),
        (wrong_rooms, "scenarios/a.py", "from exporter.a import b", "must not import exporter"),
        (wrong_rooms, "documents/a.py", "from simulator.a import b", "must not import simulator"),
        (wrong_rooms, "verifier/a.py", "def f():\n  import agentaskit_sim", ":2: verifier"),
        (wrong_rooms, "scenarios/a.py", "if X:\n  from verifier.x import y", "verifier"),
        (wrong_rooms, "scenarios/a.py", "from . import schema", "must not import ."),
        (wrong_rooms, "agentaskit_sim/a.py", "from tests.x import y", "import tests"),
        (impurities, "simulator/a.py", "from time import perf_counter", "must not use time"),
        (impurities, "simulator/faults/a.py", "import numpy, random", "must not use random"),
        (impurities, "simulator/a.py", "def f():\n    print(1)", "must not use print"),
        (metric_names, "verifier/a.py", "q = 'sum(http_requests_total)'", "http_requests_total"),
        (metric_names, "scenarios/a.py", "x = f'agentaskit_task{n}'", "agentaskit_task must"),
        (metric_names, "exporter/a.py", "x = ['node_cpu_seconds_total']", "node_cpu_seconds_total"),
    ],
)  # fmt: skip
def test_a_planted_violation_is_reported(rule, path, source, complaint):
    """Each rule reports its violation, with its line."""
    (line,) = rule(path, source)
    assert line.startswith(f"{path}:")
    assert complaint in line


@pytest.mark.parametrize(
    ("rule", "path", "source"),
    [
        (wrong_rooms, "verifier/a.py", "import exporter, scenarios.schema, numpy"),
        (impurities, PACER, "import asyncio"),
        (impurities, "exporter/a.py", "import asyncio"),
        (metric_names, CATALOGUE, "x = 'http_requests_total'"),
        (metric_names, "verifier/a.py", '"""Reads http_requests_total."""\nx = "agentaskit_sim"'),
    ],
)
def test_what_is_allowed_is_not_reported(rule, path, source):
    """Rooms below, the pacer, the catalogue, docstrings and the program's own name."""
    assert rule(path, source) == []


HOUSE = {
    "simulator/__init__.py": "",
    "simulator/world.py": "",
    "verifier/__init__.py": "",
    "verifier/errors.py": "",
    "verifier/pack/__init__.py": "",
    "verifier/pack/rules.py": "from verifier import errors\nimport simulator.world",
    "verifier/servers/__init__.py": "",
    "verifier/servers/child.py": "from verifier.pack.rules import load",
}
DRAWING = """```arrows
verifier.errors
verifier.pack -> simulator, verifier.errors
verifier.servers -> verifier.pack
```"""


def test_a_small_tree_matches_its_arrows():
    """Folders and modules beside them are units; another room is one target."""
    assert wrong_arrows(read_drawing(DRAWING), read_arrows(HOUSE)) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("verifier/pack/rules.py", "import verifier.servers.child", "verifier.pack: ARCHI"),
        ("verifier/errors.py", "from verifier.pack import rules", "verifier.errors: ARCHI"),
        ("verifier/pack/rules.py", "import simulator.world", "must say 'verifier.pack -> sim"),
        ("verifier/report/text.py", "from verifier.errors import X", "verifier.report: ARCHI"),
        ("verifier/servers/child.py", "def f():\n  import exporter.a", "verifier.servers: ARCHI"),
    ],
    ids=["back", "to the ground", "an arrow that is gone", "a new room", "inside a function"],
)  # fmt: skip
def test_an_arrow_that_is_not_drawn_is_reported(path, source, complaint):
    """Planted in the small house: an arrow more, an arrow less, a unit more."""
    more = {"exporter/a.py": "", "verifier/report/__init__.py": ""}
    planted = {**HOUSE, **more, path: source}
    if "report" not in path:
        del planted["verifier/report/__init__.py"]
    assert any(
        complaint in line for line in wrong_arrows(read_drawing(DRAWING), read_arrows(planted))
    )


def test_an_arrow_that_points_down_is_refused_even_if_it_is_drawn():
    """Drawing a circle does not make it right."""
    source = (
        "from verifier.servers import child\nfrom verifier import errors\nimport simulator.world"
    )
    planted = {**HOUSE, "verifier/pack/rules.py": source}
    drawn = DRAWING.replace("verifier.pack -> ", "verifier.pack -> verifier.servers, ")
    (complaint,) = wrong_arrows(read_drawing(drawn), read_arrows(planted))
    assert complaint == "verifier.pack: must not import verifier.servers, listed below it"


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"verifier/errors.py": "if TYPE_CHECKING:\n  from verifier.pack.rules import R"},
         "verifier/errors.py: imports verifier/pack/rules.py, which imports it"),
        ({"verifier/errors.py": "import verifier.servers.child"},
         "verifier/errors.py: is in a circle, or imports one"),
    ],
    ids=["of two", "of three"],
)  # fmt: skip
def test_a_circle_of_modules_is_reported(more, complaint):
    """Planted in the small house, which has none."""
    assert circles(HOUSE) == []
    assert complaint in circles({**HOUSE, **more})
