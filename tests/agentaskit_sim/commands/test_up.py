"""`agentaskit-sim up` as a user runs it: real servers, faults by hand, and nothing left at the end.

Each real run does several checks, since a stack takes its time to start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agentaskit_sim.terminal.addresses import BREAK_IT
from tests.agentaskit_sim.processes import Running, assert_nothing_is_left, at_work, listening
from tests.machine_lag import needs_quiet_machine
from verifier.servers.alertmanager import Alertmanager
from verifier.servers.prometheus import Prometheus

PACK = Path(__file__).parents[3] / "observability"
NEAR = PACK / "alerts" / "backpressure.yaml"
"""Rules that read back a few minutes: their past costs nothing."""

ROUTING = """route: {receiver: the-team, group_wait: 15s, group_interval: 1m}
receivers:
- name: the-team
  slack_configs: [{api_url: "http://nowhere.invalid", send_resolved: true}]
"""

SMALL = "name: small\nstory: x\nseed: 42\nduration: 1h\nload: {rate: 1500}\n"
"""A seventh of the usual load: it is prepared in a fraction of the time."""

PROXY = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
"""A proxy that is not there: a client that used it would fail."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


class Session:
    """A folder with a small scenario, in which one `up` runs; `temporary` is empty in the end."""

    def __init__(self, folder):
        """Write the scenario; start nothing yet."""
        self.folder, self.temporary = folder, folder / "temporary"
        self.scenario = folder / "small.yaml"
        self.temporary.mkdir()
        self.scenario.write_text(SMALL)
        self.up = None

    def start(self, *arguments, cwd=None):
        """Start the command, with a proxy in its environment that must not be used."""
        environment = {"TMPDIR": str(self.temporary), **PROXY}
        self.up = Running("up", self.scenario, "--port", "0", *arguments, cwd=cwd, **environment)
        return self.up

    def children(self):
        """Return the command lines of the servers and their guards, by pid."""
        return at_work(self.temporary)

    def pid_of(self, text):
        """Return the pid of the server whose command line holds a text."""
        [pid] = [
            pid
            for pid, command in self.children().items()
            if any(text in argument for argument in command)
        ]
        return pid


def url_of(running, what):
    """Return a URL that was printed."""
    return running.wait_for(rf"^{what}: +(http://\S+)").group(1)


def fault(running, *arguments):
    """Run `fault` as a user would, from another terminal."""
    url = url_of(running, "World").rstrip("/")
    command = [sys.executable, "-m", "agentaskit_sim", "fault", *arguments, "--url", url]
    environment = os.environ | PROXY | {"COLUMNS": "160"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def break_and_mend(session):
    """Inject a fault, end it, kill Alertmanager between, Prometheus at last."""
    (routing := session.folder / "routing.yml").write_text(ROUTING)
    up = session.start("--compress", "30", "--rules", NEAR, "--routing", routing)
    up.wait_for("Press Ctrl-C")
    assert listening({up.process.pid, *session.children()}) == {"0100007F"}
    # At so little load, more of the pool must leak than at the usual one.
    what = [word.replace("0.81", "0.95") for word in BREAK_IT[1:]]
    assert "leaked slots" in fault(up, *what)
    name = "SandboxPoolExhaustion sandbox_type=B"
    up.wait_for(r"fault sandbox-leak \(sandbox_leak 0.95 on sandbox B\) begins")
    up.wait_for(rf"{name} FIRES after \S+ pending", 40)
    up.wait_for(rf"the-team was notified: {name} fires", 20)
    os.kill(session.pid_of("alertmanager.yml"), signal.SIGKILL)
    up.wait_for("Alertmanager ended with signal 9 and was started again", 20)
    fault(up, "end", "sandbox-leak")
    up.wait_for(rf"{name} has resolved", 20)
    up.wait_for(rf"the-team was notified: {name} has resolved", 40)
    up.wait_for(r"tasks/s .* notifications: \d+", 20)
    config = f"--config.file={session.temporary / 'agentaskit-prometheus'}"
    os.kill(session.pid_of(config), signal.SIGKILL)
    assert up.end() == 3
    assert "Prometheus" in up.lines[-1]
    assert "run it again" in up.lines[-1]
    assert not [line for line in up.lines if "Traceback" in line]
    assert_nothing_is_left(session.temporary)


def interrupt(session, *options):
    """Press Ctrl-C while the past is being stored."""
    up = session.start("--rules", NEAR, *options)
    up.wait_for("Press Ctrl-C")
    assert len(session.children()) >= 3
    began_s = time.monotonic()
    os.killpg(up.process.pid, signal.SIGINT)
    assert up.process.wait(30) == 130
    assert time.monotonic() - began_s < 5
    assert_nothing_is_left(session.temporary)
    up.wait_for(r"stopped \(\d+ scrapes? served\)" + ", no verdict" * bool(options))


RULE = """groups:
  - name: theirs
    interval: 1s
    rules:
      - alert: WorldIsSeen
        expr: up{job="agentaskit"} == 1
        for: 2s
        labels: {severity: info}
      - alert: FileIsRead
        expr: up{job="by-file"} == 1
"""
ALERTMANAGER = """route: {{receiver: somebody, group_wait: 0s, group_interval: 1s}}
receivers:
  - name: somebody
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""


def prometheus_config(world, sd_file, rules, alertmanager):
    """Return the configuration of a user who follows what `up` printed."""
    by_file = [{"target_label": "job", "replacement": "by-file"}]
    http, file = {"url": f"{world}sd/targets", "refresh_interval": "1s"}, {"files": [str(sd_file)]}
    notified = {"path_prefix": alertmanager.path_prefix,
                "static_configs": [{"targets": [alertmanager.target]}]}  # fmt: skip
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "rule_files": [str(rules)],
        "alerting": {"alertmanagers": [notified]},
        "scrape_configs": [
            {"job_name": "one", "http_sd_configs": [http]},
            {"job_name": "two", "file_sd_configs": [file], "relabel_configs": by_file},
        ],
    }
    return json.dumps(config)


def watch_servers_of_the_user(session):
    """Let a Prometheus and an Alertmanager of the user find the world; end them, then `up`."""
    sd_file, rules = session.folder / "world.json", session.folder / "rules.yml"
    (theirs := session.folder / "theirs").mkdir()
    rules.write_text(RULE)
    with (
        Prometheus(parent_directory=theirs) as prometheus,
        Alertmanager(parent_directory=theirs) as alertmanager,
    ):
        up = session.start(
            *("--sd-file", sd_file, "--prometheus", prometheus.url),
            *("--alertmanager", "http://127.0.0.1:1"),
        )
        webhook = up.wait_for(r"url: (http://127\.0\.0\.1:\d+/agentaskit-sim/webhook)").group(1)
        world = url_of(up, "World")
        up.wait_for(r"your Alertmanager at http://127.0.0.1:1 cannot be reached \(.*refused")
        assert sd_file.exists()
        assert len(session.children()) == 2  # the receiver and its guard: nothing else of ours
        alertmanager.start(ALERTMANAGER.format(url=webhook))
        prometheus.configure(prometheus_config(world, sd_file, rules, alertmanager))
        up.wait_for("WorldIsSeen is pending", 40)
        up.wait_for("WorldIsSeen FIRES after 2s pending", 20)
        up.wait_for("somebody was notified: WorldIsSeen fires", 20)
        up.wait_for("FileIsRead FIRES", 40)
        [target] = json.loads(sd_file.read_text())[0]["targets"]
        assert world == f"http://{target}/"
    up.wait_for(r"your Prometheus at .* cannot be reached \(.*refused\)", 20)
    assert not [line for line in up.lines if "has resolved" in line]
    began_s = time.monotonic()
    assert up.end(signal.SIGTERM) == 143
    assert time.monotonic() - began_s < 5
    assert not sd_file.exists()
    assert_nothing_is_left(session.temporary)


def run_to_the_end(session):
    """Let a short scenario run to its end."""
    session.scenario.write_text(
        SMALL.replace("1h", "5m")
        + "faults:\n- {name: gone, fault: traffic_drop, start: 90s, duration: 60s,"
        " parameters: {share: 0.5}}\n"
        + "expectations:\n- {alert: SandboxPoolExhaustion, cause: gone, fires_within: 3m}\n"
    )
    up = session.start("--compress", "30", "--rules", NEAR, "--exit-at-end", cwd=session.folder)
    up.wait_for(r"next: gone \(traffic_drop\) in \d+s")
    up.wait_for(r"fault gone \(traffic_drop [\d.]+\) begins", 60)
    assert up.end(timeout_s=90) == 1
    assert up.lines[-1].startswith("FAIL: 0 of 1 scenarios pass")
    assert [line for line in up.lines if "small: SandboxPoolExhaustion" in line]
    (results,) = (session.folder / "results").iterdir()
    verdict = json.loads((results / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["scenarios"][0]["clock"]) == ("fail", "real")
    assert not [line for line in up.lines if "Traceback" in line]
    assert_nothing_is_left(session.temporary)


SESSIONS = (break_and_mend, interrupt, watch_servers_of_the_user)
"""What a user does with `up`; each checks what happens, and how it ends."""


@pytest.fixture(scope="module")
def sessions(tmp_path_factory, machine_lag):  # noqa: ARG001 - sampled while the sessions go on
    """Start all sessions beside each other; return a way to await each."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(len(SESSIONS)) as pool:
        patch.delenv("AGENTASKIT_SIM_TOKEN", raising=False)
        started = {act: Session(tmp_path_factory.mktemp("up")) for act in SESSIONS}
        futures = {act: pool.submit(act, session) for act, session in started.items()}
        yield lambda act: futures[act].result()
        for act, session in started.items():
            futures[act].exception()
            if session.up is not None:
                session.up.kill()


@pytest.mark.ci
@linux
@needs_quiet_machine
def test_a_fault_by_hand_notifies_and_resolves_and_servers_may_die(sessions):
    """Alertmanager is started again with a line; without Prometheus the run is over: status 3."""
    sessions(break_and_mend)


@pytest.mark.ci
@linux
@needs_quiet_machine
def test_control_c_takes_everything_down(sessions):
    """Within five seconds, status 130, even while the past is being stored."""
    sessions(interrupt)


@linux
@pytest.mark.long
def test_control_c_takes_down_a_run_that_was_to_end_by_itself(tmp_path):
    """As any other; it says that there is no verdict."""
    interrupt(Session(tmp_path), "--exit-at-end")


@pytest.mark.ci
@linux
@needs_quiet_machine
def test_a_stack_of_the_user_finds_the_world_and_its_alerts_are_shown(sessions):
    """By http_sd and by file; a Prometheus that cannot be reached ends nothing; SIGTERM does."""
    sessions(watch_servers_of_the_user)


@linux
@needs_quiet_machine
def test_a_run_to_the_end_says_what_comes_next_and_ends_with_a_verdict(tmp_path, monkeypatch):
    """That of `verify --live`, saved as well; its status, 1 here; nothing is left."""
    monkeypatch.delenv("AGENTASKIT_SIM_TOKEN", raising=False)
    session = Session(tmp_path)
    try:
        run_to_the_end(session)
    finally:
        if session.up is not None:
            session.up.kill()
