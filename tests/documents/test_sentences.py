"""Every kind of problem has a sentence, made in one place and read back by nobody."""

from __future__ import annotations

import ast
from typing import get_args

import pytest

from documents.mistake_kinds import (
    BrokenRule,
    DuplicateKey,
    InvalidSyntax,
    MissingKey,
    Problem,
    RefusedKey,
    Remark,
    RepeatedName,
    Shown,
    UnknownKey,
    UnknownName,
    UnknownWord,
    UnreadableFile,
)
from documents.sentences import (
    LINE_LETTERS_MAX,
    did_you_mean,
    in_one_line,
    write_sentence,
)
from tests.syntax import nodes

SENTENCES = [
    (BrokenRule("load.rate", "be above 0", -1), "load.rate must be above 0, got -1"),
    (BrokenRule("x", "be text", None), "x must be text, got nothing"),
    (BrokenRule("x", "be text", value=False), "x must be text, got false"),
    (BrokenRule("x", "be text", [1]), "x must be text, got a list"),
    (BrokenRule("x", "be text", {}), "x must be text, got a mapping"),
    (BrokenRule("x", "be a number", "y" * 80), f"x must be a number, got '{'y' * 56}..."),
    (BrokenRule("x", "be short", Shown(90.0, "1m30s")), "x must be short, got 1m30s"),
    (BrokenRule("the file", "be short"), "the file must be short"),
    (UnknownWord("p", "c", ("a",)), "p must be 'a', got 'c'"),
    (UnknownWord("p", 3, ("a", "b", "c")), "p must be 'a', 'b' or 'c', got 3"),
    (
        UnknownWord("p", "aab", ("aaa", "b")),
        "p must be 'aaa' or 'b', got 'aab', did you mean 'aaa'?",
    ),
    (
        UnknownWord("p", "word8", tuple(f"word{i}" for i in range(7))),
        "p must be one of the known words, got 'word8', did you mean 'word6'?",
    ),
    (
        UnknownWord("p", "zz", tuple("abcdefg")),
        "p must be 'a', 'b', 'c', 'd', 'e', 'f' or 'g', got 'zz'",
    ),
    (UnknownKey("sede", ("seed", "name")), "unknown key 'sede', did you mean 'seed'?"),
    (UnknownKey("x", ("seed", "name")), "unknown key 'x', the keys are seed, name"),
    (UnknownKey("share", ()), "unknown key 'share', there are no keys here"),
    (RefusedKey("drop", "targets", "tiers"), "drop takes no targets, got tiers"),
    (RefusedKey("leak", "targets", "x", ("a", "b")), "leak takes no targets but a, b, got x"),
    (MissingKey("seed"), "the key 'seed' is missing"),
    (MissingKey("target", "load.stages[0]"), "the key 'target' is missing in load.stages[0]"),
    (MissingKey("cause", hint=": name 'a' or 'b'"), "the key 'cause' is missing: name 'a' or 'b'"),
    (DuplicateKey("seed", 3), "duplicate key 'seed', first given in line 3"),
    (UnknownName("tier", "mirco", ("micro",)), "no tier is called 'mirco', did you mean 'micro'?"),
    (UnknownName("tier", "x", ("a", "b")), "no tier is called 'x', the names are a, b"),
    (
        UnknownName("tier", "mirco", ("micro",), ", see `list`"),
        "no tier is called 'mirco', did you mean 'micro'?",
    ),
    (
        UnknownKey("x", tuple("abcdefghijklm")),
        "unknown key 'x', the keys are a, b, c, d, e, f, g, h, i, j, k, l and 1 more",
    ),
    (
        UnknownKey("x", tuple("abcdefghijkl")),
        "unknown key 'x', the keys are a, b, c, d, e, f, g, h, i, j, k, l",
    ),
    (BrokenRule("x", "be a number", "y" * 58), f"x must be a number, got '{'y' * 58}'"),
    (
        UnknownWord("p", "aw8", tuple(f"aw{i}" for i in range(6))),
        "p must be 'aw0', 'aw1', 'aw2', 'aw3', 'aw4' or 'aw5', got 'aw8', did you mean 'aw5'?",
    ),
    (UnknownName("tier", "x", ()), "no tier is called 'x', none is defined"),
    (UnknownName("tier", "x", ("a",), ", see `list`"), "no tier is called 'x', see `list`"),
    (RepeatedName("receiver", "pager"), "the receiver 'pager' is given twice"),
    (InvalidSyntax("expr", "PromQL", "no closing )"), "expr is not PromQL: no closing )"),
    (UnreadableFile("no such file"), "no such file"),
    (UnreadableFile("no such file", "trace 'a'"), "trace 'a': no such file"),
    (Remark("a rule must not fix its time"), "a rule must not fix its time"),
]


@pytest.mark.parametrize(("problem", "sentence"), SENTENCES)
def test_each_kind_of_problem_has_its_sentence(problem, sentence):
    """Exactly, since people read and paste it."""
    assert write_sentence(problem) == sentence


def test_no_kind_is_without_a_row_above():
    """A new kind needs its sentence and a row; without a sentence it is a type error as well."""
    assert {type(problem) for problem, _ in SENTENCES} == set(get_args(Problem))


def test_a_near_word_is_offered_and_a_far_one_is_not():
    """Case does not matter for nearness."""
    assert did_you_mean("Mirco", ["micro", "board"]) == ", did you mean 'micro'?"
    assert did_you_mean("micro", ["MIRCO"]) == ", did you mean 'MIRCO'?"
    assert did_you_mean("MICRO", ["micro"]) == ", did you mean 'micro'?"
    assert did_you_mean("zzz", ["micro", "board"]) == ""
    assert did_you_mean("mist", ["micro"]) == ""


def test_a_word_may_be_as_long_as_is_compared():
    """Longer ones cost time, and were no slip."""
    assert did_you_mean("a" * 80, ["a" * 79]) != ""
    assert did_you_mean("a" * 81, ["a" * 80]) == ""


def test_a_line_is_one_line_and_bounded():
    """Its beginning says where and its end what was expected; breaks in it become a space."""
    assert in_one_line("a  \n\n b\tc") == "a b\\tc"
    assert in_one_line("x" * LINE_LETTERS_MAX) == "x" * LINE_LETTERS_MAX
    assert in_one_line("a" * 350 + "b" * 200) == "a" * 350 + " ... " + "b" * 145


def test_a_part_of_a_word_is_near_and_so_is_a_word_with_more_around_it():
    """From four letters on: fewer are in many words by chance."""
    known = ["traffic-drop", "sandbox-leak", "dependency-outage"]
    assert did_you_mean("leak", known) == ", did you mean 'sandbox-leak'?"
    assert did_you_mean("the-sandbox-leak-of-the-library", known) == did_you_mean("leak", known)
    assert did_you_mean("age", known) == ""
    assert did_you_mean("the-storage-of-the-library", ["age"]) == ""


READERS = {"partition", "rpartition", "split", "startswith", "endswith", "find", "removeprefix"}
PATTERNS = {"match", "search", "fullmatch", "findall", "sub"}
ERRORS = {"error", "mistake", "problem", "refusal"}


def is_sentence(node):
    """Return whether an expression is the text of an error of ours: `str(error)`, `x.sentence`."""
    if isinstance(node, ast.Attribute):
        return node.attr == "sentence"
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "str"
        and any(isinstance(argument, ast.Name) and argument.id in ERRORS for argument in node.args)
    )


def read_back(source):
    """Return the lines that take the text of an error apart or look for something in it."""
    lines = []
    for node in nodes(source):
        suspects = []
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            suspects = node.comparators
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in READERS:
                suspects = [node.func.value]
            elif node.func.attr in PATTERNS:
                suspects = [*node.args, node.func.value]
        lines += [node.lineno for suspect in suspects if is_sentence(suspect)]
    return lines


def test_no_code_reads_a_sentence_back(repository):
    """Whoever needs to know what is wrong has the problem itself."""
    rooms = (
        "documents",
        "charts",
        "simulator",
        "exporter",
        "scenarios",
        "verifier",
        "agentaskit_sim",
    )
    modules = [path for room in rooms for path in (repository / room).rglob("*.py")]
    assert len(modules) > 100
    assert {str(path): lines for path in modules if (lines := read_back(path.read_text()))} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "if 'out of bounds' in str(error): pass",
        "rule = str(error).partition(' must be ')[2]",
        "words = re.findall('x', mistake.sentence)",
        "if mistake.sentence.startswith('unknown key'): pass",
    ],
)
def test_a_sentence_that_is_read_back_would_be_detected(planted):
    """The planted fault of the test above."""
    assert read_back(planted) == [1]
