"""What a stack refuses, and how its servers are told of date, compression and each other."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.field.routed_alerts import AlertRun, date
from tests.verifier.deliveries import wait_until
from tests.verifier.simulations import pack_rules
from verifier.errors import JudgeError
from verifier.pack.routes.routing import load_routing
from verifier.pack.routes.zone_files import DateClock
from verifier.real_time import stack as module
from verifier.real_time.stack import Stack
from verifier.servers.foreign_server import ForeignServer
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from pathlib import Path

MUTED_IN_MAY = """\
time_intervals: [{name: may, time_intervals: [{months: [may], location: Asia/Tokyo}]}]
route:
  receiver: all
  group_wait: 0s
  group_by: ['...']
  routes:
  - {matchers: [alertname!=""], receiver: duty, mute_time_intervals: [may], continue: true}
  - {matchers: [alertname!=""], receiver: all}
receivers:
- {name: all, webhook_configs: [{url: http://127.0.0.1/}]}
- {name: duty, webhook_configs: [{url: http://127.0.0.1/}]}
"""
EMPTY = "route: {receiver: a}\nreceivers: [{name: a}]\n"


@pytest.mark.ci
def test_a_prometheus_that_stores_nothing_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs, responds and is `ready`: only its newest sample shows it."""
    monkeypatch.setattr(module, "STALE_S", 1.0)
    routing = tmp_path / "routing.yml"
    routing.write_text(EMPTY)
    rules = pack_rules("backpressure")
    with Stack(rules, load_routing(routing), TimeCompression(30)) as stack:
        stack.start_scraping("127.0.0.1:1")
        assert stack._configured_s < time.time()
        stack.prometheus.configure("{}")
        stack.check()

        def stale() -> bool:
            try:
                stack.check()
            except JudgeError as error:
                return "stores no sample any more" in str(error)
            return False

        assert wait_until(stale, 10)


def test_alertmanager_believes_in_the_date_of_the_scenario(tmp_path: Path) -> None:
    """The last of April in London is May in Tokyo; it holds after a restart as well."""
    path = tmp_path / "routing.yml"
    path.write_text(MUTED_IN_MAY)
    days = {"2031-04-30T14:00": True, "2031-04-30T16:00": False}
    with Stack(pack_rules("backpressure"), load_routing(path), TimeCompression(10)) as stack:
        run = AlertRun(stack.alertmanager, stack.receiver)
        for day, duty in [*reversed(days.items()), *days.items()]:
            alert = {"alertname": f"{len(run.receiver.notifications())} {day}"}
            stack.set_date(DateClock(time.time(), date(day), 10.0, 60.0))
            stack.alertmanager.restart()
            run.send([alert])
            assert wait_until(lambda alert=alert: "all" in receivers_of(run, alert), 5)
            time.sleep(0.5)
            assert ("duty" in receivers_of(run, alert)) == duty


@pytest.mark.parametrize(
    ("factor", "scrape", "timeout", "evaluation"),
    [(1.0, "15000ms", "10000ms", "60000ms"), (30.0, "500ms", "500ms", "2000ms")],
)
def test_every_time_of_prometheus_is_compressed_as_the_run_is(
    tmp_path: Path, factor: float, scrape: str, timeout: str, evaluation: str
) -> None:
    """Its own flags too: how far back a query looks, and how often a firing alert is sent."""
    path = tmp_path / "routing.yml"
    path.write_text(EMPTY)
    alertmanager = ForeignServer("your Alertmanager", "https://host:93/am/")
    stack = Stack(
        pack_rules("backpressure"),
        load_routing(path),
        TimeCompression(factor),
        foreign_alertmanager=alertmanager,
    )
    assert stack.prometheus.factor == factor
    assert stack.prometheus._process._factor == factor
    config = stack._config(["a.yaml"], "127.0.0.1:1", 1)
    assert config["global"] == {
        "scrape_interval": scrape,
        "scrape_timeout": timeout,
        "evaluation_interval": evaluation,
    }
    assert config["rule_files"] == ["a.yaml"]
    notified = {
        "scheme": "https",
        "path_prefix": "/am",
        "static_configs": [{"targets": ["host:93"]}],
    }
    assert config["alerting"] == {"alertmanagers": [notified]}


def receivers_of(run: AlertRun, alert: dict[str, str]) -> set[str]:
    """Return who was notified of an alert."""
    notifications = run.receiver.notifications()
    return {each.receiver for each in notifications if dict(each.labels) == alert}
