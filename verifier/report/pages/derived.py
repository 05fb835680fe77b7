"""The page of derived tests: of each alert what was solved, and of what was not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from verifier.report.pages.result_page import (
    ResultCell,
    ResultList,
    ResultPage,
    ResultTable,
    below,
    placed,
    score_badge,
)

if TYPE_CHECKING:
    from verifier.derive.result import Derived
    from verifier.derive.solving import Solution
    from verifier.derive.timelines import TestKind

    Row = tuple[ResultCell | str, ...]

KINDS: Final[dict[TestKind, str]] = {
    "fires": "fires, resolves",
    "threshold": "near threshold",
    "for": "near for",
    "absent": "absent data",
}


def derived_page(derived: Derived, *, status: int, fail_under: float | None = None) -> ResultPage:
    """Return the page of what was derived, which ended with `status`."""
    tests = amount(sum(len(each.tests) for each in derived.solutions), "tests")
    solved = f"{derived.solved:,} of {amount(derived.of, 'alerts')} solved"
    return ResultPage(
        "derive",
        score_badge(derived.share, status, fail_under),
        f"{solved}, {tests}, promtool agrees with each{below(derived.share, fail_under)}",
        (
            ResultList(
                "Not read",
                [f"{each.place}: {each.subject}: {each.reason}" for each in derived.not_judged],
                fails=True,
            ),
            ResultTable(
                "Not solved",
                ("Alert", "Reason"),
                [
                    (placed(each.rule.alert, each.rule.position), reason)
                    for each in derived.solutions
                    for reason in each.unsolved
                ],
            ),
            ResultTable(
                "Tests by alert",
                ("Alert", *KINDS.values(), "Solved"),
                [_solution(each) for each in derived.solutions],
                "How many unit tests promtool agrees with.",
            ),
        ),
    )


def _solution(solution: Solution) -> Row:
    kinds = [test.kind for test in solution.tests]
    return (
        placed(solution.rule.alert, solution.rule.position),
        *(f"{kinds.count(kind):,}" if kind in kinds else "-" for kind in KINDS),
        ResultCell("yes", "good") if solution.solved else ResultCell("no", "bad"),
    )
