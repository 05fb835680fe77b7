"""Solves every alert of some rule files at once, each by its own search.

Called by the command. The searches go on side by side: what all of them ask in a round goes to
promtool in one file, so that a hundred alerts take as many starts as one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from math import gcd
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from documents.mistakes import InputError
from verifier.derive.problem import STEPS_MAX, AlertProblem, problem_leaves, timing_of
from verifier.derive.promtool import ask_promtool
from verifier.derive.search import NoWorld, WorldSearch
from verifier.derive.timelines import TestMaker
from verifier.errors import JudgeError, internal_error, shows_tracebacks
from verifier.pack.rule_writer import rule_document
from verifier.promql.parsing import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from verifier.derive.promtool import Answers, Question
    from verifier.derive.search import Worlds
    from verifier.derive.series.leaves import Recordings
    from verifier.derive.timelines import DerivedTest
    from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles

    Solving: TypeAlias = "Generator[list[Question], list[Answers], Solution]"

SHORTEST_STEP_S: Final = 15


@dataclass(frozen=True, slots=True)
class Solution:
    """The tests of one alert, and what could not be solved of it, with the reasons.

    `error` is what ended its search, where that is no answer of the rule's.
    """

    rule: AlertRule
    tests: tuple[DerivedTest, ...] = ()
    unsolved: tuple[str, ...] = ()
    error: str = ""

    @property
    def solved(self) -> bool:
        """Whether it fires, resolves, nearly fires and goes absent."""
        return not self.unsolved


def evaluation_s(rules: RuleFiles) -> float:
    """Return how often the tests evaluate: so that half of every `for` is a whole number of steps.

    promtool knows one interval for a whole file, whatever a group says.
    """
    halves = [round(rule.for_s / 2) for _, rule in rules.alerts if rule.for_s >= 1]
    intervals = [round(group.interval_s) for group in rules.groups if group.interval_s >= 1]
    common = reduce(gcd, [*halves, *intervals], 60)
    return float(max(common, SHORTEST_STEP_S))


def recorded(rules: RuleFiles) -> dict[str, Any]:
    """Return the recording rules alone, as a rule file."""
    groups = []
    for number, group in enumerate(rules.groups):
        own = [rule for rule in group.rules if any(rule is each for _, each in rules.recordings)]
        if own:
            name = f"{number} {group.name}"
            groups.append({"name": name, "rules": [rule_document(rule) for rule in own]})
    return {"groups": groups} if groups else {}


def solve_alerts(
    rules: RuleFiles, alerts: Sequence[AlertRule], progress: Callable[[str], None]
) -> list[Solution]:
    """Return the solution of each of `alerts`, rules of `rules`."""
    step_s = evaluation_s(rules)
    documents = recorded(rules)
    recordings: dict[str, tuple[RecordingRule, ...]] = {}
    for _, recording in rules.recordings:
        name = recording.record
        recordings[name] = (*recordings.get(name, ()), recording)
    every = [rule for _, rule in rules.alerts]
    results: dict[int, Solution] = {}
    searches: dict[int, Solving] = {}
    for number, rule in enumerate(alerts):
        namesakes = tuple(each for each in every if each.alert == rule.alert)
        searches[number] = _contained(rule, _solve(rule, namesakes, recordings, step_s))
    pending = _sent(searches, dict.fromkeys(searches), results)
    while pending:
        questions = [each for batch in pending.values() for each in batch]
        progress(f"{len(results)} of {len(alerts)} alerts done, {len(questions)} questions ...")
        answers = iter(ask_promtool(questions, documents, step_s))
        replies = {number: [next(answers) for _ in batch] for number, batch in pending.items()}
        pending = _sent(searches, replies, results)
    return [results[number] for number in range(len(alerts))]


def _sent(
    searches: Mapping[int, Solving],
    replies: Mapping[int, list[Answers] | None],
    results: dict[int, Solution],
) -> dict[int, list[Question]]:
    """Go on with each search; return what it asks next, and put what has ended into `results`."""
    asked: dict[int, list[Question]] = {}
    for number, reply in replies.items():
        try:
            # A generator that has not begun takes None alone.
            asked[number] = searches[number].send(reply)  # type: ignore[arg-type]  # see above
        except StopIteration as end:
            results[number] = end.value
    return asked


def _contained(rule: AlertRule, solving: Solving) -> Solving:
    """Go on with a search; what it raises, a user's mistake aside, is said of its alert alone."""
    try:
        return (yield from solving)
    except InputError:
        raise
    except JudgeError as error:
        reason = str(error)
    except Exception as error:
        if shows_tracebacks():
            raise
        reason = internal_error(error)
    return Solution(rule, unsolved=(reason,), error=reason)


def _solve(
    rule: AlertRule, namesakes: tuple[AlertRule, ...], recordings: Recordings, step_s: float
) -> Solving:
    tree = parse(rule.expr)
    leaves = problem_leaves(tree, recordings)
    problem = AlertProblem(rule, namesakes, tree, leaves, recordings, timing_of(leaves, step_s))
    start = Solution(rule)
    if problem.wait_steps > STEPS_MAX:
        return replace(start, unsolved=("its `for` is too long to be waited for in a test",))
    search = WorldSearch(problem)
    worlds = yield from search.run()
    if isinstance(worlds, NoWorld):
        return replace(start, unsolved=(worlds.reason,))
    tests: list[DerivedTest] = []
    unsolved: list[str] = []
    for number, each in enumerate(worlds):
        made, missing = yield from _tests(search.problem, each, number)
        tests += made
        unsolved += [] if number else missing
    return replace(start, tests=tuple(tests), unsolved=tuple(unsolved))


def _tests(
    problem: AlertProblem, worlds: Worlds, number: int
) -> Generator[list[Question], list[Answers], tuple[list[DerivedTest], list[str]]]:
    """Return the tests of one way in which the alert fires, and what could not be shown."""
    if not worlds.nears:
        return [], ["nothing beside its threshold keeps it silent"]
    maker = TestMaker(problem, worlds, f", way {number + 1}" if number else "")
    parts = [("fires and resolves", maker.fires())]
    parts += [("near its threshold", maker.threshold(n)) for n in range(len(worlds.nears))]
    if problem.wait_steps:
        parts.append(("near its `for`", maker.almost_long_enough()))
    if not number:
        parts.append(("absent", maker.absent()))
    tests, missing = [], []
    for what, trying in parts:
        test = yield from trying
        if test is None:
            missing.append(f"no series were found that show it {what}")
        else:
            tests.append(test)
    return tests, missing
