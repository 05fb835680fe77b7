"""The document of a chart: its schema, its numbers, and what is refused."""

import copy
import json
import math

import jsonschema
import numpy as np
import pytest

from charts.chart import (
    Band,
    Chart,
    ChartRow,
    ChartSeries,
    Lane,
    LaneEpisode,
    LaneFailure,
    LaneNotification,
    ThresholdLine,
)
from charts.chart_document import chart_document, chart_schema, number, numbers, time_value
from tests.schemas.validation import validate

CHART = Chart(
    title="a title",
    starts_unix_s=1_700_000_000.5,
    end_s=60.0,
    rows=(
        ChartRow(
            id="rate",
            title="Tasks",
            unit="tasks/s",
            times_s=np.array([0.0, 15.0]),
            series=(ChartSeries("all", np.array([1 / 3, math.nan]), (("tier", "L1"),)),),
            thresholds=(ThresholdLine(5.0, "fires above 5", "above"),),
            alert="Slow",
        ),
    ),
    bands=(Band("fault", "a fault", 10.0, None),),
    lanes=(
        Lane(
            alert="Slow",
            expected="fires",
            episodes=(LaneEpisode(15.0, 30.0, None),),
            must_fire=(10.0, 40.0),
            notifications=(LaneNotification("oncall", "firing", 31.0),),
            failure=LaneFailure(60.0, "never resolved"),
        ),
    ),
)


def test_a_whole_chart_is_as_its_schema_says():
    """Through JSON, since that is what others read."""
    document = json.loads(json.dumps(chart_document(CHART), allow_nan=False))
    jsonschema.Draft202012Validator.check_schema(chart_schema())
    validate(document, chart_schema())
    assert document["rows"][0]["series"][0]["values"] == [0.333333, None]
    assert document["lanes"][0]["failure"] == {"at_s": 60, "reason": "never resolved"}
    assert document["bands"][0]["to_s"] is None


def places(value, path=()):
    """Yield the path of every object of a document."""
    if isinstance(value, dict):
        yield path
        for key, part in value.items():
            yield from places(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, (*path, index))


def test_the_schema_is_closed_at_every_level():
    """A key more and a key less are refused wherever they are planted, labels left out."""
    document = chart_document(CHART)
    for path in places(document):
        if "labels" in path:
            continue
        more, less = copy.deepcopy(document), copy.deepcopy(document)
        for planted in (more, less):
            part = planted
            for step in path:
                part = part[step]
            if planted is more:
                part["planted"] = 1
            else:
                part.popitem()
            with pytest.raises(jsonschema.ValidationError):
                validate(planted, chart_schema())


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1 / 3, 0.333333), (2.0, 2), (1234567.8, 1234570), (math.inf, None), (math.nan, None),
        (-0.00001234567, -1.23457e-05), (float(2**60), 1.15292e18), (0.1 + 0.2, 0.3),
    ],
)  # fmt: skip
def test_values_have_six_digits_and_whole_numbers_no_point(value, written):
    """A whole number that fits is exact."""
    assert repr(number(value)) == repr(written)


def test_times_have_milliseconds():
    """And no end is null."""
    assert (time_value(1.23456), time_value(3.0), time_value(None)) == (1.235, 3, None)


def test_values_are_written_one_by_one_as_each_alone():
    """Those that occur often too, none, whole ones, zeros of both signs, and no numbers."""
    odd = [0.0, -0.0, math.nan, math.inf, -math.inf, 1.0, 2.0**53, 2.0**53 + 2, 1 / 3, -1e-9]
    drawn = np.random.default_rng(1).choice([*odd, *np.random.default_rng(2).normal(size=9)], 500)
    for values in (np.array(odd), drawn, np.empty(0)):
        assert numbers(values) == [number(value) for value in values.tolist()]
