"""What the house style asks of every module, tests included: its size, names, reasons, place.

Each rule returns its complaints as lines, and each is shown a planted violation.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import pytest

from tests.syntax import nodes

ROOMS = ("documents", "charts", "simulator", "exporter", "scenarios", "verifier", "agentaskit_sim")
CODE = (*ROOMS, "benchmarks")
TESTS = ("tests", "tools")
KERNEL = "simulator/kernel/loop.py"
"""One file by need: numba's cache watches only the file of the compiled entry."""
MODULES_MAX, LINES_MAX, FUNCTION_LINES_MAX, POSITIONAL_MAX = 12, 350, 50, 4
SUPPRESSION = re.compile(r"#\s*(?:type: ignore\[[\w\-, ]+\]|noqa: [A-Z0-9, ]+)")
REASON = re.compile(r"[-#] .*\w+ \w+")
UNWAITED = {"count", "is_visible", "is_hidden", "is_enabled", "is_checked", "get_attribute"}
UNWAITED |= {"inner_text", "all_inner_texts", "text_content", "all_text_contents", "input_value"}
"""What playwright answers of a page at once."""
NAMED_MODULE = re.compile(rf"`((?:{'|'.join((*ROOMS, *TESTS))})(?:\.\w+)+)`")
RETIRED = {
    "Tempo", "Around", "Alone", "Kept", "Begun", "Wanted", "Elsewhere", "Heard", "Seen", "Witness",
    "Told", "Case", "Met", "PathCounts", "Struck", "Declared", "Mark", "Amount", "Stretch", "Aim",
    "Drawn", "Depths", "Lived", "Warm", "Drive", "tempo", "told", "heard", "witness", "struck",
    "aim", "deed", "lived", "relive", "live_past", "take_aim", "clip", "efficacy",
    "found", "wanted", "given", "one",
}  # fmt: skip
"""Names that the glossary replaced, and words that stand for no thing."""

Sources = Mapping[str, str]


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a module."""
    for node in nodes(source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def crowded_folders(sources: Sources) -> list[str]:
    """Return a line for each folder of more than `MODULES_MAX` modules, `__init__` left out."""
    counts = Counter(
        str(PurePosixPath(path).parent) for path in sources if not path.endswith("/__init__.py")
    )
    return [
        f"{folder}: {count} modules, at most {MODULES_MAX}"
        for folder, count in sorted(counts.items())
        if count > MODULES_MAX
    ]


def long_modules(sources: Sources) -> list[str]:
    """Return a line for each module longer than `LINES_MAX`, the kernel left out."""
    lengths = {path: len(text.splitlines()) for path, text in sources.items() if path != KERNEL}
    return [
        f"{path}: {length} lines, at most {LINES_MAX}"
        for path, length in lengths.items()
        if length > LINES_MAX
    ]


def long_functions(sources: Sources) -> list[str]:
    """Return a line for each function longer than `FUNCTION_LINES_MAX`, the kernel left out."""
    return [
        f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES_MAX}"
        for path, text in sources.items()
        if path != KERNEL
        for node in functions(text)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]


def shared_class_names(sources: Sources) -> list[str]:
    """Return a line for each class name that stands for more than one class."""
    places: dict[str, list[str]] = {}
    for path, text in sources.items():
        for node in nodes(text):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{path}:{node.lineno}")
    return [f"{name}: {', '.join(at)}" for name, at in places.items() if len(at) > 1]


def shadowed_modules(sources: Sources) -> list[str]:
    """Return a line for each module that is called as one of the standard library."""
    return [
        f"{path}: the standard library has a module of this name"
        for path in sources
        if PurePosixPath(path).stem in sys.stdlib_module_names and "__" not in path
    ]


def retired_names(sources: Sources) -> list[str]:
    """Return a line for each definition or variable that has a retired name."""
    return [
        f"{path}:{line}: {name}"
        for path, text in sources.items()
        for line, name in sorted(set(defined_names(text)))
        if name.strip("_") in RETIRED
    ]


def defined_names(text: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of everything that a module names: definitions, parameters, variables."""
    for node in nodes(text):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def bare_suppressions(sources: Sources) -> list[str]:
    """Return a line for each `type: ignore` or `noqa` without a reason on its line."""
    complaints = []
    for path, text in sources.items():
        if not SUPPRESSION.search(text):
            continue  # to take a module apart takes a hundred times as long
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and SUPPRESSION.search(token.string):
                rest = SUPPRESSION.sub("", token.string)
                if not REASON.search(rest):
                    complaints.append(f"{path}:{token.start[0]}: {token.string}")
    return complaints


def names_of_nothing(sources: Sources) -> list[str]:
    """Return a line for each module, class or function named in a text that does not exist."""
    modules = {path.removesuffix(".py").replace("/", ".") for path in sources}
    modules |= {module.removesuffix(".__init__") for module in modules}
    members = {
        f"{path.removesuffix('.py').replace('/', '.')}.{name}"
        for path, text in sources.items()
        for _, name in defined_names(text)
    }
    return [
        f"{path}: `{match[1]}` does not exist"
        for path, text in sources.items()
        for match in NAMED_MODULE.finditer(text)
        if match[1] not in modules | members
    ]


def many_positional(sources: Sources) -> list[str]:
    """Return a line for each function with more than `POSITIONAL_MAX` positional parameters."""
    complaints = []
    for path, text in sources.items():
        for node in functions(text):
            names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)]
            count = len([name for name in names if name not in {"self", "cls"}])
            if count > POSITIONAL_MAX and path != KERNEL:
                complaints.append(f"{path}:{node.lineno}: {node.name} has {count}")
    return complaints


def strange_places(sources: Sources) -> list[str]:
    """Return a line for each folder of tests of a room that mirrors no folder or module of it."""
    folders = {str(PurePosixPath(path).parent) for path in sources}
    return [
        f"{folder}: there is no {mirrored}"
        for folder in sorted(folders)
        if (mirrored := folder.removeprefix("tests/")) != folder
        and mirrored.partition("/")[0] in CODE
        and mirrored not in folders
        and f"{mirrored}.py" not in sources
    ]


def unwaited_readings(sources: Sources) -> list[str]:
    """Return a line for each assertion of a browser test on what a page shows at that instant.

    It may be drawn a moment later, on another machine; playwright's `expect` waits for it.
    """
    return [
        f"{path}:{call.lineno}: {call.func.attr}, where `expect` would wait"
        for path, text in sources.items()
        if path.startswith("tests/browser/")
        for node in nodes(text)
        if isinstance(node, ast.Assert)
        for call in ast.walk(node.test)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in UNWAITED
        and not (call.func.attr == "count" and call.args)
    ]


SIZES = (crowded_folders, long_modules, long_functions)
NAMES = (shared_class_names, shadowed_modules, retired_names)
OF_CODE = (*SIZES, *NAMES, bare_suppressions, names_of_nothing, many_positional)
OF_TESTS = (*SIZES, *NAMES, bare_suppressions, unwaited_readings)
"""Without `many_positional`: a test receives its fixtures and parameters by name."""
OF_ALL = (names_of_nothing, strange_places)


def read_modules(repository: Path, folders: tuple[str, ...]) -> dict[str, str]:
    """Return path and text of every module below these folders."""
    sources = {
        file.relative_to(repository).as_posix(): file.read_text(encoding="utf-8")
        for folder in folders
        for file in sorted((repository / folder).rglob("*.py"))
    }
    assert {path.partition("/")[0] for path in sources} == set(folders)
    return sources


@pytest.mark.parametrize("rule", OF_CODE)
def test_the_code_keeps_the_rule(rule, repository):
    """No module, no function and no name breaks it."""
    assert rule(read_modules(repository, CODE)) == []


@pytest.mark.parametrize("rule", OF_TESTS)
def test_the_tests_keep_the_rule(rule, repository):
    """Tests, their helpers and the tools are held to it as well."""
    assert rule(read_modules(repository, TESTS)) == []


@pytest.mark.parametrize("rule", OF_ALL)
def test_code_and_tests_agree(rule, repository):
    """What one names of the other is there, and tests stand where their subject stands."""
    assert rule(read_modules(repository, (*CODE, *TESTS))) == []


def naming(module: str) -> str:
    """Return a text that names a module, or something in it."""
    return f'"""See `{module}`."""'


LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 50


@pytest.mark.parametrize(
    ("rule", "sources", "complaint"),
    [
        (crowded_folders, {f"verifier/pack/m{i}.py": "" for i in range(13)}, "13 modules"),
        (long_modules, {"verifier/a.py": "\n" * 351}, "351 lines"),
        (long_functions, {"verifier/a.py": LONG_FUNCTION}, "a.py:1: f has 51 lines"),
        (shared_class_names, {"a.py": "class P: ...", "b.py": "class P: ..."}, "P: a.py:1, b.py:1"),
        (shadowed_modules, {"verifier/token.py": ""}, "verifier/token.py"),
        (retired_names, {"a.py": "class Heard: ..."}, "a.py:1: Heard"),
        (retired_names, {"a.py": "def f(told): ..."}, "a.py:1: told"),
        (retired_names, {"a.py": "for one in x: ..."}, "a.py:1: one"),
        (retired_names, {"a.py": "self._tempo = 1"}, "a.py:1: _tempo"),
        (bare_suppressions, {"a.py": "x = 1  # noqa: S101"}, "a.py:1"),
        (bare_suppressions, {"a.py": "x = 1  # type: ignore[misc]"}, "a.py:1"),
        (names_of_nothing, {"verifier/a.py": naming("verifier.b")}, "verifier.b"),
        (names_of_nothing, {"verifier/a.py": naming("verifier.a.gone")}, "gone"),
        (names_of_nothing, {"tests/test_a.py": naming("verifier.b")}, "tests/test_a.py"),
        (strange_places, {"verifier/a.py": "", "tests/verifier/old/test_a.py": ""}, "verifier/old"),
        (many_positional, {"a.py": "def f(a, b, c, d, e): ..."}, "a.py:1: f has 5"),
        (unwaited_readings, {"tests/browser/a.py": "assert it.count() == 1"}, "a.py:1: count"),
    ],
)  # fmt: skip
def test_a_planted_violation_is_reported(rule, sources, complaint):
    """Each rule reports its violation, with its place."""
    (line,) = rule(sources)
    assert complaint in line


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        (crowded_folders, {f"verifier/pack/m{i}.py": "" for i in range(12)}),
        (long_modules, {KERNEL: "\n" * 2000}),
        (bare_suppressions, {"a.py": "x = 1  # noqa: S101 - the type checker cannot know"}),
        (bare_suppressions, {"a.py": "# type: ignore of a whole file is another thing"}),
        (names_of_nothing, {"verifier/a.py": naming("verifier.a.f") + "\ndef f(): ..."}),
        (strange_places, {"verifier/pack/a.py": "", "tests/verifier/pack/test_a.py": ""}),
        (strange_places, {"tests/trials/test_a.py": "", "tests/test_a.py": ""}),
        (many_positional, {"a.py": "def f(self, a, b, c, d, *, e): ..."}),
        (unwaited_readings, {"tests/browser/a.py": "expect(it).to_have_count(1)"}),
        (unwaited_readings, {"tests/test_a.py": "assert text.count('a') == 1"}),
    ],
)
def test_what_is_allowed_is_not_reported(rule, sources):
    """Exactly at a limit; the one file of the kernel; a suppression with its reason."""
    assert rule(sources) == []
