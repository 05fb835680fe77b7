"""What a replay says at the end, from records that were filled by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.histories import rules
from verifier.backtest import noise
from verifier.backtest.replay import Replay, ReplayRequest
from verifier.backtest.result import result_document, result_lines, result_of
from verifier.backtest.sample_gaps import SampleGaps
from verifier.backtest.silence import ReplayFinding
from verifier.evaluation.timeline import Episode
from verifier.report.pages.replay import replay_page

FROM_S = 1_772_442_000.0
SPAN = "2026-03-02T09:00:00Z to 2026-03-02T21:00:00Z"
OTHERWISE = (
    "is recorded otherwise in the two versions: both read what is stored,"
    " so what this changes is not seen"
)
OLD = (
    {"record": "job:level:sum", "expr": "sum by (job) (level)"},
    {"record": "job:level:max", "expr": "max by (job) (level)"},
    {"alert": "High", "expr": "job:level:sum > 5"},
    {"alert": "Old", "expr": "level > 5"},
)
NEW = (
    {"record": "job:level:sum", "expr": "sum by (job) (rate(level[1m]))"},
    {"record": "job:level:max", "expr": "max by (job) (level)"},
    {"alert": "High", "expr": "job:level:sum > 5"},
    {"alert": "New", "expr": "level > 5"},
)
FIRED = Episode(0.0, 60.0, 360.0)


def replayed(tmp_path, against=None, *, hours=12.0):
    """Return a request and its alerts by version and name, none of which did anything yet."""
    (tmp_path / "old").mkdir()
    request = ReplayRequest(
        rules=rules(tmp_path, *NEW), from_s=FROM_S, to_s=FROM_S + 3600.0 * hours,
        against=rules(tmp_path / "old", *OLD) if against else None,
    )  # fmt: skip
    alerts = Replay(None, request).alerts
    return request, {(each.version, each.rule.alert): each for each in alerts}


def said(request, alerts, *findings):
    """Return the result and its lines."""
    result = result_of("http://there", request, list(alerts.values()), findings)
    return result, list(result_lines(result))


def test_one_version_is_counted(tmp_path):
    """How often it fired, in how long, and how many alerts never did."""
    request, alerts = replayed(tmp_path)
    own = alerts["rules", "High"]
    own.record.add({(("job", "a"),): [FIRED, Episode(600.0, 660.0, None)]})
    result, lines = said(request, alerts)
    assert lines == [f"REPLAY: 2 firings of 2 alerts in 12h ({SPAN}), 1 of them never fired"]
    assert not result.unjudged
    assert result.per_day(own) == 4.0
    document = result_document(result)
    assert (document["from"], document["to"]) == (FROM_S, FROM_S + 43_200.0)
    assert document["changes"] is None
    high, new = document["alerts"]
    assert (high["firings"], high["firings_per_day"], new["firings"]) == (2, 4.0, 0)
    assert high["series"][0]["episodes"] == [
        {"pending": FROM_S, "firing": FROM_S + 60.0, "resolved": FROM_S + 360.0},
        {"pending": FROM_S + 600.0, "firing": FROM_S + 660.0, "resolved": None},
    ]


def test_what_kept_an_alert_from_being_judged_is_said_with_its_place(tmp_path):
    """Refused, or failing at some evaluations; the latter has been judged at the others."""
    request, alerts = replayed(tmp_path)
    own = alerts["rules", "New"]
    own.run.go_on_from(3, "many-to-many")
    result, lines = said(request, alerts)
    place = own.rule.position
    assert lines[0] == f"{place}: New: 3 of 2,881 evaluations fail: many-to-many"
    assert not result.unjudged
    own.refused = "unknown function"
    result, lines = said(request, alerts)
    assert lines[0] == f"{place}: New: not judged: unknown function"
    assert len(lines) == 2
    assert result.unjudged
    assert result_document(result)["alerts"][1]["not_judged"] == "unknown function"


@pytest.mark.parametrize(("version", "is_unjudged"), [("rules", True), ("against", False)])
def test_a_finding_of_the_rules_alone_keeps_them_from_being_judged(tmp_path, version, is_unjudged):
    """One of the version that they are held against is said, and no more."""
    request, alerts = replayed(tmp_path, against=True)
    finding = ReplayFinding(alerts[version, "High"], "nothing is stored")
    result, lines = said(request, alerts, finding)
    assert result.unjudged == is_unjudged
    assert lines[0].endswith(": High: no data: nothing is stored")
    assert ": no data: nothing is stored" in repr(replay_page(result, status=3))
    result, lines = said(request, alerts, replace(finding, vacuous=True))
    assert lines[0].endswith(": High: vacuous: nothing is stored")
    assert ": vacuous: nothing is stored" in repr(replay_page(result, status=3))
    kinds = [each["kind"] for own in result_document(result)["alerts"] for each in own["findings"]]
    assert kinds == ["vacuous"]


def test_where_nothing_is_stored_is_said(tmp_path):
    """A part is named and no failure; more than five are counted; all of it is no judgement."""
    request, alerts = replayed(tmp_path)
    alerts = list(alerts.values())

    def line(*spans, **fields):
        gaps = SampleGaps(tuple((FROM_S + a, FROM_S + b) for a, b in spans), **fields)
        result = result_of("http://there", request, alerts, (), gaps=gaps)
        text, total = result_lines(result)
        assert total.startswith("REPLAY: ")
        assert text in repr(replay_page(result, status=3))
        return text, result.unjudged, result_document(result)["no_samples"]

    text, is_unjudged, document = line((0, 3600), (7200, 9000))
    assert text == (
        "no samples of any metric that the alerts read: 2026-03-02T09:00:00Z to"
        " 2026-03-02T10:00:00Z and 2026-03-02T11:00:00Z to 2026-03-02T11:30:00Z, 1h30m of 12h:"
        " what is said of that time means nothing"
    )
    assert not is_unjudged
    assert document[0] == {"from": FROM_S, "to": FROM_S + 3600}
    text, *_ = line(*((3600 * hour, 3600 * hour + 900) for hour in range(8)))
    assert "2026-03-02T13:15:00Z and 3 more, 2h of 12h" in text
    text, is_unjudged, _ = line((0, 43_200), is_whole=True)
    assert "all of the range: nothing could be judged. Check that --prometheus" in text
    assert is_unjudged
    text, is_unjudged, document = line(unknown="no such thing")
    assert text.endswith("for a part of the range: no such thing")
    assert (is_unjudged, document) == (False, None)


def test_two_versions_are_said_side_by_side(tmp_path):
    """Each firing with its own version, and only a recording that differs is named."""
    request, alerts = replayed(tmp_path, against=True)
    labels = (("job", "a"),)
    alerts["rules", "New"].record.add({labels: [FIRED]})
    alerts["against", "Old"].record.add({labels: [FIRED, replace(FIRED, resolved_s=400.0)]})
    alerts["against", "High"].record.add({labels: [FIRED], (): [FIRED]})
    alerts["rules", "High"].record.add({labels: [replace(FIRED, resolved_s=420.0)], (): [FIRED]})
    result, lines = said(request, alerts)
    assert lines == [
        "Changes, from --against to --rules:",
        "  New: added, 1 firing",
        "  Old: gone, 2 firings",
        '  High{job="a"}: resolves 1m later now',
        "  1 alert with the same episodes",
        f"  job:level:sum {OTHERWISE}",
        f"REPLAY: 3 firings of 2 alerts in 12h ({SPAN}), 0 of them never fired",
    ]
    (same, moved) = result_document(result)["changes"]["alerts"]
    assert (same["same"], moved["same"], moved["resolves_later_s"]) == (True, False, [60.0])


def test_episodes_that_were_not_kept_are_not_compared_and_that_is_said(tmp_path, monkeypatch):
    """They are counted all the same."""
    monkeypatch.setattr(noise, "EPISODES_MAX", 1)
    request, alerts = replayed(tmp_path, against=True)
    alerts["rules", "High"].record.add({(): [FIRED, Episode(600.0, 660.0, 700.0)]})
    result, lines = said(request, alerts)
    assert result.notes[0] == "High: only its first 1 episodes are compared"
    assert lines[-1].startswith("REPLAY: 2 firings of 2 alerts")


@pytest.mark.parametrize(("number", "rest"), [(4, ""), (5, ""), (6, " and 1 more")])
def test_five_gaps_are_named_and_no_more(tmp_path, number, rest):
    """What is counted is not named as well."""
    request, alerts = replayed(tmp_path)
    spans = tuple((FROM_S + 3600.0 * n, FROM_S + 3600.0 * n + 900.0) for n in range(number))
    result = result_of("http://there", request, list(alerts.values()), (), gaps=SampleGaps(spans))
    line, _ = result_lines(result)
    named = line.partition(", 1h")[0].removesuffix(rest)
    assert named.count("2026-03-02T") == 2 * min(number, 5)
    assert ("more" in line) == bool(rest)


def test_the_document_has_every_count_of_an_alert(tmp_path):
    """Each under its own name: rounded, of its own alert, the rules before what they replace."""
    request, alerts = replayed(tmp_path, against=True)
    assert list(alerts) == [
        ("rules", "High"), ("rules", "New"), ("against", "High"), ("against", "Old"),
    ]  # fmt: skip
    own, old = alerts["rules", "High"], alerts["against", "High"]
    episodes = [replace(FIRED, firing_s=61.2346), Episode(700.0, 760.0, 900.0),
                Episode(950.0, None, 960.0), Episode(43_000.0, 43_100.0, None)]  # fmt: skip
    own.record.add({(): episodes})
    old.record.add({(): [FIRED]})
    own.record.noise.evaluations, own.record.noise.pending = 2881, 7
    own.record.noise.firing = 38
    own.run.go_on_from(1, "many-to-many")
    finding = ReplayFinding(old, "nothing is stored")
    result, lines = said(request, alerts, finding)
    assert f"{own.rule.position}: High: 1 of 2,881 evaluations fail: many-to-many" in lines
    document = result_document(result)
    high, _, before, _ = document["alerts"]
    del high["series"]
    assert high == {
        "of": "rules", "alert": "High", "file": own.rule.position.path,
        "line": own.rule.position.line, "group": "g", "interval_s": 15.0, "evaluations": 2881,
        "failed_evaluations": 1, "firing_share": 0.01319, "pending_share": 0.00243, "firings": 3,
        "firings_per_day": 6.0, "only_pending": 1, "flaps": 1, "longest_firing_s": 298.765,
        "not_judged": None, "findings": [], "episodes_left_out": 0,
    }  # fmt: skip
    assert before["findings"] == [{"kind": "no_data", "message": "nothing is stored"}]
    (change,) = document["changes"]["alerts"]
    assert (change["alert"], change["same"], change["fires_later_s"]) == ("High", False, [1.235])
    assert (document["changes"]["added"], document["changes"]["gone"]) == (["New"], ["Old"])
