"""What came of each control, beside what must: for people and as a document.

Made by `selftest` from the outcomes of the judge of `verify`. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.controls.control import Control
    from verifier.judge.verdict import ScenarioOutcome

VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("selftest.schema.json")
LETTERS_MAX: Final = 160
"""Of a reason that is printed; the document has all of it."""
WORDS: Final = {
    "ok": "ok",
    "false_pass": "FALSE PASS",
    "other_reason": "other reason",
    "must_pass": "MUST PASS",
}
Result = Literal["ok", "false_pass", "other_reason", "must_pass"]


@dataclass(frozen=True, slots=True)
class ControlResult:
    """The status with which a control ended, and every reason that was given for it."""

    control: Control
    status: int
    reasons: tuple[str, ...]

    @property
    def result(self) -> Result:
        """Whether it ended as it must, for its own reason and for no other."""
        if self.control.status == 0:
            return "ok" if self.status == 0 else "must_pass"
        if self.status == 0:
            return "false_pass"
        is_stated = self.reasons and all(self.control.reason in each for each in self.reasons)
        return "ok" if is_stated and self.status == self.control.status else "other_reason"


def reasons_of(outcome: ScenarioOutcome) -> tuple[str, ...]:
    """Return every reason why an outcome is no pass: of the run, of its alerts, of its panels."""
    return (
        *outcome.invalid,
        *(f"{each.subject}: {each.reason}" for each in outcome.not_judged
          if each.keeps_from_passing),
        *(f"{each.alert}: {each.reason}" for each in outcome.alerts if not each.ok),
        *(f"{each.panel}: {each.reason}" for each in outcome.panels if not each.ok),
    )  # fmt: skip


def holds(results: Sequence[ControlResult]) -> bool:
    """Whether every control ended as it must; no control at all proves nothing."""
    return bool(results) and all(each.result == "ok" for each in results)


def result_lines(results: Sequence[ControlResult]) -> Iterator[str]:
    """Yield two lines for each control: what is wrong on purpose, and what came of it."""
    for each in results:
        yield f"{WORDS[each.result]:13} {each.control.name}: {each.control.wrong}"
        yield f"{'':13} status {each.status}{_reason(each)}"
        if each.result == "other_reason":
            yield f"{'':13} must be status {each.control.status}: {each.control.reason}"
        if each.result != "ok":
            yield f"{'':13} by hand: agentaskit-sim {each.control.command}"
    good = sum(each.result == "ok" for each in results)
    false = sum(each.result == "false_pass" for each in results)
    word = "PASS" if holds(results) else "FAIL"
    of = f"{good} of {len(results)} controls"
    yield f"{word}: {of} end as they must, {false} passed that must fail"


def selftest_document(results: Sequence[ControlResult], engine: str) -> dict[str, Any]:
    """Return the results as `selftest.schema.json` describes them."""
    return {
        "version": VERSION,
        "verdict": "pass" if holds(results) else "fail",
        "engine": engine,
        "controls": [
            {
                "name": each.control.name,
                "wrong": each.control.wrong,
                "result": each.result,
                "status": each.status,
                "reasons": list(each.reasons),
                "must": {"status": each.control.status, "reason": each.control.reason},
                "command": each.control.command,
            }
            for each in results
        ],
    }


def _reason(result: ControlResult) -> str:
    if not result.reasons:
        return ""
    reason = result.reasons[0]
    more = len(result.reasons) - 1
    cut = reason if len(reason) <= LETTERS_MAX else reason[: LETTERS_MAX - 4] + " ..."
    return f": {cut}" + (f" (and {more} more)" if more else "")
