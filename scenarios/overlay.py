"""Overlay files: what alerts of one's own must do in scenarios that know nothing of them.

Called by the front door after scenarios were read. An overlay adds expectations to scenarios by
name, without a copy of the scenario; and it accepts, with a reason, that an alert or a panel cannot
be judged. It never takes away an expectation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, Shown, UnknownName
from documents.yaml_reader import load
from scenarios.expectations import causes_of, check_unique, read_expectations
from scenarios.scenario import Acceptance
from scenarios.schema.overlay_model import OverlayModel
from scenarios.validation import ModelWalker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from documents.document import Document, Steps
    from documents.mistakes import Mistake, Place
    from scenarios.scenario import Expectation, Scenario
    from scenarios.schema.models import ExpectationModel

EVERY: Final = "*"
"""Under this name stand the expectations of all scenarios."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """An overlay file, read: its document, and what it holds."""

    document: Document
    model: OverlayModel

    @property
    def accepted(self) -> tuple[Acceptance, ...]:
        """What it accepts, each with its place."""
        return tuple(
            Acceptance(accepted.alert or accepted.panel or "", accepted.reason, place)
            for accepted, place in zip(self.model.accept, self._places(), strict=True)
        )

    def _places(self) -> list[Place]:
        walker = ModelWalker(self.document)
        return [
            walker.place(("accept", index, "alert" if accepted.alert else "panel"))
            for index, accepted in enumerate(self.model.accept)
        ]


def load_overlay(path: str | Path) -> Overlay:
    """Read an overlay file; raise `InputError` with every mistake that needs no scenario."""
    document = load(path)
    walker = ModelWalker(document)
    model = walker.finish(walker.validate(OverlayModel, document.data or {}, ()))
    for index, accepted in enumerate(model.accept):
        count = sum(key is not None for key in (accepted.alert, accepted.panel))
        if count != 1:
            value = Shown(count, "both" if count else "none")
            rule = BrokenRule(
                "what is accepted", "have exactly one of the keys 'alert' and 'panel'", value
            )
            walker.reject(rule, ("accept", index))
    for index, expectation in enumerate(_added(model, EVERY)):
        if expectation.cause is not None:
            rule = BrokenRule(
                "cause", f"not stand under {EVERY!r}: scenarios have their own causes"
            )
            walker.reject(rule, ("scenarios", EVERY, "expectations", index, "cause"), at_key=True)
    walker.raise_mistakes()
    return Overlay(document, model)


def check_scenario_names(overlay: Overlay, names: Iterable[str]) -> None:
    """Raise `InputError` for every scenario that `overlay` names and that is not in `names`."""
    walker, known = ModelWalker(overlay.document), tuple(names)
    for name in overlay.model.scenarios:
        if name != EVERY and name not in known:
            walker.reject(UnknownName("scenario", name, known), ("scenarios", name), at_key=True)
    walker.raise_mistakes()


def apply_overlays(
    scenario: Scenario, overlays: Iterable[Overlay], note: Callable[[Mistake], None]
) -> Scenario:
    """Return `scenario` with what the overlays add to it, its own expectations first.

    What stands under `*` gives way to an expectation of the same alert elsewhere. `note` is called
    for a cause that the scenario does not have, a limit after its end, an alert that is expected
    twice; all others are added, so that their mistakes are found as well.
    """
    mine = list(scenario.expectations)
    everywhere: list[Expectation] = []
    accepted = list(scenario.accepted)
    for overlay in overlays:
        walker = ModelWalker(overlay.document)
        mine += _read(walker, overlay, scenario.name, scenario)
        everywhere += _read(walker, overlay, EVERY, scenario)
        check_unique(walker, mine)
        check_unique(walker, everywhere)
        for mistake in walker.mistakes:
            note(mistake)
        accepted += overlay.accepted
    named = {expectation.alert for expectation in mine}
    mine += [expectation for expectation in everywhere if expectation.alert not in named]
    return replace(scenario, expectations=tuple(mine), accepted=tuple(accepted))


def _read(
    walker: ModelWalker, overlay: Overlay, name: str, scenario: Scenario
) -> tuple[Expectation, ...]:
    """Return the expectations under `name`, read for `scenario`."""
    steps = ("scenarios", name, "expectations")
    models: dict[Steps, ExpectationModel] = {
        (*steps, i): each for i, each in enumerate(_added(overlay.model, name))
    }
    return read_expectations(
        walker, models, causes=causes_of(scenario), duration_s=scenario.duration_s
    )


def _added(model: OverlayModel, name: str) -> list[ExpectationModel]:
    added = model.scenarios.get(name)
    return added.expectations if added else []
