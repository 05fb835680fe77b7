"""The throwaway Alertmanager: it notifies our receiver, survives a kill, leaves nothing behind."""

from __future__ import annotations

import os
import signal
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.verifier.deliveries import post, wait_until
from tests.verifier.servers.processes import leaves_nothing
from verifier.errors import JudgeError
from verifier.pack.routes.routing import load_routing
from verifier.servers import binaries, loopback_server
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.child import free_port
from verifier.servers.receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verifier.pack.routes.routing import Routing

QUICK = """\
route: {receiver: all, group_by: [alertname], group_wait: 0s, group_interval: 3s}
inhibit_rules: [{source_matchers: [alertname=Big], target_matchers: [alertname=Small]}]
receivers: [{name: all, webhook_configs: [{url: http://127.0.0.1/}]}]
"""
EMPTY = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture
def routing(tmp_path: Path) -> Routing:
    """Give a routing that waits for nothing."""
    path = tmp_path / "alertmanager.yml"
    path.write_text(QUICK)
    return load_routing(path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Give a running receiver."""
    with Receiver() as running:
        yield running


@pytest.fixture
def server(routing: Routing, receiver: Receiver) -> Iterator[Alertmanager]:
    """Give an Alertmanager that notifies the receiver, its intervals divided by three."""
    with Alertmanager() as running:
        running.start(routing.config(receiver.url, 3))
        yield running


def post_alert(server: Alertmanager, start_s: float, end_s: float, name: str = "Down") -> None:
    """Send an alert as Prometheus does: repeatedly, with the same start."""
    times = (datetime.fromtimestamp(at_s, UTC).isoformat() for at_s in (start_s, end_s))
    alert = {"labels": {"alertname": name}, "annotations": {"summary": "the system is down"}}
    alert |= dict(zip(("startsAt", "endsAt"), times, strict=True))
    assert post(f"{server.url}/api/v2/alerts", [alert]) == 200


def kill(server: Alertmanager) -> None:
    """End it as a machine out of memory would, and wait until it has ended."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: server.exit_status() == -signal.SIGKILL)


def statuses(receiver: Receiver) -> list[tuple[str, int]]:
    """Return status and number of deliveries of each notification."""
    return [(each.status, each.deliveries) for each in receiver.notifications()]


def test_an_alert_is_notified_when_it_fires_and_when_it_has_resolved(
    server: Alertmanager, receiver: Receiver
) -> None:
    """With its start to the microsecond, its labels and annotations."""
    start_s = time.time()
    post_alert(server, start_s, start_s + 60)
    assert wait_until(lambda: statuses(receiver) == [("firing", 1)])
    (notification,) = receiver.notifications()
    assert notification.receiver == "all"
    assert notification.labels == (("alertname", "Down"),)
    assert notification.annotations == (("summary", "the system is down"),)
    assert notification.starts_at_s == pytest.approx(start_s, abs=1e-5)
    end_s = time.time()
    post_alert(server, start_s, end_s)
    assert wait_until(lambda: statuses(receiver) == [("firing", 1), ("resolved", 1)])
    assert receiver.notifications()[1].ends_at_s == pytest.approx(end_s, abs=1e-5)
    assert server.metric("alertmanager_notifications_total") == 2
    assert server.metric("alertmanager_notifications_failed_total") == 0
    assert server.metric("no_such_metric") == 0


def test_its_own_list_shows_inhibited_alerts_too(server: Alertmanager, receiver: Receiver) -> None:
    """Alertmanager has them and notifies no receiver: the verdict must distinguish the two."""
    start_s = time.time()
    assert server.alerts() == []
    post_alert(server, start_s, start_s + 60, "Big")
    assert wait_until(server.alerts)
    post_alert(server, start_s, start_s + 60, "Small")
    assert wait_until(lambda: len(server.alerts()) == 2)
    states = {dict(alert.labels)["alertname"]: alert.state for alert in server.alerts()}
    assert states["Small"] in ("suppressed", "unprocessed")
    assert wait_until(lambda: statuses(receiver) == [("firing", 1)])
    assert dict(receiver.notifications()[0].labels)["alertname"] == "Big"


def test_killed_after_delivery_it_delivers_again_and_that_counts_once(
    routing: Routing, receiver: Receiver
) -> None:
    """Its notification was not saved yet: two deliveries, one notification, one resolved."""
    with Alertmanager(maintenance="15m") as server:
        server.start(routing.config(receiver.url, 3))
        start_s = time.time()
        post_alert(server, start_s, start_s + 60)
        assert wait_until(lambda: statuses(receiver) == [("firing", 1)])
        url, pid = server.url, server.pid
        kill(server)
        with pytest.raises(JudgeError, match=r"does not answer.*ended with status -9"):
            server.alerts()
        server.restart()
        assert server.url == url
        assert server.pid != pid
        assert server.alerts() == []
        post_alert(server, start_s, start_s + 60)
        assert wait_until(lambda: statuses(receiver) == [("firing", 2)])
        post_alert(server, start_s, time.time())
        assert wait_until(lambda: statuses(receiver) == [("firing", 2), ("resolved", 1)])


@pytest.mark.ci
def test_an_alert_that_resolved_while_it_was_dead_is_still_notified_as_resolved(
    routing: Routing, receiver: Receiver
) -> None:
    """Only because the log of notifications is saved every second: beside it, one by default."""
    with (
        Receiver() as other,
        Alertmanager() as saving,
        Alertmanager(maintenance="15m") as forgetful,
    ):
        pairs = ((saving, receiver), (forgetful, other))
        for server, its_receiver in pairs:
            server.start(routing.config(its_receiver.url, 3))
        start_s = time.time()
        for server, its_receiver in pairs:
            post_alert(server, start_s, start_s + 60)
            assert wait_until(lambda it=its_receiver: statuses(it) == [("firing", 1)])
        saved, unsaved = (server.directory / "data" / "nflog" for server, _ in pairs)
        assert wait_until(lambda: saved.exists() and saved.stat().st_size, 5)
        assert not (unsaved.exists() and unsaved.stat().st_size)
        for server, _ in pairs:
            kill(server)
            server.restart()
        resolved_s = time.time()
        for server, _ in pairs:
            post_alert(server, start_s, resolved_s)
        assert wait_until(lambda: statuses(receiver) == [("firing", 1), ("resolved", 1)])
        waited_s = time.time() - resolved_s
        assert not wait_until(lambda: statuses(other) != [("firing", 1)], max(2.0, 2 * waited_s))


def test_a_dead_receiver_is_notified_once_it_is_back(
    server: Alertmanager, receiver: Receiver
) -> None:
    """Alertmanager tries again; failed attempts are counted, notifications are not lost."""
    assert receiver.pid is not None
    os.kill(receiver.pid, signal.SIGKILL)
    assert wait_until(lambda: receiver.exit_status() is not None)
    start_s = time.time()
    post_alert(server, start_s, start_s + 60)
    failed = "alertmanager_notification_requests_failed_total"
    assert wait_until(lambda: server.metric(failed) > 0)
    receiver.restart()
    assert wait_until(lambda: statuses(receiver) == [("firing", 1)])


def test_a_configuration_that_it_refuses_is_reported_with_its_log(tmp_path: Path) -> None:
    """Our reader accepts it, the program does not."""
    running = Alertmanager(parent_directory=tmp_path)
    with (
        pytest.raises(JudgeError, match=r"(?s)did not start;.*status 1.*undefined receiver"),
        running,
    ):
        running.start("route: {receiver: a}\nreceivers: []\n")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_program_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 3, and how to install it."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv(binaries.TOOLS_VARIABLE, raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", Path("/nonexistent"))
    with pytest.raises(JudgeError, match="prometheus-alertmanager"), Alertmanager():
        pass


def test_a_port_taken_in_the_meantime_is_a_failure_only_at_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the start another port is tried; at a restart Prometheus knows only this one."""
    monkeypatch.setattr(loopback_server, "START_ATTEMPTS", 2)
    with Alertmanager() as first, Alertmanager() as second:
        first.start(EMPTY)
        taken = urlsplit(first.url).port
        assert taken is not None
        ports = iter([taken, free_port()])
        monkeypatch.setattr(loopback_server, "free_port", lambda: next(ports))
        second.start(EMPTY)
        assert second.target != first.target
        assert second.path_prefix != first.path_prefix
        second._server.port = taken
        with pytest.raises(JudgeError, match=r"did not start again;.*address already in use"):
            second.restart()
        assert first.alerts() == []


def test_it_listens_on_loopback_only_and_gossips_with_no_other() -> None:
    """One socket, whatever the port."""
    if not Path("/proc/net/tcp").exists():
        pytest.skip("needs Linux's /proc")
    with Alertmanager() as server:
        server.start(EMPTY)
        descriptors = Path(f"/proc/{server.pid}/fd").iterdir()
        sockets = {str(descriptor.readlink()) for descriptor in descriptors}
        listening = []
        for table in ("tcp", "tcp6", "udp", "udp6"):
            for line in Path(f"/proc/{server.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if f"socket:[{fields[9]}]" in sockets and (fields[3] == "0A" or "udp" in table):
                    listening.append((table, fields[1]))
        port = int(server.target.rpartition(":")[2])
        assert listening == [("tcp", f"0100007F:{port:04X}")]


HELPER = textwrap.dedent(
    f"""
    import sys, time
    from pathlib import Path
    from verifier.servers.alertmanager import Alertmanager
    with Alertmanager(parent_directory=Path(sys.argv[1])) as running:
        running.start({EMPTY!r})
        running.restart()
        print(running.pid, flush=True)
        time.sleep(60)
    """
)


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_nothing_is_left_behind_however_the_parent_ends(tmp_path: Path, end: str) -> None:
    """Even when the process is not the first in its directory."""
    assert leaves_nothing(HELPER, tmp_path, end)
