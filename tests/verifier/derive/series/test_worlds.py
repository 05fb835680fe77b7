"""Input series of a test: every series through all phases, decoys beside them, each once."""

from __future__ import annotations

import pytest

from verifier.derive.series.leaves import LeafSeries
from verifier.derive.series.levels import Level
from verifier.derive.series.worlds import ABSENT, Phase, Timing, input_series, selector

ONE, TWO, DECOY = {"x": "1"}, {"x": "2"}, {"x": "no"}
MINUTE = Timing(60.0, 60.0)


def written(planned, phases, fire=None, timing=MINUTE):
    """Return each series with its values."""
    lines = input_series(planned, phases, timing, fire or {})
    return {each.series: each.values for each in lines}


def of(*rows, decoys=(), name="a"):
    """Return the series of one selector."""
    return {"a": LeafSeries(name, list(rows), list(decoys), counted=False)}


def gauge(value, **others):
    """Return the level of the only selector."""
    return {"a": Level("gauge", value, **others)}


@pytest.mark.parametrize(
    ("timing", "samples"),
    [
        (Timing(60.0, 60.0), 1),
        (Timing(60.0, 15.0), 4),
        (Timing(15.0, 60.0), 1),
        (Timing(0.3, 0.1), 3),
    ],
)
def test_samples_of_an_evaluation_are_counted(timing, samples):
    """At least one."""
    assert timing.samples == samples


def test_every_row_has_its_share_in_every_phase():
    """Equal neighbours are one run; a phase without levels has no series."""
    phases = [
        Phase(2, gauge(8.0, weights=(0.25, 0.75))),
        Phase(1, gauge(8.0, weights=(0.25, 0.75))),
        Phase(2, {}),
        Phase(1, gauge(4.0, weights=(0.25, 0.75))),
    ]
    assert written(of(ONE, TWO), phases) == {
        'a{x="1"}': "2+0x2 stale _x1 1",
        'a{x="2"}': "6+0x2 stale _x1 3",
    }
    often = written(of(ONE), [Phase(2, gauge(1.0)), Phase(1, gauge(2.0))], None, Timing(60, 20))
    assert often == {'a{x="1"}': "1+0x5 2+0x2"}


def test_a_decoy_does_all_the_time_what_its_series_do_while_the_alert_fires():
    """Of what fires by being absent it is there, as 1; so it is where nothing is known."""
    phases = [Phase(2, gauge(1.0)), Phase(2, gauge(8.0, weights=(0.25, 0.75)))]
    planned = of(ONE, decoys=[DECOY])
    decoy = 'a{x="no"}'
    assert written(planned, phases, gauge(8.0, weights=(0.25, 0.75)))[decoy] == "2+0x3"
    assert written(planned, phases, gauge(8.0, hot=1, cold=3.0))[decoy] == "8+0x3"
    assert written(planned, phases, {"a": ABSENT})[decoy] == "1+0x3"
    assert written(planned, phases)[decoy] == "1+0x3"


def test_labels_that_come_twice_are_written_once_and_what_has_no_samples_never():
    """The first selector that has them says what they do."""
    planned = {**of(ONE, TWO), "b": LeafSeries("a", [ONE, {"x": "3"}], [], counted=False)}
    phases = [Phase(2, {**gauge(5.0, hot=1), "b": Level("gauge", 7.0)})]
    assert written(planned, phases) == {'a{x="1"}': "5+0x1", 'a{x="3"}': "7+0x1"}
    assert written(of(ONE), [Phase(3, {})]) == {}
    assert written(of(ONE), [Phase(3, {}), Phase(1, gauge(5.0))]) == {'a{x="1"}': "_x3 5"}


def test_a_histogram_has_a_series_for_every_bucket():
    """Counters through all phases, none in a phase without; a decoy has them, too."""
    level = Level("histogram", 1.0, quantile=0.5, anchor=1.0)
    planned = of(ONE, decoys=[DECOY], name="a_bucket")
    lines = written(planned, [Phase(1, {"a": level}), Phase(1, {}), Phase(1, {"a": level})],
                    {"a": level})  # fmt: skip
    buckets = {"0.25": 0, "0.5": 0, "1": 3000, "2": 3000, "4": 3000, "+Inf": 6000}
    own = {f'a_bucket{{x="1",le="{le}"}}': f"0 stale {growth}" for le, growth in buckets.items()}
    assert {name: values for name, values in lines.items() if 'x="1"' in name} == own
    assert lines['a_bucket{x="no",le="+Inf"}'] == "0+6000x2"
    assert len(lines) == 2 * len(buckets)


@pytest.mark.parametrize(
    ("name", "labels", "text"),
    [
        ("a", {}, "a"),
        ("a", {"__name__": "a"}, "a"),
        ("a", {"x": 'say "no"\n', "y": "z"}, 'a{x="say \\"no\\"\\n",y="z"}'),
    ],
)
def test_a_series_is_written_as_promtool_reads_it(name, labels, text):
    """Without brackets where there are no labels."""
    assert selector(name, labels) == text
