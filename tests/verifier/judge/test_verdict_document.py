"""The JSON of a verdict follows its published schema, and the schema misses no key of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import jsonschema
import pytest

from documents.mistakes import Place
from tests.schemas.validation import validate
from tests.verifier.judge.small_scenario import ALERTS, FIRES, outcome, scenario_with
from tests.verifier.outcomes import delivery, difference, fired, in_real_time
from verifier.errors import NotJudged
from verifier.evidence.measurement import ComparisonNumbers, DecisiveValue
from verifier.judge.alert_verdicts import judge
from verifier.judge.verdict import INTERRUPTED, UNKNOWN_ENGINE
from verifier.judge.verdict_document import LOST_MAX, document, verdict_schema
from verifier.pack.spread import GroupOffset, Spread
from verifier.run_record import InputFile, RunRecord, ScenarioRecord

RULE = NotJudged("alert A", "its labels ask the engine", Place("rules.yaml", 3, 5))
RUN = RunRecord(
    started="2026-01-02T03:04:05Z",
    version="0.1.0",
    command="agentaskit-sim verify drop",
    files=(InputFile(kind="rules", path="rules.yaml", sha256="0" * 64),),
)


def test_the_document_follows_its_published_schema():
    """Whatever the verdict is."""
    schema = verdict_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    failed = outcome(alerts=judge(scenario_with(FIRES), ALERTS, []))
    invalid = outcome(engine=UNKNOWN_ENGINE, invalid=("no history",), alerts=(), panels=())
    compared = in_real_time(
        clocks=(difference(), difference(real_s=None, ok=False)), notes=("cut",)
    )
    for run in ([outcome()], [failed], [invalid, outcome()], [compared]):
        validator.validate(json.loads(json.dumps(document(run), allow_nan=False)))
    values = document([invalid, outcome()])
    assert values["engine"] == {"name": "prometheus", "version": "2.42.0"}


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("engine",),
        ("scenarios", 0),
        ("scenarios", 0, "alerts", 0),
        ("scenarios", 0, "alerts", 0, "deliveries", 0),
        ("scenarios", 0, "alerts", 0, "latency"),
        ("scenarios", 0, "clocks", 0),
        ("scenarios", 0, "not_judged", 0),
        ("scenarios", 0, "faults", 0),
        ("run",),
        ("run", "files", 0),
    ],
)
def test_no_key_of_the_document_may_be_missing_or_unknown(path):
    """The schema is closed at every level, so it cannot fall behind the document."""
    validator = jsonschema.Draft202012Validator(verdict_schema())
    for key in list(part_at(whole_document(), path)):
        values = whole_document()
        del part_at(values, path)[key]
        assert not validator.is_valid(values), key
    values = whole_document()
    part_at(values, path)["extra"] = 1
    assert not validator.is_valid(values)


def whole_document():
    """Return a document with something in each of its parts."""
    of = in_real_time(
        clocks=(difference(),), not_judged=(RULE,), record=ScenarioRecord.of(scenario_with())
    )
    return document([of], RUN)


def part_at(values, path):
    """Return the part of a document at `path`."""
    for step in path:
        values = values[step]
    return values


@pytest.mark.parametrize(
    ("reasons", "partial"),
    [
        ([(), ()], False),
        ([(), (INTERRUPTED,)], True),
        ([(INTERRUPTED,), ()], True),
        ([("no history", INTERRUPTED)], True),
        ([("no history",), ()], False),
        ([], False),
    ],
)
def test_a_run_is_partial_when_any_of_its_scenarios_was_interrupted(reasons, partial):
    """Wherever it stands, and whatever else is wrong; another invalid scenario is whole."""
    values = document([outcome(invalid=each) for each in reasons])
    assert values["partial"] is partial


def test_what_is_not_judged_is_listed_and_keeps_the_verdict_from_being_a_pass():
    """Unless it says nothing of alerts, as a panel of another kind of data source."""
    values = document([outcome(not_judged=(RULE,))])
    validate(json.loads(json.dumps(values)), verdict_schema())
    assert values["verdict"] == "invalid"
    assert values["scenarios"][0]["not_judged"] == [
        {
            "subject": "alert A",
            "reason": "its labels ask the engine",
            "place": "rules.yaml:3:5",
            "keeps_from_passing": True,
        }
    ]
    panel = replace(RULE, keeps_from_passing=False)
    assert document([outcome(not_judged=(panel,))])["verdict"] == "pass"


def test_of_many_times_that_an_alert_was_pending_the_first_are_listed():
    """A rule that flaps all day makes no endless document."""
    for count in (LOST_MAX, LOST_MAX + 1):
        lost = tuple((float(n), n + 0.5) for n in range(count))
        (run,) = document([outcome(alerts=(fired("A", lost_pending=lost),))])["scenarios"]
        assert run["alerts"][0]["lost_pending"] == [
            {"from_s": float(n), "until_s": n + 0.5} for n in range(LOST_MAX)
        ]


def test_the_offsets_of_a_run_are_those_of_scrapes_and_of_each_group():
    """To the millisecond; a run in real time has none of its own."""
    spread = Spread(4.12345, (GroupOffset("a.yaml", "g", 30.0, 7.25678),))
    (run,) = document([outcome(offsets=spread)])["scenarios"]
    assert run["offsets"] == {
        "scrape_s": 4.123,
        "groups": [{"file": "a.yaml", "group": "g", "interval_s": 30.0, "offset_s": 7.257}],
    }
    assert document([in_real_time()])["scenarios"][0]["offsets"] is None


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_json_has_no_number_for_is_null(value):
    """A division by nothing, say; every other time is to the millisecond."""
    numbers = ComparisonNumbers(
        condition="x > 1", operator=">", threshold=value, nearest=value, at_s=30.00049, labels=(),
        held_s=None, last=value, sustained=value, healthy=value,
        readings=(DecisiveValue("at the start", 0.00049, value),),
    )  # fmt: skip
    sent = (delivery("chat", 541.20049),)
    (run,) = document([outcome(alerts=(fired("A", margin=(numbers,), deliveries=sent),))])[
        "scenarios"
    ]
    (alert,) = run["alerts"]
    assert alert["deliveries"][0]["at_s"] == 541.2
    (comparison,) = alert["margin"]
    assert comparison == {
        "condition": "x > 1", "operator": ">", "threshold": None, "nearest": None, "at_s": 30.0,
        "labels": {}, "held_s": None, "last": None, "healthy": None, "sustained": None,
        "readings": [{"moment": "at the start", "at_s": 0.0, "value": None}],
    }  # fmt: skip
