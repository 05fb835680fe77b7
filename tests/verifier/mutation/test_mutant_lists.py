"""Every mutant of some rules by its list: waits, labels, intervals, and recordings with copies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from documents.mistakes import Place
from tests.verifier.alerts import recording
from verifier.mutation.mutants import mutants_of, unedited_recordings
from verifier.mutation.recordings import BY_PATTERN, EXPORTED, OF_STATES, UNREAD
from verifier.pack.rules import AlertRule, RuleFiles, RuleGroup

LINES = iter(range(1, 1000))


def alerting(name, expr, for_s=0.0, **labels):
    """Return an alerting rule at a place of its own."""
    written = tuple(sorted(labels.items()))
    return AlertRule(name, expr, for_s, 0.0, written, (), Place("rules.yaml", next(LINES), 1))


def recorded(name, expr, **labels):
    """Return a recording rule at a place of its own."""
    return replace(recording(name, expr, **labels), position=Place("rules.yaml", next(LINES), 1))


def files(*groups):
    """Return rules in groups evaluated every 30 s."""
    return RuleFiles(tuple(
        RuleGroup(f"g{n}", "rules.yaml", 30.0, tuple(each)) for n, each in enumerate(groups)
    ))  # fmt: skip


def lines(rules, *asked):
    """Return each mutant as a person reads it."""
    return [f"{each.subject}: {each.kind}: {each.change}" for each in mutants_of(rules, *asked)]


@pytest.mark.parametrize(
    ("for_s", "waits"),
    [
        (60.0, ["0s", "30s", "2m", "1m30s"]),
        (0.0, ["30s"]),
        (30.0, ["0s", "15s", "1m"]),
        (10.0, ["0s", "5s", "20s", "40s"]),
        (45.0, ["0s", "22.5s", "1m30s", "15s", "1m15s"]),
    ],
)
def test_a_wait_is_edited_into_every_other_that_people_write(for_s, waits):
    """None, half of it, twice as much, an evaluation less and one more; each once."""
    alert = alerting("A", "group(a)", for_s)
    before = {0.0: "0s", 10.0: "10s", 30.0: "30s", 45.0: "45s", 60.0: "1m"}[for_s]
    rules = files([alert])
    listed = [line for line in lines(rules) if " for: " in line]
    assert listed == [f"A: for: {before} -> {after}" for after in waits]
    mutants = [each for each in mutants_of(rules) if each.kind == "for"]
    assert [each.rule.for_s for each in mutants] == [_seconds(each) for each in waits]
    assert {replace(each.rule, for_s=for_s) for each in mutants} == {alert}


def _seconds(text):
    """Return a duration in seconds."""
    known = {"22.5s": 22.5, "1m": 60.0, "1m15s": 75.0, "1m30s": 90.0, "2m": 120.0}
    return known[text] if text in known else float(text.removesuffix("s"))


def test_labels_are_changed_and_left_out_each_by_itself():
    """A severity becomes another one; a template stays, as nobody edits its text by mistake."""
    rules = files(
        [alerting("A", "group(a)", severity="critical", team="x", title="{{ $labels.x }}")],
        [alerting("B", "group(a)", severity="page")],
        [alerting("C", "group(a)", severity="warning")],
    )
    labels = [each for each in mutants_of(rules) if each.kind == "label"]
    assert [f"{each.subject}: {each.change}" for each in labels] == [
        "A: severity: critical -> severity: warning", "A: severity: critical -> no such label",
        "A: team: x -> team: changed", "A: team: x -> no such label",
        "B: severity: page -> severity: ticket", "B: severity: page -> no such label",
        "C: severity: warning -> severity: critical", "C: severity: warning -> no such label",
    ]  # fmt: skip
    template = ("title", "{{ $labels.x }}")
    assert [each.rule.labels for each in labels[:4]] == [
        (("severity", "warning"), ("team", "x"), template), (("team", "x"), template),
        (("severity", "critical"), ("team", "changed"), template),
        (("severity", "critical"), template),
    ]  # fmt: skip


def test_labels_of_one_text_are_two_labels():
    """The other one stays."""
    rules = files([alerting("A", "group(a)", team="x", zone="x")])
    labels = [each.rule.labels for each in mutants_of(rules) if each.kind == "label"]
    assert labels == [
        (("team", "changed"), ("zone", "x")), (("zone", "x"),),
        (("team", "x"), ("zone", "changed")), (("team", "x"),),
    ]  # fmt: skip


def test_mutants_follow_the_rules_and_recordings_come_last():
    """Each alert of a group, the interval of all of them, then what they read."""
    rules = files(
        [alerting("A", "max(r)"), alerting("Of", "ALERTS"), alerting("B", "group(b)")],
        [recorded("r", "group(a_total)", team="x"), recorded("unread", "max(b)")],
        [alerting("Over", "ALERTS > 1")],
    )
    every = [
        "A: aggregation: max(r) -> min(r)", "A: aggregation: max(r) -> r", "A: for: 0s -> 30s",
        "B: for: 0s -> 30s",
        "group g0: interval: 30s -> 15s", "group g0: interval: 30s -> 1m",
        "r: label: team: x -> team: changed", "r: label: team: x -> no such label",
    ]  # fmt: skip
    assert lines(rules) == every
    assert lines(rules, ["B"]) == every[3:6]
    assert lines(rules, ["A"]) == [*every[:3], *every[4:]]
    interval = mutants_of(rules, ["A"])[3]
    assert [each.alert for each in interval.rules] == ["A"]
    assert (interval.alert, interval.record, interval.group.interval_s) == (None, None, 15.0)
    assert [(rule.record, why) for rule, why in unedited_recordings(rules)] == [("unread", UNREAD)]


def test_metrics_that_are_exported_or_read_may_be_taken_for_one_another():
    """In an alert recorded names, too; in a recording none, so that its order stays."""
    rules = files(
        [alerting("A", "group(jobs_done_total)"), alerting("B", "group(jobs_seen_total)")],
        [recorded("jobs_kept_total", "group(jobs_lost_total)"),
         alerting("C", "group(jobs_kept_total)")],
    )  # fmt: skip
    exported = ["jobs_done_total", "k_total", "l_total", "m_total", "n_total"]
    listed = [line for line in lines(rules, [], exported) if " metric: " in line]
    assert listed == [
        "A: metric: jobs_done_total -> jobs_kept_total",
        "A: metric: jobs_done_total -> jobs_lost_total",
        "B: metric: jobs_seen_total -> jobs_done_total",
        "B: metric: jobs_seen_total -> jobs_kept_total",
        "C: metric: jobs_kept_total -> jobs_done_total",
        "C: metric: jobs_kept_total -> jobs_lost_total",
        "jobs_kept_total: metric: jobs_lost_total -> jobs_done_total",
        "jobs_kept_total: metric: jobs_lost_total -> jobs_seen_total",
    ]


def copies(rules, record, *asked):
    """Return the copies that the first mutant of a recording is evaluated by."""
    mutant = next(each for each in mutants_of(rules, *asked) if each.record == record)
    return {
        group.name: [
            f"{rule.record if hasattr(rule, 'record') else rule.alert} = {rule.expr}"
            for rule in group.rules
        ]
        for group in mutant.copies
    }


def test_an_edited_recording_is_copied_with_all_that_reads_it():
    """Through others, with namesakes and whatever is evaluated with them; names are their own."""
    rules = files(
        [recorded("r", "max(a)"), alerting("Near", "r > 0"), alerting("Apart", "c > 0")],
        [recorded("s", "r * 2"), recorded("r", "min(b)"), recorded("t", "c * 2")],
        [alerting("Far", "s > 1 and t > 1"), alerting("Of", "s > 1 and ALERTS")],
    )
    number = next(n for n, each in enumerate(mutants_of(rules)) if each.record == "r")
    own = f"mutant{number}:"
    assert copies(rules, "r") == {
        "g0": [f"{own}r = min(a)", f"Near = {own}r > 0"],
        "g1": [f"{own}s = {own}r * 2", f"{own}r = min(b)"],
        "g2": [f"Far = {own}s > 1 and t > 1"],
    }
    first = next(n for n, each in enumerate(mutants_of(rules, ["Far"])) if each.record == "t")
    assert copies(rules, "t", ["Far"]) == {
        "g1": [f"mutant{first}:t = c / 2"], "g2": [f"Far = s > 1 and mutant{first}:t > 1"],
    }  # fmt: skip


def test_what_records_the_same_name_elsewhere_is_copied_too():
    """Whoever reads the name reads both."""
    rules = files([recorded("r", "max(a)"), alerting("A", "r > 0")], [recorded("r", "min(b)")])
    first = next(n for n, each in enumerate(mutants_of(rules)) if each.record == "r")
    own = f"mutant{first}:"
    assert copies(rules, "r") == {
        "g0": [f"{own}r = min(a)", f"A = {own}r > 0"], "g1": [f"{own}r = min(b)"],
    }  # fmt: skip


def test_rules_that_read_one_another_are_copied_together():
    """A recording that reads itself through another one, and an alert of their circle."""
    rules = files(
        [recorded("r", "max(a) + s"), recorded("s", "r / 2"), alerting("A", "s > 1")],
        [alerting("Other", "a > 1")],
    )
    number = next(n for n, each in enumerate(mutants_of(rules)) if each.record == "r")
    own = f"mutant{number}:"
    assert copies(rules, "r") == {
        "g0": [f"{own}r = max(a) - {own}s", f"{own}s = {own}r / 2", f"A = {own}s > 1"]
    }


@pytest.mark.parametrize(
    ("groups", "exported", "reasons"),
    [
        ([[recorded("r", "a"), alerting("A", "r")]], [], {}),
        ([[recorded("r", "a"), alerting("A", "r")]], ["r"], {"r": EXPORTED}),
        ([[recorded("r", "a"), recorded("s", "r"), alerting("A", "s")]], ["s"],
         {"r": EXPORTED, "s": EXPORTED}),
        ([[recorded("r", "a"), recorded("s", "r"), alerting("A", "s")]], ["r"], {"r": EXPORTED}),
        ([[recorded("r", "a"), recorded("s", "ALERTS + r"), alerting("A", "s")]], [],
         {"r": OF_STATES, "s": OF_STATES}),
        ([[recorded("r", "a"), alerting("A", "{__name__=~'r.*'}")]], [], {"r": BY_PATTERN}),
        ([[recorded("r", "a")], [alerting("Other", "a")]], [], {"r": UNREAD}),
        ([[recorded("r", "a"), alerting("A", "r and ALERTS")]], [], {"r": UNREAD}),
    ],
)  # fmt: skip
def test_why_a_recording_is_not_edited_is_said_of_all_that_it_reaches(groups, exported, reasons):
    """What no alert reads comes first, then patterns, states, and exported names."""
    rules = files(*groups)
    assert {rule.record: why for rule, why in unedited_recordings(rules, (), exported)} == reasons
