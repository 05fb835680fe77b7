"""Verdicts on dashboard panels: whether each query returned a result, or need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verifier.judge.verdict import PanelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenarios.scenario import Acceptance
    from verifier.panels.answers import PanelAnswer
    from verifier.truth.declared import PanelTruth


def panel_verdicts(
    answers: Iterable[PanelAnswer], accepted: Sequence[Acceptance] = ()
) -> tuple[PanelVerdict, ...]:
    """Return a verdict on each query of the panels; a failure that is `accepted` is none."""
    reasons = {acceptance.subject: acceptance.reason for acceptance in accepted}
    return tuple(_verdict(answer, reasons) for answer in answers)


def _verdict(answer: PanelAnswer, accepted: Mapping[str, str]) -> PanelVerdict:
    dashboard, title = answer.panel.dashboard, answer.panel.title
    # A panel that is drawn for each choice of a variable is accepted by the title in the file, too.
    written = answer.panel.raw.get("title")
    names = [f"{dashboard} / {text}" for text in (title, written)]
    reason = next((accepted[name] for name in names if name in accepted), None)
    return PanelVerdict(
        dashboard=dashboard,
        panel=title,
        query=answer.query.expr,
        ok=answer.ok or reason is not None,
        reason=answer.reason,
        accepted=None if answer.ok else reason,
        truth=answer.truth,
    )


def verdicts_on_unasked(
    truths: Iterable[PanelTruth], answers: Sequence[PanelAnswer], accepted: Sequence[Acceptance]
) -> tuple[PanelVerdict, ...]:
    """Return a verdict on each query that a panel should have and has not: it shows nothing."""
    reasons = {acceptance.subject: acceptance.reason for acceptance in accepted}
    return tuple(
        PanelVerdict(
            dashboard=truth.dashboard,
            panel=truth.panel,
            query="",
            ok=truth.subject in reasons,
            reason=f"no query of it shows {truth.words}: was its target removed?",
            accepted=reasons.get(truth.subject),
        )
        for truth in truths
        if not any(truth.is_of(answer) for answer in answers)
    )
