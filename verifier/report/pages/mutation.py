"""The page of a mutation score: what survives, by kind of edit and by alert, and who kills."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

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
    from collections.abc import Iterator

    from verifier.mutation.mutants import Mutant
    from verifier.mutation.score import MutationScore

    Row = tuple[ResultCell | str, ...]

COUNTED = ("Killed", "Of", "Score")


def mutation_page(
    score: MutationScore, *, status: int, fail_under: float | None = None
) -> ResultPage:
    """Return the page of a score that ended with `status`."""
    of = amount(len(score.mutants) - len(score.equivalent), "mutants")
    headline = f"{score.killed:,} of {of} killed, {len(score.survivors):,} survived"
    return ResultPage(
        "mutate",
        score_badge(score.share, status, fail_under),
        f"{headline}{below(score.share, fail_under)}",
        (
            ResultList(
                "Not judged", [f"{name}: {why}" for name, why in score.unjudged], fails=True
            ),
            ResultList(
                "Fails without any edit",
                [f"{name}: {alert}, so it kills nothing there" for name, alert in score.failing],
                fails=True,
            ),
            ResultTable(
                "Survivors",
                ("Alert", "Edit", "Before", "After"),
                [_survivor(mutant) for mutant in score.survivors],
                "Edits that no scenario notices: what the expectations leave open.",
            ),
            ResultTable("By kind of edit", ("Edit", *COUNTED), list(_by_kind(score))),
            ResultTable("By alert", ("Alert", *COUNTED), list(_by_alert(score))),
            ResultTable(
                "By scenario",
                ("Scenario", "Kills", "That no other kills"),
                list(_by_scenario(score)),
                "The last column is what nobody would notice without it.",
            ),
            ResultTable(
                "Equivalent",
                ("Alert", "Before", "After", "Proof"),
                [
                    (_subject(mutant), _code(mutant.before), _code(mutant.after), proof)
                    for mutant, proof in score.equivalent
                ],
                "Edits that are their rule in every history: they count neither way.",
            ),
            ResultTable(
                "Recording rules that were not edited",
                ("Recording", "Reason"),
                [(placed(rule.record, rule.position), reason) for rule, reason in score.unedited],
            ),
        ),
    )


def _survivor(mutant: Mutant) -> Row:
    return (_subject(mutant), mutant.kind, _code(mutant.before), _code(mutant.after))


def _subject(mutant: Mutant) -> ResultCell:
    return placed(mutant.subject, mutant.rule.position)


def _by_kind(score: MutationScore) -> Iterator[Row]:
    for kind, (killed, of) in score.by_kind().items():
        yield (kind, *_counted(killed, of))


def _by_alert(score: MutationScore) -> Iterator[Row]:
    """Yield a row for each alert or group, in the order of the mutants."""
    equal = {id(mutant) for mutant, _ in score.equivalent}
    killed: Counter[ResultCell] = Counter()
    of: Counter[ResultCell] = Counter()
    for mutant, names in zip(score.mutants, score.killers, strict=True):
        if id(mutant) not in equal:
            subject = _subject(mutant)
            of[subject] += 1
            killed[subject] += bool(names)
    for subject, count in of.items():
        yield (subject, *_counted(killed[subject], count))


def _by_scenario(score: MutationScore) -> Iterator[Row]:
    kills = Counter(name for names in score.killers for name in names)
    alone = Counter(names[0] for names in score.killers if len(names) == 1)
    for name, count in kills.most_common():
        yield (name, f"{count:,}", f"{alone[name]:,}")


def _counted(killed: int, of: int) -> Row:
    share = ResultCell(
        f"{killed / of:.0%}", "good" if killed == of else "warn" if killed else "bad"
    )
    return (f"{killed:,}", f"{of:,}", share)


def _code(text: str) -> ResultCell:
    return ResultCell(text, code=True)
