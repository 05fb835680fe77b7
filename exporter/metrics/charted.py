"""What a report asks of the world beside rules and panels: a quantity and its PromQL."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChartedQuantity:
    """A quantity that reports draw: PromQL, in which WINDOW stands for the window of a rate."""

    title: str
    unit: str
    query: str
    stacked: bool = False
