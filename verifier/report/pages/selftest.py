"""The page of the controls: what is wrong in each on purpose, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.controls.control_result import WORDS, holds, result_lines
from verifier.report.pages.result_page import Badge, ResultCell, ResultPage, ResultTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.controls.control_result import ControlResult


def selftest_page(results: Sequence[ControlResult], engine: str) -> ResultPage:
    """Return the page of some results, judged with `engine`."""
    *_, last = result_lines(results)
    badge = Badge("pass", "pass") if holds(results) else Badge("fail", "fail")
    return ResultPage(
        "selftest",
        badge,
        f"{last.partition(': ')[2]}; {engine}",
        (
            ResultTable(
                "Controls",
                ("Control", "Wrong on purpose", "Result", "Status", "Reasons", "Must be"),
                [
                    (
                        each.control.name,
                        each.control.wrong,
                        ResultCell(WORDS[each.result], "good" if each.result == "ok" else "bad"),
                        str(each.status),
                        "; ".join(each.reasons) or "-",
                        f"status {each.control.status}: {each.control.reason or 'a pass'}",
                    )
                    for each in results
                ],
            ),
        ),
    )
