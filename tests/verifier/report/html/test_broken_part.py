"""The first screen names the faults of what failed, and the command, before any list."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.verifier.judge.small_scenario import scenario_with
from tests.verifier.outcomes import alert, outcome
from verifier.report.html.broken_part import broken_part
from verifier.report.html.page import page
from verifier.run_record import RunRecord, ScenarioRecord

RECORD = ScenarioRecord.of(scenario_with())
GONE = "gone (agent_hang), 3m to 12m"


def failed(name, record=RECORD):
    """Return a scenario in which an alert did not fire."""
    return outcome(name, alerts=(alert("Odd", ok=False),), record=record)


def lines(outcomes):
    """Return the text of each scenario that is named."""
    items = re.findall(r"<li>(.*)</li>", broken_part(outcomes))
    return [re.sub(r"<[^>]*>", "", item) for item in items]


def test_each_scenario_that_failed_is_named_with_its_faults_and_no_other():
    """With a way to its place; of a few scenarios each is named."""
    good = [outcome(name, record=RECORD) for name in "abc"]
    (line,) = lines([*good, failed("bad")])
    assert line.startswith(f"bad: {GONE}")
    assert 'href="#scenario-bad"' in broken_part([failed("bad")])
    assert len(lines(good)) == 3
    assert broken_part([*good, good[0]]) == broken_part([outcome()]) == ""


def test_it_stays_short_and_a_scenario_without_faults_says_so():
    """Four faults of a scenario and eight scenarios; how many more there are is said."""
    for faults, rest in ((4, ""), (5, "; 1 more"), (6, "; 2 more")):
        (line,) = lines([failed("bad", replace(RECORD, faults=RECORD.faults * faults))])
        assert line == f"bad: {'; '.join([GONE] * 4)}{rest}"
    assert lines([failed("bad", replace(RECORD, faults=()))]) == ["bad: no fault"]
    several = [failed(f"bad-{n}") for n in range(9)]
    assert lines([*several, outcome("good", record=RECORD)])[8:] == [
        "and 1 more, in the table below"
    ]
    assert len(lines(several[:8])) == 8


def test_the_command_and_the_faults_stand_before_what_failed():
    """Whoever is woken by it reads them first; markup in them is text."""
    named = replace(RECORD, faults=(replace(RECORD.faults[0], name="<b>gone</b>"),))
    run = RunRecord(started="2026-01-02T03:04:05Z", version="0.1.0", command="verify '<i>'")
    made = page([failed("bad", named)], run)
    command = made.index("<code>verify &#x27;&lt;i&gt;&#x27;</code>")
    assert command < made.index("&lt;b&gt;gone") < made.index("<h2>Failed</h2>")
    assert 'class="command"' not in page([failed("bad")])
