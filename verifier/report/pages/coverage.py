"""The page of a coverage: alerts by cells, what is open and why, and every proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from verifier.coverage.cells import CELLS, TITLES
from verifier.coverage.score import table_rows
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
    from collections.abc import Iterator

    from verifier.coverage.score import Coverage
    from verifier.report.pages.result_page import Mood

    Row = tuple[ResultCell | str, ...]

MOODS: Final[dict[str, Mood]] = {"proven": "good", "open": "bad", "explained": "calm"}


def coverage_page(
    coverage: Coverage, *, status: int, fail_under: float | None = None
) -> ResultPage:
    """Return the page of a coverage that ended with `status`."""
    of, open_ = amount(len(coverage.cells), "cells"), coverage.count("open")
    explained = coverage.count("explained")
    counts = f"{coverage.count('proven'):,} of {of} proven, {explained:,} explained, {open_:,} open"
    return ResultPage(
        "coverage",
        score_badge(coverage.share, status, fail_under),
        f"{counts}{below(coverage.share, fail_under)}",
        (
            ResultList(
                "Not judged", [f"{name}: {why}" for name, why in coverage.unjudged], fails=True
            ),
            ResultList(
                "Not accepted",
                [
                    f"{name}: {alert}: {why}, so it proves nothing there"
                    for name, alert, why in coverage.failing
                ],
                fails=True,
            ),
            ResultTable(
                "Alerts and cells",
                ("Alert", *TITLES.values()),
                list(_matrix(coverage)),
                "The first scenario that proves a cell, and how many do besides.",
            ),
            ResultTable(
                "Open cells",
                ("Alert", "Open", "Shown, though no expectation holds it"),
                list(_open(coverage)),
            ),
            ResultTable("Reasons", ("Alert", "Cell", "Reason"), list(_reasons(coverage))),
            ResultTable(
                "Proofs",
                ("Alert", "Cell", "Scenario", "Shown"),
                list(_proofs(coverage)),
                folded=True,
            ),
        ),
    )


def _matrix(coverage: Coverage) -> Iterator[Row]:
    for number, (alert, *texts) in enumerate(table_rows(coverage)):
        own = coverage.cells[number * len(CELLS) :]
        yield (
            alert,
            *(
                ResultCell(text.lower() if cell.state == "open" else text, MOODS[cell.state])
                for cell, text in zip(own, texts, strict=False)
            ),
        )


def _open(coverage: Coverage) -> Iterator[Row]:
    """Yield a row for each alert with open cells."""
    for start in range(0, len(coverage.cells), len(CELLS)):
        own = [c for c in coverage.cells[start : start + len(CELLS)] if c.state == "open"]
        if own:
            names = ", ".join(TITLES[cell.cell] for cell in own)
            shown = [
                f"{TITLES[cell.cell]}: {name}: {text}" for cell in own for name, text in cell.unheld
            ]
            rule = own[0].rule
            yield (placed(rule.alert, rule.position), names, "; ".join(shown) or "-")


def _reasons(coverage: Coverage) -> Iterator[Row]:
    """Yield why cells cannot be proven, and reasons beside a proof."""
    for cell in coverage.cells:
        if cell.reason is not None:
            reason = ResultCell(cell.reason)
            if cell.proofs:
                reason = ResultCell(f"{cell.reason}, yet {cell.proofs[0][0]} proves it", "warn")
            yield (cell.rule.alert, TITLES[cell.cell], reason)


def _proofs(coverage: Coverage) -> Iterator[Row]:
    for cell in coverage.cells:
        for name, text in cell.proofs:
            yield (cell.rule.alert, TITLES[cell.cell], name, text)
