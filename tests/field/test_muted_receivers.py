"""Receivers that time intervals mute, or that are told of no end: the reason stands in the verdict.

The scenario starts on Monday, 2026-01-05 at 00:00 UTC; its alert fires from 00:08:30 to 00:13.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.judge.ledgers import LEDGER, notification, outcome_of, verdicts
from tests.verifier.judge.small_scenario import scenario_with
from verifier.judge.notification_verdicts import routing_findings
from verifier.pack.routes.routing import load_routing

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
time_intervals:
- name: at-times
  time_intervals: [{%s}]
route: {receiver: other, routes: [{matchers: [alertname=Throughput], receiver: slack%s}]}
receivers:
- {name: other, webhook_configs: [{url: http://127.0.0.1/}]}
- {name: slack, %s}
"""
HOOK = "webhook_configs: [{url: http://127.0.0.1/}]"
MUTED = ", mute_time_intervals: [at-times]"
ANY = "{alert: Throughput, fires_within: 7m, resolves_within: 3m, notifies_resolved: false}"
NEVER = "it fired for 4m30s, Alertmanager had it: slack was never notified"


def judged(folder: Path, times="", names=MUTED, hook=HOOK, ledger=(), **changes):
    """Return the outcome with a routing whose time interval has one part."""
    path = folder / "alertmanager.yml"
    path.write_text(CONFIG % (times, names, hook))
    routing = load_routing(path)
    return outcome_of(verdicts(ledger, routing=routing, date_s=EPOCH_S, **changes))


def during(first: str, last: str) -> str:
    """Return the part of an interval between two times of day."""
    return f"times: [{{start_time: '{first}', end_time: '{last}'}}]"


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("times", "names", "reason"),
    [
        ("", MUTED, "muted by time interval 'at-times'"),
        ("weekdays: [monday]", MUTED, "muted by time interval 'at-times'"),
        (during("00:08", "00:13"), MUTED, "muted by time interval 'at-times'"),
        (
            "weekdays: [sunday]",
            ", active_time_intervals: [at-times]",
            "outside its active time interval 'at-times'",
        ),
    ],
)
def test_a_receiver_that_was_muted_all_the_time_fails_with_that_reason(
    tmp_path: Path, times: str, names: str, reason: str
) -> None:
    """Also when nobody is named: then of all that the routes lead to."""
    expected = (False, "alertmanager", f"{NEVER} (slack: {reason})")
    assert judged(tmp_path, times, names) == expected
    ok, _, text = judged(tmp_path, times, names, expectations=(ANY,))
    assert not ok
    assert text.endswith(f"nobody was notified (slack: {reason})")


def test_a_receiver_that_is_muted_at_another_time_is_missed_as_before(tmp_path: Path) -> None:
    """The interval is no excuse, and no reason."""
    for times in ("weekdays: [tuesday]", during("00:09", "00:10"), during("00:13", "24:00")):
        assert judged(tmp_path, times) == (False, "alertmanager", NEVER)
        assert judged(tmp_path, times, ledger=LEDGER)[0]


def test_a_notification_is_due_once_its_receiver_is_not_muted(tmp_path: Path) -> None:
    """Muted until 00:12, notified at 00:12:30: in time, with a remark; a day later: late."""
    until = during("00:00", "00:12")
    ledger = (notification("firing", 750.0), LEDGER[1])
    ok, _, reason = judged(tmp_path, until, ledger=ledger)
    assert ok
    assert reason.endswith("slack was muted by time interval 'at-times' until 12m")
    late = (notification("firing", 1060.0), notification("resolved", 1070.0))
    assert "slack was notified 5m40s after it fired" in judged(tmp_path, until, ledger=late)[2]


def test_an_end_while_its_receiver_is_muted_is_never_notified(tmp_path: Path) -> None:
    """Alertmanager forgets a resolved alert that it may not send."""
    unaware = "slack was never notified that it resolved"
    assert judged(tmp_path, during("00:12", "01:00"), ledger=LEDGER[:1]) == (
        False,
        "alertmanager",
        f"{unaware} (slack: muted by time interval 'at-times' then)",
    )
    assert judged(tmp_path, during("00:09", "00:10"), ledger=LEDGER[:1])[2] == unaware


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        (
            "slack_configs: [{channel: a, api_url: 'http://127.0.0.1/'}]",
            "slack_configs is false by default",
        ),
        (
            "webhook_configs: [{url: http://127.0.0.1/, send_resolved: no}]",
            "webhook_configs is false",
        ),
    ],
)
def test_a_receiver_that_is_told_of_no_end_fails_with_that_reason(
    tmp_path: Path, hook: str, why: str
) -> None:
    """By its integration's own default, or by what the file says; and a finding says so before."""
    ok, _, reason = judged(tmp_path, names="", hook=hook, ledger=LEDGER[:1])
    unaware = "slack was never notified that it resolved"
    assert (ok, reason) == (False, f"{unaware} (slack: send_resolved of its {why})")
    expectation = (
        "{alert: Throughput, receivers: [slack], fires_within: 7m, resolves_within: 3m,"
        " notifies_resolved: true}"
    )
    routing = load_routing(tmp_path / "alertmanager.yml")
    findings = routing_findings(scenario_with(expectation), routing)
    assert any(
        f"Throughput expects slack to be notified that it resolved, but send_resolved of its {why}"
        in finding
        for finding in findings
    )


def test_what_reads_the_clock_says_which_time_it_is(tmp_path: Path) -> None:
    """A verdict that holds on Monday at midnight alone must say so."""
    judged(tmp_path, "weekdays: [monday]")
    routing = load_routing(tmp_path / "alertmanager.yml")
    (finding,) = routing_findings(scenario_with(), routing)
    assert "judged as of Monday, 2026-01-05 00:00 UTC" in finding
    judged(tmp_path, names="")
    assert routing_findings(scenario_with(), load_routing(tmp_path / "alertmanager.yml")) == ()
