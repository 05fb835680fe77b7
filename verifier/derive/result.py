"""What was derived of some rule files: counts, lines for people, and the published document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from documents.amounts import amount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.derive.solving import Solution
    from verifier.errors import NotJudged

VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("derived.schema.json")


@dataclass(frozen=True, slots=True)
class Derived:
    """The solutions of all alerts, and what could not even be read; `suite` is the test file."""

    solutions: tuple[Solution, ...]
    not_judged: tuple[NotJudged, ...]
    suite: str

    @property
    def solved(self) -> int:
        """How many alerts fire, nearly fire, resolve and go absent, promtool agreeing."""
        return sum(each.solved for each in self.solutions)

    @property
    def has_errors(self) -> bool:
        """Whether the search for some alert ended by an error, which says nothing of its rule."""
        return any(each.error for each in self.solutions)

    @property
    def of(self) -> int:
        """How many alerts there are, those among them that could not be read."""
        return len(self.solutions) + len(self.not_judged)

    @property
    def share(self) -> float:
        """The share that is solved, 0..1; 1 without any."""
        return self.solved / self.of if self.of else 1.0


def derived_lines(derived: Derived) -> Iterator[str]:
    """Yield what could not be solved, with its place and why, then the count."""
    for solution in derived.solutions:
        for reason in solution.unsolved:
            place = solution.rule.position
            yield f"{place.path}:{place.line}: {solution.rule.alert} is not solved: {reason}"
    for item in derived.not_judged:
        yield f"{item.place}: {item.subject} is not solved: {item.reason}"
    tests = amount(sum(len(each.tests) for each in derived.solutions), "tests")
    yield (
        f"DERIVED: {derived.share:.1%}: {derived.solved:,} of {amount(derived.of, 'alerts')}"
        f" solved, {tests}, promtool agrees with each"
    )


def derived_document(derived: Derived) -> dict[str, Any]:
    """Return the result as `derived.schema.json` describes it."""
    return {
        "version": VERSION,
        "share": round(derived.share, 6),
        "solved": derived.solved,
        "alerts": [
            {
                "alert": solution.rule.alert,
                "file": solution.rule.position.path,
                "line": solution.rule.position.line,
                "solved": solution.solved,
                "tests": [{"kind": test.kind, "name": test.name} for test in solution.tests],
                "unsolved": list(solution.unsolved),
                "error": solution.error or None,
            }
            for solution in derived.solutions
        ],
        "not_read": [
            {"subject": item.subject, "reason": item.reason, "place": str(item.place)}
            for item in derived.not_judged
        ],
        "suite": derived.suite,
    }
