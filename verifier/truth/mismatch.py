"""Why a panel does not show what the world counted, in a sentence.

Called for each answer that was compared. The likely mistakes are tried one after another: labels
that are missing, a unit, a factor, another quantity of the world that would fit at every instant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from documents.amounts import figure
from documents.durations import format_duration
from verifier.panels.units import UNITS, base_unit, panel_unit
from verifier.truth.comparison import compared_instants
from verifier.truth.declared import OF_KIND, WINDOWED
from verifier.truth.measures import LE
from verifier.truth.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.panels.answers import PanelAnswer
    from verifier.truth.comparison import ComparedInstant, TruthOfRun
    from verifier.truth.declared import PanelTruth

WINDOWS_S: Final = (60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 21600.0)
QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)
FACTOR_TOLERANCE: Final = 0.01
"""By how much a factor may differ from instant to instant and still be one."""


def reason_of(
    answer: PanelAnswer, truth: PanelTruth, instants: Sequence[ComparedInstant], run: TruthOfRun
) -> str:
    """Return why an answer disagrees with the world, empty where it does not."""
    unit, declared = panel_unit(answer.panel), base_unit(truth.unit)[0]
    if base_unit(unit)[0] != declared:
        named = f"is {unit}" if unit else "is not set"
        return f"its unit {named}, and it shows {truth.words}, in {truth.unit}"
    wrong = [each for each in instants if not each.agrees]
    if not wrong:
        return ""
    numbers, factor = _numbers(wrong[0], truth), _factor(instants)
    why = (
        _labels(wrong[0], truth)
        or _unit(factor, unit)
        or _other(answer, truth, instants, run)
        or (factor and f"every value is {figure(factor)} times what the world had")
        or f"wrong at {len(wrong)} of {len(instants)} instants"
    )
    return f"{numbers}; {why}"


def _numbers(instant: ComparedInstant, truth: PanelTruth) -> str:
    """Say what it shows at an instant, and what the world had."""
    shown, expected = instant.shown, instant.expected
    key = next(iter(instant.wrong), "")
    at = format_duration(round(shown.at_s, 1))
    named = f" of {_label(truth)} {key}" if key else ""
    had = f"{figure(expected[key].likely)}" if key in expected else "none"
    shows = figure(shown.values[key]) if key in shown.values else "nothing"
    if not instant.wrong:
        shows, had = f"{shown.series} series", str(len(expected))
    world = f"the world had {had}, {truth.words}"
    return f"at {at} it shows {shows}{named}, {world}"


def _labels(instant: ComparedInstant, truth: PanelTruth) -> str:
    """Say that series lack the label that tells them apart, or that there are too many of them."""
    shown, by = instant.shown, _label(truth)
    if by and "" in shown.values:
        return f"its series have no label {by}: is `by ({by})` missing?"
    if shown.series > len(instant.expected):
        needed = by or (LE if truth.take == "quantile" else "")
        hint = f"sum by ({needed})" if needed else "sum"
        due = f"{shown.series} series where {len(instant.expected)} are due"
        return f"it shows {due}: is `{hint}` missing?"
    return ""


def _label(truth: PanelTruth) -> str:
    return LE if truth.take == "buckets" else truth.by


def _factor(instants: Sequence[ComparedInstant]) -> float:
    """Return how many times what the world had every value is; 0 where they differ in that."""
    factors = [
        shown / likely
        for each in instants
        for key, truth in each.expected.items()
        if (shown := each.shown.values.get(key)) is not None and (likely := truth.likely)
    ]
    if not factors or min(factors) <= 0:
        return 0.0
    alike = max(factors) - min(factors) <= 2 * FACTOR_TOLERANCE * min(factors)
    return factors[0] if alike and abs(factors[0] - 1) > FACTOR_TOLERANCE else 0.0


def _unit(factor: float, unit: str) -> str:
    """Say in which unit its values would be right, if they would in one."""
    base, of_unit = base_unit(unit)
    for name in UNITS:
        other, factor_of = base_unit(name)
        fits = abs(factor_of * factor / of_unit - 1) < FACTOR_TOLERANCE
        if name and other == base and fits:
            return f"its values are in {name}, its unit is {unit}"
    return ""


def _other(
    answer: PanelAnswer,
    truth: PanelTruth,
    instants: Sequence[ComparedInstant],
    run: TruthOfRun,
) -> str:
    """Say which other quantity of the world it shows."""
    times_s = {each.shown.at_s for each in instants}
    for other in _candidates(truth):
        same = [
            each for each in compared_instants(answer, other, run) if each.shown.at_s in times_s
        ]
        nonzero = any(value for each in same for value in each.shown.values.values())
        if same and nonzero and all(each.agrees for each in same):
            if replace(other, window_s=truth.window_s) == truth:
                window, due = format_duration(other.window_s), format_duration(truth.window_s)
                return f"it shows {other.words} over {window}, not over {due}: wrong window"
            return f"it shows {other.words}: wrong metric or matcher"
    return ""


def _candidates(truth: PanelTruth) -> Iterator[PanelTruth]:
    """Yield what else a panel might show: another window first, then other quantities."""
    if truth.take in WINDOWED:
        for window_s in WINDOWS_S:
            yield replace(truth, window_s=window_s)
    for quantile in QUANTILES if truth.take == "quantile" else ():
        yield replace(truth, quantile=quantile)
    kind = QUANTITIES[truth.quantity].kind
    if truth.where:
        yield replace(truth, where=())
    for name, quantity in QUANTITIES.items():
        axes = {axis for axis, _ in quantity.axes}
        if quantity.kind != kind or (truth.by and truth.by not in axes) or name == truth.quantity:
            continue
        if truth.of:
            yield replace(truth, of=name, where=())
        yield replace(truth, quantity=name, where=())
    for quantity_name, quantity in QUANTITIES.items():
        if quantity.kind != kind and not truth.of and not truth.by:
            yield from _taken_otherwise(truth, quantity_name)


def _taken_otherwise(truth: PanelTruth, name: str) -> Iterator[PanelTruth]:
    for take in OF_KIND[QUANTITIES[name].kind]:
        if take in ("value", "rate", "increase"):
            window_s = truth.window_s or WINDOWS_S[0]
            yield replace(
                truth, quantity=name, take=take, where=(),  # type: ignore[arg-type]  # one of the words
                window_s=0.0 if take == "value" else window_s,
            )  # fmt: skip
