"""What was broken, on the first screen: the faults of each scenario that did not pass.

Called by `page`. Whoever is woken by a failure wants to know its cause before any list of alerts.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from verifier.report.html.writing import anchor
from verifier.report.wording import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.run_record import PlannedFault

FEW: Final = 3
"""Scenarios of a run that are all named, passed or not."""
SCENARIOS_MAX: Final = 8
FAULTS_MAX: Final = 4


def broken_part(outcomes: Sequence[ScenarioOutcome]) -> str:
    """Return a line for each scenario that did not pass, of a few scenarios for each of them."""
    known = [outcome for outcome in outcomes if outcome.record is not None]
    shown = [outcome for outcome in known if outcome.verdict != "pass" or len(outcomes) <= FEW]
    items = "".join(f"<li>{_scenario(outcome)}</li>\n" for outcome in shown[:SCENARIOS_MAX])
    if (more := len(shown) - SCENARIOS_MAX) > 0:
        items += f"<li>and {more} more, in the table below</li>\n"
    if not items:
        return ""
    return f'<section class="part broken"><h2>What was broken</h2><ul>\n{items}</ul></section>\n'


def _scenario(outcome: ScenarioOutcome) -> str:
    faults = outcome.record.faults if outcome.record is not None else ()
    said = [_fault(fault) for fault in faults[:FAULTS_MAX]] or ["no fault"]
    if (more := len(faults) - FAULTS_MAX) > 0:
        said.append(f"{more} more")
    link = f'<a href="#{anchor(outcome.name)}">{escape(outcome.name)}</a>'
    return f"{link}: {escape('; '.join(said))}"


def _fault(fault: PlannedFault) -> str:
    """Write `gone (traffic_drop), 3m to 12m, share 0.4`."""
    span = f"{instant(fault.start_s)} to {instant(fault.end_s)}"
    strength = f", {fault.strength.replace('; ', ', ')}" if fault.strength else ""
    return f"{fault.name} ({fault.kind}), {span}{strength}"
