"""What panels are meant to show, declared in a file: which quantity, how taken, in what unit.

The bundled dashboards have theirs in `observability/panel-truth.yaml`; `verify --panel-truth` reads
one for dashboards of a user. Quantities go by the names of `verifier.truth.quantities`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from documents.durations import parse_duration
from documents.mistake_kinds import BrokenRule, UnknownName, UnknownWord
from documents.mistakes import InputError, Mistake, gather
from documents.yaml_reader import load
from scenarios.validation import ModelWalker
from verifier.panels.units import UNITS
from verifier.truth.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from documents.document import Steps, Value
    from documents.mistakes import Place
    from verifier.pack.panels import Dashboards, Panel
    from verifier.panels.answers import PanelAnswer

Take = Literal["value", "rate", "increase", "quantile", "buckets"]
WINDOWED: Final = ("rate", "increase", "quantile", "buckets")
OF_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "gauge": ("value",),
    "counter": ("rate", "increase"),
    "durations": ("quantile", "buckets"),
}
"""What can be taken of each kind of quantity."""
KEYS: Final = ("panels",)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelTruth:
    """The quantity of the world that one query of a panel shows, and how.

    `where` are regular expressions that label values must match, `by` is the label whose values
    have a series each. With `of` it is the share that `quantity` is of that other quantity. What
    the world counted, in seconds, bytes and plain numbers, is multiplied by `scale` and added to
    `offset`; `unit` is Grafana's name of the unit in which the panel shows that.
    """

    dashboard: str
    panel: str
    quantity: str
    take: Take
    unit: str
    legend: str | None = None
    window_s: float = 0.0
    quantile: float = 0.0
    where: tuple[tuple[str, str], ...] = ()
    by: str = ""
    of: str = ""
    scale: float = 1.0
    offset: float = 0.0
    place: Place | None = None

    @property
    def subject(self) -> str:
        """The panel, as accepted failures name it."""
        return f"{self.dashboard} / {self.panel}"

    def is_of(self, answer: PanelAnswer) -> bool:
        """Whether an answer is that of the query that it speaks of."""
        return self.is_panel(answer.panel) and self.legend in (None, answer.query.legend)

    def is_panel(self, panel: Panel) -> bool:
        """Whether it speaks of a panel; one that is repeated goes by its title in the file."""
        titles = (panel.title, panel.raw.get("title"))
        return panel.dashboard == self.dashboard and self.panel in titles

    @property
    def words(self) -> str:
        """What it measures, in a few words."""
        what = self.quantity
        if self.where:
            what += " with " + ", ".join(f"{label}={text}" for label, text in self.where)
        if self.of:
            what += f" of {self.of}"
        if self.take == "quantile":
            what = f"the {self.quantile:g} quantile of {what}"
        elif self.take in ("rate", "increase", "buckets"):
            what = f"the {self.take} of {what}"
        return what


class TruthEntry(BaseModel):
    """One entry of the file, as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    dashboard: str = Field(min_length=1)
    panel: str = Field(min_length=1)
    quantity: str
    take: str
    unit: str
    legend: str | None = None
    window: str | None = None
    quantile: float | None = Field(default=None, ge=0, le=1)
    where: dict[str, str] = Field(default_factory=dict)
    by: str = ""
    of: str = ""
    scale: float = 1.0
    offset: float = 0.0


def load_panel_truths(path: Path) -> tuple[PanelTruth, ...]:
    """Read a file of panel truths; raise one `InputError` with every mistake in it."""
    walker = ModelWalker(load(path))
    top = walker.mapping(walker.document.data, (), KEYS)
    entries = walker.sequence(top.get("panels"), ("panels",))
    if not entries:
        walker.reject(BrokenRule("panels", "be a list of at least 1", top.get("panels")), ())
    truths = [_entry(walker, raw, ("panels", number)) for number, raw in enumerate(entries)]
    return walker.finish(tuple(truth for truth in truths if truth is not None))


def panel_truths_of(path: Path, dashboards: Dashboards) -> tuple[PanelTruth, ...]:
    """Read a file of panel truths, and check that `dashboards` have all of its panels."""
    truths = load_panel_truths(path)
    check_panels_exist(truths, dashboards)
    return truths


def check_panels_exist(truths: Sequence[PanelTruth], dashboards: Dashboards) -> None:
    """Raise `InputError` for entries of panels that are not there, and for two of one query."""
    panels = dashboards.panels
    left_out = {f"{panel.dashboard} / {panel.title}" for panel in dashboards.left_out}
    names = (f"{panel.dashboard} / {panel.title}" for panel in panels)
    known = tuple(dict.fromkeys((*names, *left_out)))
    mistakes = [
        InputError(Mistake(UnknownName("panel", truth.subject, known), truth.place))
        for truth in truths
        if truth.subject not in left_out and not any(map(truth.is_panel, panels))
    ]
    first: dict[tuple[str, str | None], PanelTruth] = {}
    for truth in truths:
        earlier = first.setdefault((truth.subject, truth.legend), truth)
        if earlier is not truth and truth.place is not None:
            mistakes.append(
                truth.place.error(f"{truth.subject} is declared at {earlier.place}, too")
            )
    if mistakes:
        raise gather(mistakes)


def _entry(walker: ModelWalker, raw: Value, steps: Steps) -> PanelTruth | None:
    entry = walker.validate(TruthEntry, raw, steps)
    if entry is None:
        return None
    before = len(walker.mistakes)
    for problem, key in _problems(entry):
        walker.reject(problem, (*steps, key))
    window_s = 0.0
    if entry.window is not None:
        window_s = (
            walker.attempt(lambda: parse_duration(entry.window or "", field="window"), steps) or 0.0
        )
    if len(walker.mistakes) > before:
        return None
    truth = PanelTruth(
        dashboard=entry.dashboard, panel=entry.panel, quantity=entry.quantity,
        take=entry.take,  # type: ignore[arg-type]  # checked above to be one of the words
        unit=entry.unit, legend=entry.legend, window_s=window_s, quantile=entry.quantile or 0.0,
        where=tuple(entry.where.items()), by=entry.by, of=entry.of,
        scale=entry.scale, offset=entry.offset,
    )  # fmt: skip
    return replace(truth, place=walker.place(steps))


def _problems(entry: TruthEntry) -> Iterator[tuple[UnknownWord | BrokenRule, str]]:
    """Yield what is wrong with an entry, and the key where it is."""
    quantity = QUANTITIES.get(entry.quantity)
    if quantity is None:
        yield UnknownWord("quantity", entry.quantity, tuple(QUANTITIES)), "quantity"
        return
    if entry.take not in OF_KIND[quantity.kind]:
        yield UnknownWord("take", entry.take, OF_KIND[quantity.kind]), "take"
    if entry.unit not in UNITS:
        yield UnknownWord("unit", entry.unit, tuple(UNITS)), "unit"
    yield from _problems_of_take(entry)
    axes = tuple(name for name, _ in quantity.axes)
    for label in (*entry.where, *([entry.by] if entry.by and entry.take != "buckets" else ())):
        key = "where" if label in entry.where else "by"
        if not axes:
            yield BrokenRule(key, f"be left out, as {entry.quantity} have no labels", label), key
        elif label not in axes:
            yield UnknownWord("a label", label, axes), key
    alike = tuple(name for name, each in QUANTITIES.items() if each.kind == quantity.kind)
    if entry.of and quantity.kind == "durations":
        yield BrokenRule("of", "be left out of durations", entry.of), "of"
    elif entry.of and entry.of not in alike:
        yield UnknownWord("of", entry.of, alike), "of"


def _problems_of_take(entry: TruthEntry) -> Iterator[tuple[BrokenRule, str]]:
    """Yield what does not fit to what is taken, and expressions that are none."""
    if (entry.window is None) == (entry.take in WINDOWED):
        rule = "be a duration" if entry.window is None else "be left out of a value"
        yield BrokenRule("window", rule, entry.window), "window"
    if (entry.quantile is None) == (entry.take == "quantile"):
        rule = "be a number" if entry.quantile is None else "be left out but of a quantile"
        yield BrokenRule("quantile", rule, entry.quantile), "quantile"
    for text in entry.where.values():
        try:
            re.compile(text)
        except re.error:
            yield BrokenRule("where", "be regular expressions", text), "where"
