"""What bundled scenarios expect of the bundled pack, left out where own rules stand in its place.

Called by the readers of inputs and by the judges. What is left out is said in a note. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from documents.amounts import amount
from scenarios.library.files import LIBRARY
from scenarios.scenario import without_what_its_rule_decides

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scenarios.scenario import Expectation, Scenario


def leave_out_bundled(
    scenarios: Sequence[Scenario], alerts: Sequence[str]
) -> tuple[list[Scenario], tuple[str, ...]]:
    """Leave out what bundled scenarios expect of any alert but `alerts`, which own rules define.

    Returns the scenarios, and a note that names those alerts once.
    """
    missing: dict[str, None] = {}
    kept = []
    for scenario in scenarios:
        absent = [
            expectation
            for expectation in scenario.expectations
            if expectation.alert not in alerts and is_bundled(expectation)
        ]
        missing |= dict.fromkeys(expectation.alert for expectation in absent)
        # When an alert can fire, how long it is pending and what labels it has besides are affairs
        # of its rule: those of the bundled one are no law for another.
        expectations = tuple(
            without_what_its_rule_decides(each) if is_bundled(each) else each
            for each in scenario.expectations
            if each not in absent
        )
        kept.append(replace(scenario, expectations=expectations))
    if not missing:
        return kept, ()
    note = (
        f"bundled scenarios are judged without {amount(len(missing), 'alerts')} that the rules do"
        f" not define: {', '.join(missing)}; say what yours must do there in a file for --overlay"
    )
    return kept, (note,)


def leave_out_bundled_receivers(
    scenarios: Sequence[Scenario], receivers: Collection[str]
) -> tuple[list[Scenario], tuple[str, ...]]:
    """Leave open who is notified where a bundled file names receivers that own routing lacks.

    Returns the scenarios, and a note that names those receivers once.
    """
    missing: dict[str, None] = {}

    def opened(expectation: Expectation) -> Expectation:
        absent = [name for name in expectation.receivers or () if name not in receivers]
        if not absent or not is_bundled(expectation):
            return expectation
        missing.update(dict.fromkeys(absent))
        return replace(expectation, receivers=None)

    opened_scenarios = [
        replace(scenario, expectations=tuple(map(opened, scenario.expectations)))
        for scenario in scenarios
    ]
    if not missing:
        return opened_scenarios, ()
    note = (
        f"bundled scenarios name {amount(len(missing), 'receivers')} that the routing does not"
        f" define: {', '.join(missing)}; anybody may be notified there"
    )
    return opened_scenarios, (note,)


def is_bundled(expectation: Expectation) -> bool:
    """Whether an expectation stands in a file of the bundled library."""
    return Path(expectation.place.path).parent == LIBRARY
