"""How many scenarios pass and what the alerts did: the last line of a run, in every form of it.

Read by terminal, summary, page and `explain`. It judges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from verifier.judge.verdict import INTERRUPTED, overall
from verifier.report.alert_states import SILENT, alert_states, names_in
from verifier.report.panel_lists import accepted_panels
from verifier.seeds.naming import is_of_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import ScenarioOutcome, Verdict
    from verifier.report.alert_states import State

OUTCOMES: Final[dict[Verdict, str]] = {
    "pass": "passes",
    "fail": "fails",
    "invalid": "could not be judged in full",
}
_PLURALS: Final[dict[Verdict, str]] = {
    "pass": "pass",
    "fail": "fail",
    "invalid": "could not be judged in full",
}


def verdict_line(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return the verdict and its counts: `PASS: 2 of 2 scenarios pass; 1 alert fired ...`."""
    return f"{overall(outcomes).upper()}: {counts(outcomes)}"


def headline(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Say of how many scenarios the verdict is true, which needs no counts to be understood."""
    verdict = overall(outcomes)
    names = [outcome.name for outcome in outcomes if outcome.verdict == verdict]
    if len(outcomes) == 1:
        return f"{names[0]} {OUTCOMES[verdict]}"
    if len(names) == len(outcomes):
        return f"All {amount(len(names), _nouns(outcomes))} {_PLURALS[verdict]}"
    does = OUTCOMES[verdict] if len(names) == 1 else _PLURALS[verdict]
    return f"{len(names)} of {amount(len(outcomes), _nouns(outcomes))} {does}"


def counts(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return how many scenarios pass, and how many alerts did what; none is counted twice."""
    passed = sum(outcome.verdict == "pass" for outcome in outcomes)
    # Silence in all of several scenarios shows of no alert that it can fire.
    silent = "stayed silent" if len(outcomes) == 1 else "fired in no scenario"
    numbers = [
        (silent if what == "stayed silent" else what, len(names))
        for what, names in _alerts(outcomes).items()
        if names
    ]
    if not numbers:
        numbers = [("fired as expected", 0)]
    (first, number), *others = numbers
    parts = [f"{amount(number, 'alerts')} {first}", *(f"{many} {what}" for what, many in others)]
    failed = [p for outcome in outcomes for p in outcome.panels if not p.ok]
    untrue = {(p.dashboard, p.panel) for p in failed if p.is_untrue}
    mute = {(p.dashboard, p.panel) for p in failed} - untrue
    panels = [f"{amount(len(mute), 'panels')} did not answer"] if mute else []
    panels += [f"{amount(len(untrue), 'panels')} not as in the world"] if untrue else []
    if accepted := accepted_panels(outcomes):
        panels.append(f"{amount(len(accepted), 'panels')} did not answer, as accepted")
    scenarios = f"{passed} of {len(outcomes)} {_nouns(outcomes)} pass"
    left = sum(INTERRUPTED in outcome.invalid for outcome in outcomes)
    cut = [f"the run was interrupted: {left} of {len(outcomes)} not judged"] if left else []
    return "; ".join((scenarios, *cut, ", ".join(parts), *panels))


def _nouns(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return what outcomes are of: the runs of a scenario on many seeds are one scenario."""
    return "runs" if any(map(is_of_seeds, outcomes)) else "scenarios"


def silent_of(outcome: ScenarioOutcome) -> str:
    """Return how many alerts of a scenario stayed silent and could have fired: `22 of 29`."""
    return f"{len(names_in(outcome, *SILENT))} of {len(alert_states(outcome))}"


def _alerts(outcomes: Sequence[ScenarioOutcome]) -> dict[str, set[str]]:
    """Return which alerts did what, each of them once: what is worst anywhere in the run."""
    left = {name for outcome in outcomes for name in alert_states(outcome)}

    def take(*states: State) -> set[str]:
        names = {name for outcome in outcomes for name in names_in(outcome, *states)} & left
        left.difference_update(names)
        return names

    failed, vacuous = take("failed"), take("vacuous")
    fired = take("resolved", "fired")
    # As explained: named in a list of their own, and no news of what had to happen.
    take("explained")
    silent = take(*SILENT, "need not fire")
    elsewhere = {
        alert.alert for o in outcomes for alert in o.alerts if alert.could_fire_in is not None
    }
    mute = take("could not fire")
    return {
        "failed": failed,
        "could not have fired": vacuous,
        "fired as expected": fired,
        "stayed silent": silent | (mute & elsewhere),
        "could not have fired, as accepted": mute - elsewhere,
        "not judged": take("not judged"),
    }
