"""A cell is proven by what a scenario showed and what its judge would have refused: both."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agentaskit_sim.front.pack_files import PACK_ROUTING
from documents.mistakes import InputError
from tests.schemas.validation import validate
from tests.verifier.histories import rules
from tests.verifier.simulations import HEALTHY, scenario_of
from verifier.coverage import observing
from verifier.coverage.observing import CoverageJudge
from verifier.coverage.reasons import load_reasons
from verifier.coverage.score import (
    NO_SCENARIO,
    SCHEMA,
    coverage_document,
    coverage_lines,
    coverage_of,
    table_rows,
)
from verifier.pack.routes.routing import load_routing

RATE = "sum(rate(agentaskit_tasks_processed_total[30s]))"
LOW = (
    "- {alert: Low, labels: {severity: warning}, cause: gone, receivers: [slack-warnings],"
    " fires_within: 2m15s, resolves_within: 1m}\n"
)
DROP = "- {name: gone, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 0.4}}\n"
DOWN = "- {name: down, fault: exporter_down, start: 5m, duration: 2m}\n"
SCENARIO = scenario_of(
    f"duration: 8m\nload: {{rate: 1000}}\nfaults:\n{DROP}{DOWN}expectations:\n{LOW}"
)
EMPTY = scenario_of(
    "duration: 5m\nload: {rate: 1000}\nfaults:\n"
    "- {name: none, fault: traffic_drop, start: 1m, duration: 3m, parameters: {share: 1}}\n"
    "expectations:\n- {alert: Low, cause: none, fires_within: 3m}\n"
    "- {alert: Lower, cause: none, fires_within: 3m}\n"
)
ALERTS = ("Low", "Lower", "Longer", "Silent")


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Return rules that fire, that nearly meet the threshold, nearly their `for`, and neither."""
    return rules(
        tmp_path_factory.mktemp("rules"),
        {"alert": "Low", "expr": f"{RATE} < 900", "for": "1m", "labels": {"severity": "warning"}},
        {"alert": "Lower", "expr": f"{RATE} < 580", "for": "1m"},
        {"alert": "Longer", "expr": f"{RATE} < 901", "for": "4m"},
        {"alert": "Silent", "expr": f"{RATE} > 5000"},
    )


def observe(read, *scenarios):
    """Return the coverage of scenarios."""
    judge = CoverageJudge(read, load_routing(PACK_ROUTING))
    return coverage_of(read, [judge(HEALTHY, each, lambda _: None) for each in scenarios], {})


def proven(coverage, alert):
    """Return the cells of an alert that are proven."""
    return {each.cell for each in coverage.cells if each.rule.alert == alert and each.proofs}


@pytest.fixture(scope="module")
def covered(read):
    """Return the coverage of the whole scenario."""
    return observe(read, SCENARIO)


def test_each_cell_is_proven_by_what_happened(covered):
    """What fires is notified and resolves; what must be silent was near, or pending, or blind."""
    assert covered.failing == covered.unjudged == ()
    assert proven(covered, "Low") == {"fires", "resolves", "notified", "absent_data"}
    assert proven(covered, "Lower") == {"near_threshold", "absent_data"}
    assert proven(covered, "Longer") == {"near_for"}  # absent for less than its `for`
    assert proven(covered, "Silent") == {"absent_data"}


def test_no_traffic_is_judged_whether_it_fires_or_not(read):
    """A stretch without requests, as long as the `for`."""
    coverage = observe(read, EMPTY)
    assert "no_traffic" in proven(coverage, "Low")
    assert "no_traffic" in proven(coverage, "Silent")
    assert "no_traffic" not in proven(coverage, "Longer")


def test_what_is_merely_explained_proves_nothing(read):
    """Planted: the same run, whose expectations would accept the opposite of what happened."""
    loose = scenario_of(
        f"duration: 8m\nload: {{rate: 1000}}\nfaults:\n{DROP}{DOWN}expectations:\n"
        + "".join(f"- {{alert: {name}, explained: whatever it does}}\n" for name in ALERTS)
    )
    coverage = observe(read, loose)
    assert all(not proven(coverage, name) for name in ALERTS)
    seen = {each.cell for each in coverage.cells if each.unheld}
    assert {"fires", "near_threshold", "near_for", "resolves", "absent_data", "notified"} <= seen
    searches = {(loose.name, "Low", "near_threshold"): "near-miss Low"}
    said = "\n".join(coverage_lines(replace(coverage, searches=searches)))
    assert "hold nothing of it" in said
    assert "search it, with the same --rules if there were any: near-miss Low\n" in said
    assert f"no search finds one: {NO_SCENARIO}" in said


def test_a_resolution_without_a_limit_and_receivers_without_a_name_are_open(read):
    """Planted: the expectation is there, and says less."""
    expected = replace(SCENARIO.expectations[0], resolves_within_s=None, receivers=None)
    coverage = observe(read, replace(SCENARIO, expectations=(expected,)))
    assert proven(coverage, "Low") == {"fires"}  # it might as well have fired again, blind


def test_an_alert_that_goes_to_others_or_fails_proves_nothing(read):
    """It is named with why. Planted: another receiver, and a limit that is not met."""
    other = replace(SCENARIO.expectations[0], receivers=("pagerduty-critical",))
    coverage = observe(read, replace(SCENARIO, expectations=(other,)))
    assert "notified" not in proven(coverage, "Low")
    why = "routed to slack-warnings, expected pagerduty-critical"
    assert coverage.failing == ((SCENARIO.name, "Low", why),)
    late = replace(SCENARIO.expectations[0], fires_within_s=1.0)
    coverage = observe(read, replace(SCENARIO, expectations=(late,)))
    assert proven(coverage, "Low") == set()
    assert coverage.failing == ((SCENARIO.name, "Low", "fails its expectations"),)


def test_a_judge_that_accepts_everything_proves_only_what_routes_say(read, monkeypatch):
    """Planted: so what is proven is the judge's doing."""
    for module in ("episode_cells", "value_cells"):
        monkeypatch.setattr(f"verifier.coverage.{module}.is_refused", lambda *_: False)
    monkeypatch.setattr(observing, "is_accepted", lambda *_: True)
    coverage = observe(read, SCENARIO)
    assert {each.cell for each in coverage.cells if each.proofs} == {"notified"}


def test_the_coverage_is_a_document_and_a_table(covered):
    """By the published schema; every cell is named once."""
    document = coverage_document(covered)
    validate(document, json.loads(SCHEMA.read_text()))
    states = [each["state"] for each in document["cells"]]
    assert len(states) == 4 * 7
    assert states.count("explained") == 1  # Silent has no `for` to miss
    assert document["proven"] == states.count("proven")
    rows = list(table_rows(covered))
    assert [row[0] for row in rows] == list(ALERTS)
    assert rows[0][1] == "written"
    assert rows[3][3] == "explained"
    *_, last = coverage_lines(covered)
    assert last.startswith(f"COVERAGE: {covered.share:.1%}: {document['proven']} of 28 cells")


def test_a_reason_explains_an_open_cell_and_is_needless_for_a_proven_one(read, covered, tmp_path):
    """Both are told; a reason never makes a proof."""
    path = tmp_path / "reasons.yaml"
    path.write_text("Silent: {fires: nothing is so fast}\nLow:\n  fires: |\n    never\n    mind\n")
    reasons = load_reasons(path, ALERTS)
    assert reasons == {("Silent", "fires"): "nothing is so fast", ("Low", "fires"): "never mind"}
    judge = CoverageJudge(read, load_routing(PACK_ROUTING))
    coverage = coverage_of(read, [judge(HEALTHY, SCENARIO, lambda _: None)], reasons)
    assert coverage.count("explained") == covered.count("explained") + 1
    assert coverage.count("proven") == covered.count("proven")
    text = "\n".join(coverage_lines(coverage))
    assert "Silent: fires: explained: nothing is so fast" in text
    assert "Low: fires: a reason stands there, yet written proves it" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Lowe: {fires: x}\n", "reasons.yaml:1:1"),
        ("Low: {fired: x}\n", "did you mean 'fires'"),
        ("Low: {fires: ''}\n", "text that is not empty"),
        ("- Low\n", "must be a mapping"),
    ],
)
def test_a_mistake_in_the_reasons_is_named_with_its_place(tmp_path, text, said):
    """Each by itself."""
    path = tmp_path / "reasons.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_reasons(path, ALERTS)
    assert said in str(caught.value)
