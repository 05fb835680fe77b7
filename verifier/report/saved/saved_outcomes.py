"""The outcomes of a run made anew from its saved verdict, for what every form of the report says.

Called by `explanation`. Charts, conditions in numbers and the ledger are not in them. Keys that an
older release did not write are as if nothing had been known; whatever is no verdict at all raises
`KeyError`, `TypeError`, `AttributeError` or `ValueError`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from documents.mistakes import Place
from verifier.errors import NotJudged
from verifier.judge.verdict import (
    AlertVerdict,
    ClockDifference,
    Delivery,
    Engine,
    FailureEvidence,
    PanelVerdict,
    ScenarioOutcome,
)
from verifier.panels.answers import PanelComparison
from verifier.run_record import InputFile, RunRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verifier.labels import Labels
    from verifier.report.saved.saved_verdict import SavedVerdict

    Values = Mapping[str, Any]


def saved_outcomes(saved: SavedVerdict) -> list[ScenarioOutcome]:
    """Return the outcome of each scenario, in the order of the verdict."""
    return [_outcome(scenario, saved.engine) for scenario in saved.scenarios]


def saved_run(saved: SavedVerdict) -> RunRecord | None:
    """Return what was run; None where the verdict does not say."""
    if saved.run is None:
        return None
    files = tuple(InputFile(**_known(InputFile, each)) for each in saved.run["files"])
    return RunRecord(**{**_known(RunRecord, saved.run), "files": files})


def _outcome(values: Values, engine: Engine) -> ScenarioOutcome:
    clocks = values.get("clocks")
    return ScenarioOutcome(
        name=values["name"],
        engine=engine,
        **{
            key: values.get(key, 0)
            for key in ("seed", "duration_s", "exact_s", "resampled_s", "wall_s")
        },
        replay=values.get("replay") or "",
        alerts=tuple(map(_alert, values["alerts"])),
        panels=tuple(_panel(panel) for panel in values.get("panels", ())),
        findings=tuple(values.get("findings", ())),
        invalid=tuple(values.get("reasons", ())),
        clock=values.get("clock", "virtual"),
        compress=values.get("compress", 1.0),
        notes=tuple(values.get("notes", ())),
        clocks=None if clocks is None else tuple(map(_difference, clocks)),
        not_judged=tuple(map(_not_judged, values.get("not_judged", ()))),
    )


def _alert(values: Values) -> AlertVerdict:
    """Return a verdict on an alert; its numbers are read by `explanation` alone."""
    taken = {**values, "labels": _labels(values), "latency": None}
    receivers, evidence = taken.get("receivers"), taken.get("evidence")
    taken["receivers"] = None if receivers is None else tuple(receivers)
    for spans in ("lost_pending", "firings"):
        taken[spans] = tuple((each["from_s"], each["until_s"]) for each in taken.get(spans, ()))
    taken["deliveries"] = tuple(
        Delivery(**_known(Delivery, each)) for each in taken.get("deliveries", ())
    )
    taken["evidence"], taken["margin"] = None, ()
    if evidence is not None:
        taken["evidence"] = FailureEvidence(overlay=evidence.get("overlay"))
    return AlertVerdict(**_known(AlertVerdict, taken))


def _panel(values: Values) -> PanelVerdict:
    """Return a verdict on a panel; an older one was not compared with the world."""
    known, truth = _known(PanelVerdict, values), values.get("truth")
    if truth is not None:
        instants_s = tuple(truth["instants_s"])
        known["truth"] = PanelComparison(truth["shows"], instants_s, truth["reason"])
    return PanelVerdict(**known)


def _difference(values: Values) -> ClockDifference:
    known = _known(ClockDifference, values)
    return ClockDifference(**{**known, "labels": _labels(values)})


def _known(kind: type, values: Values) -> dict[str, Any]:
    """Return the values that a class has a field for: a newer release may have written more."""
    names = {field.name for field in fields(kind)}
    return {key: value for key, value in values.items() if key in names}


def _labels(values: Values) -> Labels:
    return tuple(values["labels"].items())


def _not_judged(values: Values) -> NotJudged:
    """Return what was not judged; of an older verdict a rule is taken to keep it from a pass."""
    subject = values["subject"]
    keeps = values.get("keeps_from_passing", not subject.startswith("panel "))
    return NotJudged(subject, values["reason"], Place(values["place"]), keeps)
