"""What all seeds of a scenario show together, from outcomes of a few."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from documents.mistakes import Place
from tests.schemas.validation import validate
from tests.verifier.outcomes import alert, failing, fired, outcome, unjudged
from tests.verifier.test_suite import scenario
from verifier.errors import NotJudged
from verifier.judge.verdict_document import document, verdict_schema
from verifier.report.html.page import page
from verifier.report.junit import junit
from verifier.report.seed_lines import seed_lines
from verifier.report.tally import verdict_line
from verifier.report.text import summary
from verifier.seeds.across import SHOWN_MAX, across_document, across_seeds, representatives
from verifier.seeds.naming import base_name, is_of_seeds, on_seed, seeds_text
from verifier.suite_order import longest_first

WHEN = "5m30s to 6m after its cause began, 5m45s in the median"
AGAIN = "agentaskit-sim verify drop --seed 2"


def passing(seed, **changes):
    """Return the outcome of a seed that passes."""
    return outcome(f"drop@{seed}", seed=seed, **changes)


def silent(seed):
    """Return that of a seed in which the alert that must fire does not."""
    alerts = (alert("Throughput", ok=False), alert("Latency", "silent", reason="stayed silent"))
    return outcome(f"drop@{seed}", seed=seed, alerts=alerts, replay=AGAIN)


def invalid(seed):
    """Return that of a seed that could not be judged."""
    return outcome(f"drop@{seed}", seed=seed, alerts=(), panels=(), invalid=("killed",))


RUNS = [
    passing(1),
    silent(2),
    invalid(3),
    passing(4, alerts=(fired("Throughput", firing_s=360.0),)),
]


def test_each_alert_is_counted_over_the_seeds_that_were_judged():
    """With when it fired, and the seeds in which it did not; an invalid one counts for none."""
    (drop,) = across_seeds(RUNS)
    assert (drop.passing, drop.failing, drop.invalid) == ((1, 4), (2,), (3,))
    throughput, latency = drop.alerts
    assert (throughput.judged, throughput.fired_in, throughput.as_expected) == (3, 2, 2)
    assert (throughput.not_in, throughput.firing_s) == ((2,), (330.0, 345.0, 360.0))
    assert (latency.judged, latency.fired_in, latency.as_expected) == (2, 0, 2)
    assert drop.replay == AGAIN


def test_all_of_a_scenario_on_its_seeds_is_one_document():
    """A seed that is invalid for another rule has its verdicts; of two verdicts one may fire."""
    unread = NotJudged("alert Odd", "no engine reads it", Place("a.yaml", 1, 1))
    runs = [
        passing(4, alerts=(fired("Throughput", firing_s=330.12345),)),
        passing(9, alerts=(fired("Throughput", firing_s=310.0),), not_judged=(unread,)),
        passing(2, alerts=(fired("Throughput", firing_s=390.0), alert("Throughput", ok=False))),
        invalid(3),
    ]
    (drop,) = across_seeds(runs)
    assert drop.seeds == (2, 3, 4, 9)
    assert across_document([outcome("other"), *runs]) == [
        {
            "scenario": "drop",
            "seeds": "2..4,9",
            "passing": 1,
            "failing": [2],
            "invalid": [9, 3],
            "replay": None,
            "alerts": [
                {
                    "alert": "Throughput", "must_fire": True, "judged": 3, "fired_in": 3,
                    "as_expected": 2, "not_in": [2],
                    "firing_s": {"earliest": 310.0, "median": 330.123, "latest": 390.0},
                },
            ],
        }
    ]  # fmt: skip


def test_a_seed_that_could_not_be_judged_is_judged_anew_by_its_command_too():
    """Where none failed it is the first that did not pass."""
    (drop,) = across_seeds([passing(1, replay="not this"), replace(invalid(3), replay=AGAIN)])
    assert (drop.failing, drop.invalid, drop.replay) == ((), (3,), AGAIN)


def test_a_seed_in_which_one_of_two_verdicts_on_an_alert_fails_is_not_as_expected():
    """Two series of it, of which one resolves too late: the other does not make up for it."""
    late = alert("Throughput", ok=False, reason="resolved too late")
    (drop,) = across_seeds([passing(1), passing(2, alerts=(fired("Throughput"), late))])
    throughput = next(each for each in drop.alerts if each.alert == "Throughput")
    assert (throughput.judged, throughput.as_expected, throughput.not_in) == (2, 1, (2,))


def test_an_alert_that_fires_in_one_seed_alone_is_named_with_it():
    """It was to stay silent: nobody expected it, so no seed but this one knows of it."""
    planted = alert("Planted", "unexpected", ok=False, firing_s=60.0, pending_s=0.0)
    runs = [passing(1), passing(2, alerts=(fired("Throughput"), planted))]
    (drop,) = across_seeds(runs)
    (odd,) = (each for each in drop.unsteady if not each.must_fire)
    assert (odd.alert, odd.judged, odd.as_expected, odd.not_in) == ("Planted", 1, 0, (2,))
    assert "drop: Planted: did as expected in 0 of 1; not in 2" in seed_lines(runs)


def test_every_form_of_the_report_says_it(monkeypatch):
    """Of each alert in how many seeds, which seeds do not pass, and the command for one."""
    monkeypatch.setattr("charts.assets.library", lambda: None)
    lines = list(seed_lines(RUNS))
    assert lines == [
        "drop: 2 of 4 seeds pass (1..4); fails in 2; could not be judged in full in 3",
        f"drop: Throughput: fired as expected in 2 of 3, {WHEN}; not in 2",
        "drop: 1 other alert as expected in every seed that was judged",
        f"drop: to judge one of them again: {AGAIN}",
    ]
    for text in (summary(RUNS), page(RUNS)):
        assert all(line in text for line in lines)
    assert verdict_line(RUNS).startswith("FAIL: 2 of 4 runs pass")
    assert all(f'name="drop@{seed}"' in junit(RUNS) for seed in (1, 2, 3, 4))


def test_the_document_has_it_by_its_schema():
    """Empty where no seeds were asked for; each run has its command."""
    values = json.loads(json.dumps(document(RUNS)))
    validate(values, verdict_schema())
    (drop,) = values["seeds"]
    assert (drop["seeds"], drop["passing"], drop["failing"]) == ("1..4", 2, [2])
    assert drop["alerts"][0]["firing_s"] == {"earliest": 330.0, "median": 345.0, "latest": 360.0}
    assert [each["replay"] for each in values["scenarios"]] == [None, AGAIN, None, None]
    plain = document([outcome(), failing(), unjudged()])
    assert plain["seeds"] == []
    values["seeds"][0]["planted"] = 1
    with pytest.raises(jsonschema.ValidationError):
        validate(values, verdict_schema())


def test_a_report_shows_few_seeds_one_by_one():
    """The first that passes and ten that do not, of each scenario; whatever is of no seeds, too."""
    runs = [outcome("other"), *map(passing, range(100, 150)), *map(silent, range(1, 50))]
    shown = representatives(runs)
    assert [each.name for each in shown[:3]] == ["other", "drop@100", "drop@1"]
    assert len(shown) == 2 + SHOWN_MAX
    assert representatives(shown) == shown
    assert "verdict.json has all" in next(iter(seed_lines(runs)))


def test_runs_are_scenarios_of_their_own():
    """With the seed in the name, which gives the scenario's name back."""
    run = on_seed(scenario("drop"), 7)
    assert (run.name, run.seed, base_name(run), is_of_seeds(run)) == ("drop@7", 7, "drop", True)
    assert (base_name(scenario("drop")), is_of_seeds(scenario("drop"))) == ("drop", False)


def test_one_seed_is_judged_after_the_other():
    """The longest scenario of each first: those of a seed start from the same world."""
    pair = [scenario("short", 1), scenario("long", 90)]
    runs = [on_seed(each, seed) for seed in (5, 3) for each in pair]
    order = [runs[index].name for index in longest_first(runs)]
    assert order == ["long@5", "short@5", "long@3", "short@3"]


@pytest.mark.parametrize(
    ("seeds", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([1, 2, 3], "1..3"),
        ([9, 1, 2, 4], "1,2,4,9"),
        ([5, 6, 7, 1], "1,5..7"),
    ],
)
def test_seeds_are_written_as_they_are_read(seeds, text):
    """Spans of three and more."""
    assert seeds_text(seeds) == text
