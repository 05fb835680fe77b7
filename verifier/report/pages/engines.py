"""The page of two engines compared: which alerts differ, where and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from verifier.changes.timelines import change_text
from verifier.engines.comparison import all_cause_lines, comparison_lines, why_lines
from verifier.report.pages.result_page import (
    STYLES,
    Badge,
    ResultCell,
    ResultList,
    ResultPage,
    ResultTable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.engines.comparison import EngineComparison
    from verifier.report.pages.result_page import Mood

    Row = tuple[ResultCell | str, ...]

WORDS: Final = {0: "same", 1: "different", 3: "invalid"}


def engines_page(comparison: EngineComparison, *, status: int) -> ResultPage:
    """Return the page of a comparison that ended with `status`."""
    names = comparison.engines or ("the first engine", "the second")
    scenarios = comparison.scenarios
    *_, last = comparison_lines(comparison)
    return ResultPage(
        "verify",
        Badge(WORDS[status], STYLES[status]),
        last.partition(": ")[2],
        (
            ResultList(
                "Not compared", [f"{n}: {why}" for n, why in comparison.unjudged], fails=True
            ),
            ResultTable(
                "Differences",
                ("Alert", "Scenario", "Labels", "What differs", "Why"),
                list(_differences(comparison, names)),
            ),
            ResultList("What the differences come from", all_cause_lines(comparison, names)),
            ResultTable(
                "Rules that an engine cannot evaluate",
                ("Engine", "Scenario", "Rule"),
                [
                    (name, each.scenario, ResultCell(line, "bad"))
                    for each in scenarios
                    for name, lines in zip(names, each.unfollowed, strict=True)
                    for line in lines
                ],
            ),
            ResultTable(
                "Alerts that fail in one engine alone",
                ("Alert", "Scenario", "Fails what is expected in"),
                list(_failing(comparison, names)),
            ),
            ResultTable(
                "Scenarios",
                ("Scenario", "Alerts ever active", "That differ"),
                [_counts(each.scenario, len(each.changes), len(each.differing))
                 for each in scenarios],
            ),
        ),
    )  # fmt: skip


def _differences(comparison: EngineComparison, names: tuple[str, ...]) -> Iterator[Row]:
    for scenario in comparison.scenarios:
        for change in scenario.differing:
            said = change_text(change, before=f"in {names[0]}", after=f"in {names[1]}")
            labels = ", ".join(f'{name}="{text}"' for name, text in change.labels)
            why = "; ".join(why_lines(scenario, change, names))
            mood: Mood = "warn" if change in scenario.unexplained else ""
            yield (change.alert, scenario.scenario, labels, said, ResultCell(why, mood))


def _failing(comparison: EngineComparison, names: tuple[str, ...]) -> Iterator[Row]:
    for scenario in comparison.scenarios:
        first, second = map(set, scenario.failing)
        yield from ((alert, scenario.scenario, names[0]) for alert in sorted(first - second))
        yield from ((alert, scenario.scenario, names[1]) for alert in sorted(second - first))


def _counts(scenario: str, active: int, differing: int) -> Row:
    return (scenario, f"{active:,}", ResultCell(f"{differing:,}", "bad" if differing else "good"))
