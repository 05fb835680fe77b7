"""What many seeds of a scenario show, in lines: of each alert in how many seeds it did as expected.

Called by `lists`, for every form of the report. It judges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.amounts import amount
from documents.durations import format_duration
from verifier.seeds.across import SHOWN_MAX, across_seeds
from verifier.seeds.naming import seeds_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.seeds.across import AlertAcrossSeeds, ScenarioAcrossSeeds

SEEDS: Final = "Of all seeds"


def seed_lines(outcomes: Sequence[ScenarioOutcome]) -> Iterator[str]:
    """Yield the lines on each scenario that was judged on many seeds."""
    for each in across_seeds(outcomes):
        yield f"{each.scenario}: {_seeds(each)}"
        for alert in each.unsteady:
            yield f"{each.scenario}: {alert.alert}: {_alert(alert)}"
        others = len(each.alerts) - len(each.unsteady)
        if others:
            judged = len(each.passing) + len(each.failing)
            everywhere = "in every seed that was judged" if each.invalid else "in every seed"
            if judged or not each.invalid:
                yield f"{each.scenario}: {amount(others, 'other alerts')} as expected {everywhere}"
        if each.replay:
            yield f"{each.scenario}: to judge one of them again: {each.replay}"


def _seeds(each: ScenarioAcrossSeeds) -> str:
    """Say how many seeds pass, and name those that do not."""
    text = (
        f"{len(each.passing)} of {amount(len(each.seeds), 'seeds')} pass ({seeds_text(each.seeds)})"
    )
    if each.failing:
        text += f"; fails in {seeds_text(each.failing)}"
    if each.invalid:
        text += f"; could not be judged in full in {seeds_text(each.invalid)}"
    if len(each.failing) + len(each.invalid) > SHOWN_MAX:
        text += f" (what is below is of the first {SHOWN_MAX} of these; verdict.json has all)"
    return text


def _alert(alert: AlertAcrossSeeds) -> str:
    """Say in how many seeds an alert did as expected, when it fired there, and where it did not."""
    what = "fired as expected" if alert.must_fire else "did as expected"
    text = f"{what} in {alert.as_expected} of {alert.judged}"
    if alert.firing_s is not None:
        first, middle, last = (format_duration(round(value, 1)) for value in alert.firing_s)
        text += (
            f", {first} after its cause began"
            if first == last
            else (f", {first} to {last} after its cause began, {middle} in the median")
        )
    return text + (f"; not in {seeds_text(alert.not_in)}" if alert.not_in else "")
