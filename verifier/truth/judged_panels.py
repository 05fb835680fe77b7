"""Panels compared with the world: an answer that disagrees is not ok, and says why in a sentence.

Called by the judge of virtual time with the answers of its Prometheus.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verifier.panels.answers import PanelComparison
from verifier.truth.comparison import compared_instants
from verifier.truth.mismatch import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verifier.panels.answers import PanelAnswer
    from verifier.truth.comparison import TruthOfRun
    from verifier.truth.declared import PanelTruth


def compared(
    answers: Iterable[PanelAnswer], truths: Sequence[PanelTruth], run: TruthOfRun
) -> tuple[PanelAnswer, ...]:
    """Return the answers, those of which a truth is declared compared with the world."""
    whole = []
    for answer in answers:
        truth = next((truth for truth in truths if truth.is_of(answer)), None)
        if truth is None or not answer.ok or not answer.series:
            whole.append(answer)
            continue
        instants = tuple(compared_instants(answer, truth, run))
        reason = reason_of(answer, truth, instants, run)
        at_s = tuple(each.shown.at_s for each in instants)
        whole.append(
            replace(
                answer,
                ok=not reason,
                reason=reason or answer.reason,
                truth=PanelComparison(truth.words, at_s, reason),
            )
        )
    return tuple(whole)
