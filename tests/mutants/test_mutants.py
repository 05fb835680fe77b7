"""The mutants themselves: what is changed, what is left alone, who is noticed and who is not."""

from __future__ import annotations

import ast
import json

import pytest

from tests.mutants import __main__ as command
from tests.mutants.mutations import draw, mutants_of
from tests.mutants.rooms import KERNEL, ROOMS, Room, Stage
from tests.mutants.trials import Copy, Limits, TriedMutant
from tests.syntax import parse

CHANGES = [
    ("x = a < b", {"a <= b", "a >= b"}),
    ("x = a in b", {"a not in b"}),
    ("x = 3", {"4", "(2)"}),
    ("x = 0", {"1"}),
    ("x = True", {"False"}),
    ("x = a + b", {"a - b"}),
    ("x = (a + b) // c", {"(a + b) * c", "a - b"}),
    ("x = a and b", {"a or b"}),
    ("x = not a", {"bool(a)"}),
    ("x = min(a, b)", {"max(a, b)"}),
    ("x = f(a, b)", {"f(b, a)"}),
    ("x = f('a', b)", set()),
    ("x = f(a, a)", set()),
    ("x = a if b else c", {"True", "False"}),
    ("x = [a for a in b if c]", {"True"}),
    ("x[i] = a", {"pass"}),
    ("x += a", {"pass", "x -= a"}),
    ("f(a)", {"pass"}),
    ("if a: b = c", {"True", "False"}),
    ("while a: b = c", {"False"}),
    ("while a: break", {"False", "continue"}),
    ("def f(a=1) -> int: return a", {"2", "(0)", "return None"}),
    ("def f(a: Bound(1, 2)) -> Bound(3): return True", {"False"}),
    ("def f():\n    'It adds 1.'\n    raise E(1 + a)", set()),
    ("assert a < b", set()),
    ("x = f'{a + b}'", set()),
    ("@d(1)\nclass A(B(2)):\n    x: C(3) = a", set()),
    ("A, B = range(2)", set()),
    ("if TYPE_CHECKING: a = 1", set()),
]
"""What may stand in the place of something, by the text of a module."""


@pytest.mark.parametrize(("text", "expected"), CHANGES, ids=[change[0] for change in CHANGES])
def test_each_kind_of_change_is_made_where_it_may_be(text, expected):
    """Nothing else of the text is touched, and what comes of it is Python."""
    mutants = mutants_of("m.py", text)
    assert {mutant.new for mutant in mutants} == expected
    for mutant in mutants:
        assert mutant.apply(text) == text.replace(mutant.old, mutant.new, 1)


def test_a_place_is_counted_in_letters_of_any_width():
    """Positions of the syntax tree are in bytes."""
    (mutant,) = mutants_of("m.py", "äö = 'ü'; x = 'é' + y\n")
    assert mutant.apply("äö = 'ü'; x = 'é' + y\n") == "äö = 'ü'; x = 'é' - y\n"


def test_a_mutant_says_where_it_is():
    """File, line, function, and the change in one line, however long the expression was."""
    text = (
        "class A:\n    def f(self):\n        return (\n            a\n            + b\n        )\n"
    )
    assert str(mutants_of("m.py", text)[-1]) == "m.py:4 (A.f): a + b  ->  a - b"


def test_a_seed_draws_the_same_mutants_and_no_two_of_a_line(repository):
    """Of a real room; each is Python and means another thing."""
    modules = ROOMS["recorder"].modules(repository)
    drawn = draw(modules, 20, "7")
    assert drawn == draw(modules, 20, "7")
    assert drawn != draw(modules, 20, "8")
    assert len({(mutant.path, mutant.line) for mutant in drawn}) == 20
    for mutant in drawn:
        changed = ast.parse(mutant.apply(modules[mutant.path]))
        assert ast.dump(changed) != ast.dump(parse(modules[mutant.path]))
    assert len(draw({"m.py": "x = 1\ny = 2\n"}, 40, "7")) == 2


@pytest.mark.parametrize("name", ROOMS)
def test_every_module_has_tests_that_exist_the_quickest_first(name, repository):
    """The tests of a module, then those of its folder, then what the room lists by hand."""
    room = ROOMS[name]
    for path in room.modules(repository):
        assert room.stages(path, repository)
    for stage in room.beyond:
        assert all((repository / test).exists() for test in stage.tests), stage
    if name == "simulator":
        assert not any(stage.compiled for stage in room.stages(KERNEL, repository))


MODULE = """\
def lowered(number):
    return number - 1


def raised(number):
    return number + 1
"""
LOOP = """
def counted(number):
    while number:
        number -= 1
    return number
"""
TESTS = """\
from room.module import lowered


def test_it():
    assert lowered(12) == 11
"""
STAGE = Stage(("tests/room/test_module.py",))


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a small tree of a room, its module and its tests, which need no plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    for name, text in (("room/module.py", MODULE), ("tests/room/test_module.py", TESTS)):
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return tmp_path / "tree"


def try_change(tree, change, limit_s=60):
    """Try the mutant of the small module with this change; return who noticed it."""
    text = (tree / "room" / "module.py").read_text()
    mutants = {f"{each.old}->{each.new}": each for each in mutants_of("room/module.py", text)}
    copy = Copy(tree)
    try:
        return copy.try_mutant(mutants[change], (STAGE,), Limits({STAGE: limit_s})).noticed_by
    finally:
        copy.remove()
        assert not copy.folder.exists()
        assert (tree / "room" / "module.py").read_text() == text


@pytest.mark.ci
def test_a_mutant_of_tested_code_is_noticed_and_one_of_untested_code_survives(tree):
    """By the test's name; the tree itself stays as it is."""
    noticed_by = try_change(tree, "number - 1->number + 1")
    assert noticed_by == "tests/room/test_module.py::test_it"
    assert try_change(tree, "number + 1->number - 1") == ""


@pytest.mark.ci
def test_what_never_ends_is_noticed_by_its_time(tree):
    """Of the processor: other work of the machine is no reason."""
    (tree / "room" / "module.py").write_text(MODULE + LOOP)
    test = "from room.module import counted\n\n\ndef test_it():\n    assert counted(3) == 0\n"
    (tree / "tests" / "room" / "test_module.py").write_text(test)
    assert try_change(tree, "number -= 1->pass", limit_s=1) == "time"


def test_tests_that_fail_without_a_mutant_end_the_run(tree, capsys):
    """Nothing could be learned from them."""
    (tree / "tests" / "room" / "test_module.py").write_text("def test_it():\n    assert False\n")
    room = Room("room", ())
    assert command.main(["--root", str(tree), "--count", "1"], {"small": room}) == 2
    assert "without a mutant: tests/room/test_module.py::test_it" in capsys.readouterr().out


@pytest.mark.ci
def test_a_run_prints_score_and_survivors_and_writes_them(tree, tmp_path, capsys):
    """Status 1 with a survivor; `--again` tries nothing else."""
    report = tmp_path / "report.json"
    options = ["--root", str(tree), "--count", "2", "--seed", "1", "--jobs", "1"]
    assert command.main([*options, "--json", str(report)], {"small": Room("room", ())}) == 1
    printed = capsys.readouterr().out
    (entry,) = json.loads(report.read_text())["rooms"].values()
    assert (entry["tried"], entry["noticed"], entry["score"]) == (2, 1, 0.5)
    (survivor,) = entry["survivors"]
    assert "raised" in survivor
    assert f"survived: {survivor}" in printed
    assert "50 %" in printed
    again = command.parse([*options, "--again", str(report)], {"small": Room("room", ())})
    assert [str(each) for each in command.drawn("small", Room("room", ()), again)] == [survivor]


def test_a_change_that_nobody_could_see_is_not_counted(tmp_path, monkeypatch):
    """It stands in a file with its reason, by place and change; another of that line is counted."""
    first, second = mutants_of("m.py", "x = 3")
    known = {"path": "m.py", "where": "module", "old": "3", "new": first.new, "why": "no matter"}
    file = tmp_path / "equivalent.json"
    file.write_text(json.dumps([known]))
    monkeypatch.setattr(command, "EQUIVALENT", file)
    outcomes = {"room": [TriedMutant(first, "", 1.0), TriedMutant(second, "a test", 1.0)]}
    report = command.report_of(outcomes, 0)["rooms"]["room"]
    assert (report["score"], report["equivalent"]) == (1.0, {str(first): "no matter"})
    outcomes["room"][1] = TriedMutant(second, "", 1.0)
    assert command.report_of(outcomes, 0)["rooms"]["room"]["survivors"] == [str(second)]


def test_every_excuse_has_a_reason_and_its_code_is_still_there(repository):
    """An excuse whose line was changed is to be read again."""
    for known in json.loads(command.EQUIVALENT.read_text()):
        assert len(known["why"]) > 20, known
        mutants = mutants_of(known["path"], (repository / known["path"]).read_text("utf-8"))
        changes = {(mutant.where, mutant.old, mutant.new) for mutant in mutants}
        assert (known["where"], known["old"], known["new"]) in changes, known
