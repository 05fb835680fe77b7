"""The report of the library stays within 2 MB; what bloats it is refused.

Judging the whole library takes a minute and a half, so two scenarios stand for it, with all rules
and panels of the pack: of the long ones that with the largest chart, of the others one whose chart
is a twentieth above their average. Every other is taken to be as large as that of its kind, which
makes the sum a tenth larger than it is. `make bench` measures the whole.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from functools import cache

import pytest

from benchmarks.report.cost import SIZE_MAX_BYTES
from scenarios.library.files import library
from tests.verifier.simulations import NINETEEN, bundled, pack_panels, pack_rules, verify
from verifier.report.html.page import page

pytestmark = pytest.mark.long

LONG_S = 3600.0
STAND_INS = {True: "slow-burn", False: "noisy-neighbour"}
"""Of the scenarios that are long, and of those that are not."""
LIBRARY = [path.stem for path in library()]


@cache
def stand_ins():
    """Return the outcome of one scenario of each kind, by whether it is long."""
    rules, panels = pack_rules(*NINETEEN, "extras"), pack_panels("sla", "throughput", "capacity")
    return {is_long: verify(bundled(name), rules, panels) for is_long, name in STAND_INS.items()}


def size_complaints(outcomes, names=LIBRARY):
    """Return a line when the report of these scenarios may be larger than it may be."""
    bare = len(page([]).encode())
    weights = {is_long: len(page([each]).encode()) - bare for is_long, each in outcomes.items()}
    total = bare + sum(weights[bundled(name).duration_s >= LONG_S] for name in names)
    if total <= SIZE_MAX_BYTES:
        return []
    return [f"{total / 1e6:.2f} MB: {weights[True]} bytes of a long scenario, {weights[False]}"]


def changed(outcomes, plant):
    """Return outcomes whose charts are changed: `plant` takes JSON and returns bytes."""
    return {
        is_long: replace(outcome, chart=plant(json.loads(gzip.decompress(outcome.chart))))
        for is_long, outcome in outcomes.items()
    }


def as_written(document, level=6):
    """Return a document as a chart is written."""
    text = json.dumps(document, separators=(",", ":"))
    return gzip.compress(text.encode(), level, mtime=0)


def uncompressed(document):
    """Stored, not compressed."""
    return as_written(document, level=0)


def every_digit(document):
    """Values with all the digits that a float has."""
    for number, row in enumerate(document["rows"]):
        for series in row["series"]:
            series["values"] = [
                value and value * (1 + 1e-9 / (number + place + 2))
                for place, value in enumerate(series["values"])
            ]
    return as_written(document)


def ten_times_as_many_rows(document):
    """Rows that differ a little, as of more alerts."""
    rows = document["rows"]
    for copy in range(1, 10):
        for row in rows:
            times = [time_s + copy / 8 for time_s in row["times_s"]]
            series = [
                {**each, "values": [v and round(v * (1 + copy / 97), 4) for v in each["values"]]}
                for each in row["series"]
            ]
            document["rows"] = [*document["rows"], {**row, "times_s": times, "series": series}]
    return as_written(document)


def test_the_report_of_the_library_stays_within_its_size():
    """As judged, and as read and written again."""
    assert size_complaints(stand_ins()) == []
    assert size_complaints(changed(stand_ins(), as_written)) == []


@pytest.mark.parametrize("plant", [uncompressed, every_digit, ten_times_as_many_rows])
def test_a_planted_bloat_is_refused(plant):
    """Charts that are not compressed, not rounded, or many more."""
    assert size_complaints(changed(stand_ins(), plant)) != []


def test_a_library_that_outgrows_its_report_is_refused():
    """Twice as many scenarios."""
    assert size_complaints(stand_ins(), LIBRARY * 2) != []
