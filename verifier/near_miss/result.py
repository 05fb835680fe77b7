"""What a search came to: for people and as a document. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from documents.amounts import amount
from verifier.near_miss.searching import OF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.near_miss.search import Boundary, Probe
    from verifier.near_miss.searching import NearMiss, SearchRequest

VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("near_miss.schema.json")


def near_miss_lines(miss: NearMiss) -> Iterator[str]:
    """Yield the boundary, the near miss with what each seed shows of it, and what to know."""
    request, boundary, knob = miss.request, miss.boundary, miss.request.knob
    yield (
        f"{request.alert}: a near miss of its {OF[request.cell]} by {knob.subject}"
        f" in {request.scenario.name}"
    )
    least, most = ("largest", "smallest") if boundary.upwards else ("smallest", "largest")
    for title, probe in (
        (f"{least} silent", boundary.silent),
        (f"{most} firing", boundary.firing),
    ):
        came = f"  {probe.nearness.words}" if probe.nearness else ""
        yield f"  {title:15} {knob.text(probe.value):>10}{came}"
    yield f"  {'near miss':15} {knob.text(miss.safe.value):>10}  {_seeds(miss)}"
    for each in miss.results:
        yield f"    seed {each.seed}: {each.shown[0]}"
    yield from contradiction_lines(boundary, request)
    for name in miss.explained:
        yield f"  {name} fires as well: it is explained in the scenario"
    yield f"  {amount(len(boundary.probes), 'probes')} for the boundary"


def contradiction_lines(boundary: Boundary, request: SearchRequest) -> Iterator[str]:
    """Say where the outcome changes more than once: there are other boundaries, too."""
    knob = request.knob
    for silent, firing in boundary.contradictions:
        yield (
            f"  not monotone: it fires at {knob.text(firing)} and is silent at {knob.text(silent)},"
            " so this boundary is not the only one"
        )


def _seeds(miss: NearMiss) -> str:
    seeds = ", ".join(str(each.seed) for each in miss.results)
    return f"on seeds {seeds}; so is {miss.request.knob.text(miss.safe.nearer)}"


def near_miss_document(request: SearchRequest, result: NearMiss | str) -> dict[str, Any]:
    """Return a near miss, or why there is none, as `near_miss.schema.json` describes it."""
    knob = request.knob
    document: dict[str, Any] = {
        "version": VERSION,
        "scenario": request.scenario.name,
        "alert": request.alert,
        "cell": request.cell,
        "fault": knob.fault,
        "parameter": knob.name,
        "unit": "s" if knob.unit == "time" else None,
        "near_miss": None,
        "reason": None,
    }
    if isinstance(result, str):
        return document | {"reason": result}
    boundary = result.boundary
    return document | {
        "near_miss": {
            "value": result.safe.value,
            "nearer": result.safe.nearer,
            "silent": _probe(boundary.silent),
            "firing": _probe(boundary.firing),
            "probes": [_probe(each) for each in boundary.probes],
            "not_monotone": [
                {"silent": silent, "firing": firing} for silent, firing in boundary.contradictions
            ],
            "seeds": [{"seed": each.seed, "shown": list(each.shown)} for each in result.results],
            "explained": list(result.explained),
            "scenario": result.text,
        }
    }


def _probe(probe: Probe) -> dict[str, Any]:
    nearness = probe.nearness
    return {
        "value": probe.value,
        "fired": probe.fired,
        "measured": None if nearness is None else nearness.value,
        "threshold": None if nearness is None else nearness.threshold,
        "share": None if nearness is None or not nearness.share else nearness.share,
        "held_s": None if nearness is None else nearness.held_s,
        "for_s": None if nearness is None else nearness.for_s,
    }
