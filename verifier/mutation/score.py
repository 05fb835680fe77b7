"""How many mutants were killed, and which survived: for people and as a document.

Made by `mutate` when all scenarios are judged. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from documents.amounts import amount
from exporter.metrics.catalogue import WORLD
from verifier.mutation.equivalence import proof_of
from verifier.mutation.killing import MutatedScenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from exporter.metrics.series import Metric
    from simulator.snapshot import Snapshot
    from verifier.judge.verdict import ScenarioOutcome
    from verifier.mutation.edits import MutantKind
    from verifier.mutation.equivalence import ScrapedTargets
    from verifier.mutation.mutants import Mutant
    from verifier.pack.rules import RecordingRule

VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("score.schema.json")


@dataclass(frozen=True, slots=True)
class MutationScore:
    """Every mutant with the scenarios that kill it, in the order of both.

    `proofs` says of each mutant why it is its rule in every history, None where that is open: what
    is equivalent counts neither as killed nor as survived. `failing` are alerts that fail a
    scenario without any edit, by the scenario: there they kill nothing. `unjudged` says why
    scenarios could not be judged, by their names, `unedited` why recording rules were not edited.
    """

    mutants: tuple[Mutant, ...]
    killers: tuple[tuple[str, ...], ...]
    proofs: tuple[str | None, ...]
    failing: tuple[tuple[str, str], ...] = ()
    unjudged: tuple[tuple[str, str], ...] = ()
    unedited: tuple[tuple[RecordingRule, str], ...] = ()

    @property
    def killed(self) -> int:
        """How many mutants at least one scenario kills."""
        return sum(bool(names) for names in self.killers)

    @property
    def share(self) -> float:
        """The share of mutants that are killed, 0..1, without the equivalent; 1 without any."""
        counted = len(self.mutants) - len(self.equivalent)
        return self.killed / counted if counted else 1.0

    @property
    def equivalent(self) -> tuple[tuple[Mutant, str], ...]:
        """The mutants that are their rule in every history, each with the proof."""
        rows = zip(self.mutants, self.killers, self.proofs, strict=True)
        # A scenario that kills one has disproved its proof.
        return tuple((mutant, proof) for mutant, names, proof in rows if proof and not names)

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """The mutants that no scenario kills, without the equivalent."""
        rows = zip(self.mutants, self.killers, self.proofs, strict=True)
        return tuple(mutant for mutant, names, proof in rows if not names and not proof)

    def by_kind(self) -> dict[MutantKind, tuple[int, int]]:
        """Return for each kind of edit how many are killed, and of how many not equivalent ones."""
        counted: dict[MutantKind, tuple[int, int]] = {}
        for mutant, names, proof in zip(self.mutants, self.killers, self.proofs, strict=True):
            if proof and not names:
                continue
            killed, of = counted.get(mutant.kind, (0, 0))
            counted[mutant.kind] = killed + bool(names), of + 1
        return counted


def score_of(
    mutants: Sequence[Mutant],
    outcomes: Sequence[ScenarioOutcome],
    metrics: tuple[Metric[Snapshot], ...] = WORLD,
    *,
    targets: ScrapedTargets | None = None,
) -> MutationScore:
    """Put together what every scenario killed, in a world whose exporter shows `metrics`.

    `targets` are what they scrape; without any there is one.
    """
    judged = [each for each in outcomes if isinstance(each, MutatedScenario) and not each.invalid]
    return MutationScore(
        tuple(mutants),
        tuple(
            tuple(each.name for each in judged if number in each.killed)
            for number in range(len(mutants))
        ),
        tuple(proof_of(mutant, metrics, targets=targets) for mutant in mutants),
        tuple(
            (outcome.name, alert)
            for outcome in judged
            for alert in dict.fromkeys(v.alert for v in outcome.alerts if not v.ok)
        ),
        tuple((each.name, "; ".join(each.invalid)) for each in outcomes if each not in judged),
    )


def score_lines(score: MutationScore) -> Iterator[str]:
    """Yield the survivors of each alert with their places, then what could not count, the score."""
    last = None
    for mutant in score.survivors:
        if (subject := _subject(mutant)) != last:
            last = subject
            yield subject
        yield f"  {mutant.kind}: {mutant.change}"
    for mutant, proof in score.equivalent:
        yield f"equivalent: {_subject(mutant)}: {mutant.change}: {proof}"
    for rule, reason in score.unedited:
        yield f"not edited: {rule.record} ({rule.position.path}:{rule.position.line}): {reason}"
    for scenario, alert in score.failing:
        yield f"{scenario}: {alert} fails without any edit, so it kills nothing there"
    for scenario, reason in score.unjudged:
        yield f"{scenario}: not judged: {reason}"
    of = amount(len(score.mutants) - len(score.equivalent), "mutants")
    survived = f"{len(score.survivors):,} survived"
    besides = f"; {len(score.equivalent):,} more are equivalent" if score.equivalent else ""
    yield f"SCORE: {score.share:.1%}: {score.killed:,} of {of} killed, {survived}{besides}"


def _subject(mutant: Mutant) -> str:
    """Return what was edited, with its place."""
    return f"{mutant.subject} ({mutant.rule.position.path}:{mutant.rule.position.line})"


def score_document(score: MutationScore) -> dict[str, Any]:
    """Return the score as `score.schema.json` describes it."""
    rows = zip(score.mutants, score.killers, score.proofs, strict=True)
    return {
        "version": VERSION,
        "score": round(score.share, 6),
        "killed": score.killed,
        "survived": len(score.survivors),
        "equivalent": len(score.equivalent),
        "kinds": {
            kind: {"killed": killed, "of": of} for kind, (killed, of) in score.by_kind().items()
        },
        "mutants": [
            {
                "alert": mutant.alert,
                "record": mutant.record,
                "group": mutant.group.name,
                "file": mutant.rule.position.path,
                "line": mutant.rule.position.line,
                "kind": mutant.kind,
                "before": mutant.before,
                "after": mutant.after,
                "killed_by": list(names),
                "equivalent": None if names else proof,
            }
            for mutant, names, proof in rows
        ],
        "not_edited": [
            {
                "record": rule.record,
                "file": rule.position.path,
                "line": rule.position.line,
                "reason": reason,
            }
            for rule, reason in score.unedited
        ],
        "failing": [{"scenario": scenario, "alert": alert} for scenario, alert in score.failing],
        "not_judged": [{"scenario": name, "reason": reason} for name, reason in score.unjudged],
    }
