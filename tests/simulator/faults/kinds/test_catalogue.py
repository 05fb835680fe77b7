"""A kind of fault stands in one place; where a part of it is removed, something fails by name."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pkgutil import iter_modules

import pytest

from simulator.faults import kinds
from simulator.faults.kinds import catalogue
from simulator.faults.kinds.catalogue import FAULTS, SCRAPE_PATH_FAULTS
from simulator.faults.parameters import Parameters, parameter_facts
from tests.simulator.faults.samples import SAMPLES
from tests.syntax import nodes

PARTS = {
    "magnitude": ("def magnitude(", "def removed("),
    "compose": ("def compose(", "def removed("),
    "declare": ("def declare(", "def removed("),
    "measures": ("def measures(", "def removed("),
    "count_scrape": ("def count_scrape(", "def removed("),
    "compressed": ("Uncompressed)", "Parameters)"),
}
"""Each part that a kind must have, and the change of its source that removes it."""
SOURCES = {name: inspect.getsource(kind) for name, kind in FAULTS.items()}


def changed(kind, old, new):
    """Return a kind whose source has `new` for the first `old`, as its module would define it."""
    source = SOURCES[kind.facts.name].replace(old, new, 1)
    module = {**vars(sys.modules[kind.__module__]), "Parameters": Parameters}
    code = compile(f"from __future__ import annotations\n{source}", kind.__module__, "exec")
    exec(code, module)  # noqa: S102 - the repository's own source
    return module[kind.__name__]


def concrete_kinds():
    """Return every class of the modules of `kinds` that could be a fault."""
    modules = [
        import_module(f"{kinds.__name__}.{entry.name}") for entry in iter_modules(kinds.__path__)
    ]
    return {
        member
        for module in modules
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, Parameters)
        and not inspect.isabstract(member)
    }


def unlisted(faults):
    """Return the classes that could be a fault and have no line among `faults`."""
    return concrete_kinds() - set(faults.values())


def test_every_kind_has_a_line_in_the_catalogue_and_a_name_of_its_own():
    """A class without its line is missing, and so is one whose name another class has."""
    assert unlisted(FAULTS) == set()
    assert len(FAULTS) == len(concrete_kinds())
    assert all(kind.facts.name == name for name, kind in FAULTS.items())


@pytest.mark.parametrize("name", FAULTS)
def test_a_line_that_is_removed_from_the_catalogue_is_missed(name):
    """The class is found in its module: there is no second list to keep."""
    rest = {other: kind for other, kind in FAULTS.items() if other != name}
    assert unlisted(rest) == {FAULTS[name]}


@pytest.mark.parametrize("name", FAULTS)
def test_every_kind_has_a_sample_and_a_test_of_its_own(name, repository):
    """Sample parameters for the tests of all kinds, and a test in the module of its family."""
    assert name in SAMPLES
    family = FAULTS[name].__module__.rpartition(".")[2]
    path = repository / "tests" / "simulator" / "faults" / "kinds" / f"test_{family}.py"
    text = path.read_text(encoding="utf-8")
    assert f"def test_{name}" in text or f'("{name}", ' in text


@pytest.mark.sampled(40)
@pytest.mark.parametrize(
    ("name", "part"),
    [(name, part) for name in FAULTS for part, (old, _) in PARTS.items() if old in SOURCES[name]],
)
def test_a_kind_without_one_of_its_parts_cannot_be_made(name, part):
    """The error names the class and the part; nothing goes on without it."""
    whole, lacking = FAULTS[name], changed(FAULTS[name], *PARTS[part])
    assert whole(**SAMPLES[name]).facts.name == name
    with pytest.raises(TypeError, match=f"abstract class {lacking.__name__} .*{part}"):
        lacking(**SAMPLES[name])


def test_every_kind_has_each_part_in_its_class_or_in_its_family():
    """What the test above does not remove, because the class inherits it, is inherited by rule."""
    for name, source in SOURCES.items():
        inherited = {part for part, (old, _) in PARTS.items() if old not in source}
        allowed = {"count_scrape"}
        if name in SCRAPE_PATH_FAULTS:
            allowed = {"declare", "measures"}
        if "def compressed(" in source:
            allowed.add("compressed")
        assert inherited <= allowed, name


@pytest.mark.parametrize("name", FAULTS)
def test_a_kind_without_its_facts_is_refused_by_the_catalogue(name):
    """Name, targets, unit and documentation: it cannot even be imported."""
    with pytest.raises(AttributeError, match="facts"):
        catalogue._by_name(changed(FAULTS[name], "facts:", "removed:"))


def test_a_parameter_without_its_bound_or_its_meaning_is_refused():
    """The field is named; a parameter that anybody may set to anything is no parameter."""
    declared = 'Annotated[Share, "of arrivals that never come"]'
    for undeclared in ("float", "Share", 'Annotated[float, "of arrivals"]'):
        lacking = changed(FAULTS["traffic_drop"], declared, undeclared)
        with pytest.raises(TypeError, match=r"TrafficDrop\.share must have a Bound and a meaning"):
            lacking(share=0.5)
        with pytest.raises(TypeError, match=r"TrafficDrop\.share"):
            parameter_facts(lacking)


@pytest.mark.long  # a whole run of mypy, which `make check` makes as well
def test_a_kind_without_one_of_its_parts_is_a_type_error(repository, tmp_path):
    """Mypy refuses it in the line of the catalogue, before anything runs."""
    program = tmp_path / "planted.py"
    program.write_text(
        "from simulator.faults.kinds.catalogue import _by_name\n"
        "from simulator.faults.kinds.traffic import TrafficDrop\n"
        "from simulator.faults.parameters import Uncompressed\n"
        "class Incomplete(Uncompressed):\n"
        "    pass\n"
        "_by_name(TrafficDrop)\n"
        "_by_name(Incomplete)\n"
    )
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(program)]
    run = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    (error,) = run.stdout.splitlines()
    assert ":7: error: Only concrete class can be given" in error


SCRAPE_VALUES = {"ScrapeOutcome", "ScrapeSums", "ScrapeEffect"}
"""What the exporter fills in and adds up for the faults of the scrape path."""


def kinds_known_elsewhere(path, source):
    """Return a line for each kind that a module imports, though it need not know any."""
    return [
        f"{path}:{node.lineno}: {alias.name} is for its family and the catalogue alone"
        for node in nodes(source)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(kinds.__name__)
        if node.module != catalogue.__name__
        for alias in node.names
        if alias.name not in SCRAPE_VALUES
    ]


def test_no_other_module_names_a_kind(repository):
    """What a kind does differently stands in its class, so no code asks which kind a fault is."""
    rooms = ("charts", "simulator", "exporter", "scenarios", "verifier", "agentaskit_sim")
    paths = [
        path.relative_to(repository) for room in rooms for path in (repository / room).rglob("*.py")
    ]
    assert len(paths) > 100
    family = f"{kinds.__name__.replace('.', '/')}/"
    knowing = [
        line
        for path in map(str, paths)
        if not path.startswith(family)
        for line in kinds_known_elsewhere(path, (repository / path).read_text(encoding="utf-8"))
    ]
    assert knowing == []


def test_a_module_that_names_a_kind_is_detected():
    """The form in which the judge once asked for leaks, and the loader for bursts of series."""
    source = "from simulator.faults.kinds.resources import MemoryLeak\n"
    (line,) = kinds_known_elsewhere("verifier/real_time/observation.py", source)
    assert line.startswith("verifier/real_time/observation.py:1: MemoryLeak is for its family")
    allowed = "from simulator.faults.kinds.scrape_path import ScrapeOutcome\n"
    assert kinds_known_elsewhere("exporter/history/recorder.py", allowed) == []
