"""The two models of a dashboard as one: panels with their targets, variables and range of time.

The classic model has a list of panels, older ones rows of panels; the newer has elements that a
layout draws. Each panel is brought into the classic form, with the place of its parts.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from documents.mistake_kinds import BrokenRule
from verifier.dashboards.variables import classic_form
from verifier.pack.walker import PackWalker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from documents.document import Steps, Value
    from verifier.dashboards.resources import BoardSource


@dataclass(frozen=True, slots=True)
class RawTarget:
    """A query of a panel in the classic form; `steps` is where its text stands."""

    fields: Mapping[str, Value]
    steps: Steps


@dataclass(frozen=True, slots=True)
class RawPanel:
    """A panel in the classic form, at `steps`; `library` names one whose model is elsewhere.

    `repeats` are the variables for each of whose values its row and the panel itself are drawn.
    """

    fields: Mapping[str, Value]
    targets: tuple[RawTarget, ...]
    steps: Steps
    library: str = ""
    repeats: tuple[str, ...] = ()


@dataclass(slots=True)
class RawBoard:
    """A dashboard in the classic form."""

    title: str
    time_from: str
    time_to: str
    inputs: list[dict[str, Value]] = field(default_factory=list)
    variables: list[dict[str, Value]] = field(default_factory=list)
    panels: list[RawPanel] = field(default_factory=list)


class ModelReader(PackWalker):
    """One walk over one dashboard."""

    def __init__(self, source: BoardSource) -> None:
        """Walk over a dashboard."""
        super().__init__(source.document)
        self.source = source
        self.top = source.model

    def read(self) -> RawBoard:
        """Return the dashboard; mistakes and findings are noted."""
        time = self.top.get("time" if self.source.is_classic else "timeSettings")
        time = time if isinstance(time, dict) else {}
        board = RawBoard(
            title=str(self.top.get("title") or self.document.path),
            time_from=str(time.get("from") or ""),
            time_to=str(time.get("to") or "now"),
        )
        if self.source.is_classic:
            self._read_classic(board)
        else:
            self._read_elements(board)
        return board

    def _read_classic(self, board: RawBoard) -> None:
        board.inputs = _mappings(self.top.get("__inputs"))
        templating = self.top.get("templating")
        listed = templating.get("list") if isinstance(templating, dict) else None
        board.variables = _mappings(listed)
        elements = _library(self.top.get("__elements"))
        for fields, steps, row in self._classic_panels(self.top, self.source.steps):
            panel = self._classic_panel(fields, steps, elements)
            board.panels.append(replace(panel, repeats=_repeats(row, fields.get("repeat"))))

    def _classic_panels(
        self, holder: dict[str, Value], steps: Steps, row: Value = None
    ) -> Iterator[tuple[dict[str, Value], Steps, Value]]:
        """Yield every panel below `holder` with its place, and for what its row is repeated.

        A row holds the panels in it while it is collapsed, else those after it up to the next row.
        """
        for key in ("rows", "panels"):
            for index, child in enumerate(self.sequence(holder.get(key) or None, (*steps, key))):
                child_steps = (*steps, key, index)
                if not isinstance(child, dict):
                    self.reject(BrokenRule("a panel", "be a mapping", child), child_steps)
                    continue
                if key == "rows" or child.get("type") == "row":
                    row = child.get("repeat")
                if key == "panels":
                    yield child, child_steps, row
                yield from self._classic_panels(child, child_steps, row)

    def _classic_panel(
        self, fields: dict[str, Value], steps: Steps, elements: Mapping[str, Element]
    ) -> RawPanel:
        library = ""
        shared = fields.get("libraryPanel")
        if isinstance(shared, dict) and "targets" not in fields:
            element = _element(shared, elements)
            if element is None:
                library = str(shared.get("name") or shared.get("uid") or "without a name")
            else:
                model, model_steps = element
                place = (
                    (*self.source.steps, *model_steps)
                    if model_steps
                    else (*steps, "libraryPanel", "model")
                )
                return RawPanel(
                    {**fields, **model, "gridPos": fields.get("gridPos")},
                    self._targets(model, place),
                    steps,
                )
        return RawPanel(fields, self._targets(fields, steps), steps, library)

    def _targets(self, fields: Mapping[str, Value], steps: Steps) -> tuple[RawTarget, ...]:
        targets = fields.get("targets")
        return tuple(
            RawTarget(target, (*steps, "targets", index))
            for index, target in enumerate(targets if isinstance(targets, list) else [])
            if isinstance(target, dict)
        )

    def _read_elements(self, board: RawBoard) -> None:
        board.variables = [classic_form(raw) for raw in _mappings(self.top.get("variables"))]
        elements = self.mapping(self.top.get("elements"), (*self.source.steps, "elements"))
        drawn = dict(_drawn(self.top.get("layout"), ""))
        for name, element in elements.items():
            steps = (*self.source.steps, "elements", name)
            if not isinstance(element, dict) or (drawn and name not in drawn):
                continue
            spec = element.get("spec")
            if not isinstance(spec, dict):
                self.reject(BrokenRule("a panel", "be a mapping", spec), steps)
                continue
            place = drawn.get(name, {})
            panel = _element_panel(spec, (*steps, "spec"), place)
            repeats = _repeats(place.get("row"), place.get("repeat"))
            board.panels.append(replace(panel, repeats=repeats))


Element = tuple["dict[str, Value]", "Steps"]
"""The model of a library panel, and where it stands from the top of the dashboard."""


def _element(shared: dict[str, Value], elements: Mapping[str, Element]) -> Element | None:
    model = shared.get("model")
    if isinstance(model, dict):
        return model, ()
    return elements.get(str(shared.get("uid"))) or elements.get(str(shared.get("name")))


def _library(raw: Value) -> dict[str, Element]:
    """Return the models of library panels that an export carries, by identifier and by name."""
    entries: list[tuple[str | int, Value]] = []
    if isinstance(raw, dict):
        entries = list(raw.items())
    elif isinstance(raw, list):
        entries = list(enumerate(raw))
    models: dict[str, Element] = {}
    for key, entry in entries:
        model = entry.get("model") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(model, dict):
            element = model, ("__elements", key, "model")
            names = (entry.get("name"), key, entry.get("uid"))
            models |= {str(name): element for name in names if name is not None}
    return models


def _element_panel(spec: dict[str, Value], steps: Steps, drawn: Mapping[str, Value]) -> RawPanel:
    """Return a panel of the newer model in the classic form."""
    visual = spec.get("vizConfig")
    visual = visual if isinstance(visual, dict) else {}
    visual_spec = visual.get("spec")
    group = _spec(spec.get("data"))
    options = group.get("queryOptions")
    fields: dict[str, Value] = {
        **(visual_spec if isinstance(visual_spec, dict) else {}),
        **(options if isinstance(options, dict) else {}),
        "title": spec.get("title"),
        "id": spec.get("id"),
        "type": visual.get("group") or visual.get("kind"),
        "gridPos": {"w": drawn.get("width")},
    }
    library = spec.get("libraryPanel")
    if isinstance(library, dict):
        return RawPanel(fields, (), steps, str(library.get("name") or library.get("uid")))
    targets = []
    for index, query in enumerate(_mappings(group.get("queries"))):
        inner = _spec(query)
        data_query = inner.get("query")
        data_query = data_query if isinstance(data_query, dict) else {}
        source = inner.get("datasource") or data_query.get("datasource")
        source = source if isinstance(source, dict) else {}
        kind = data_query.get("group")
        if kind is None and data_query.get("kind") != "DataQuery":
            kind = data_query.get("kind")
        target = {
            **_spec(data_query),
            "hide": inner.get("hidden"),
            "datasource": {**source, "type": source.get("type") or kind},
        }
        where = (*steps, "data", "spec", "queries", index, "spec", "query", "spec")
        targets.append(RawTarget(target, where))
    return RawPanel(fields, tuple(targets), steps)


def _drawn(layout: Value, row: Value) -> Iterator[tuple[str, dict[str, Value]]]:
    """Yield the elements that a layout draws, below tabs and rows too, with width and repeats."""
    if isinstance(layout, list):
        for item in layout:
            yield from _drawn(item, row)
        return
    if not isinstance(layout, dict):
        return
    element = layout.get("element")
    repeat = layout.get("repeat") or layout.get("repeatOptions")
    repeated = repeat.get("value") if isinstance(repeat, dict) else None
    if isinstance(element, dict):
        place = {"width": layout.get("width"), "repeat": repeated, "row": row}
        yield str(element.get("name")), place
    elif "layout" in layout:  # a row or a tab
        row = repeated or row
    for value in layout.values():
        if isinstance(value, (dict, list)):
            yield from _drawn(value, row)


def _repeats(*variables: Value) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(variable) for variable in variables if variable))


def _spec(raw: Value) -> dict[str, Value]:
    spec = raw.get("spec") if isinstance(raw, dict) else None
    return spec if isinstance(spec, dict) else {}


def _mappings(raw: Value) -> list[dict[str, Value]]:
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []
