"""`agentaskit-sim serve` as a user runs it: a process, its output, its exit status."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from agentaskit_sim.__main__ import main
from tests.agentaskit_sim.processes import Running
from tests.machine_lag import needs_quiet_machine

SCENARIO = """
name: short
seed: 1
story: The exporter is away for a moment and comes back as a new process.
duration: 11s
faults:
  - {name: away, fault: exporter_down, start: 8s, duration: 1500ms}
  - {name: anew, fault: counter_reset, start: 9s, duration: 1s}
expectations:
  - {alert: AvailabilitySLOBreach, silent: true}
"""


class Serving(Running):
    """`serve` as a process."""

    def __init__(self, *arguments):
        """Start it."""
        super().__init__("serve", *arguments)

    def get(self, path, **headers):
        """Return status and text of a path of the server."""
        host = self.wait_for(r"Metrics: +http://([^/]+)/metrics").group(1)
        connection = http.client.HTTPConnection(host, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


def value_of(text, series):
    """Return the value of a series of a text page."""
    return float(re.search(rf"^{re.escape(series)} (.+)$", text, re.MULTILINE).group(1))


def scrape_until_control_c(serve):
    """Scrape twice, two seconds apart, then press Ctrl-C."""
    began_s = time.monotonic()
    (_, first), began_s = serve.get("/metrics"), time.monotonic()
    time.sleep(2.0)
    (status, second), passed_s = serve.get("/metrics"), time.monotonic() - began_s
    assert status == 200
    virtual_s, arrived = (
        value_of(second, series) - value_of(first, series)
        for series in (
            "agentaskit_sim_time_seconds",
            'agentaskit_tasks_arrived_total{priority="normal"}',
        )
    )
    assert virtual_s == pytest.approx(passed_s, abs=0.5)
    assert arrived / virtual_s == pytest.approx(10_300 / 2, rel=0.1)
    assert value_of(second, 'agentaskit_sim_run_info{scenario="baseline",seed="7"}') == 1
    assert [serve.get(path)[0] for path in ("/", "/-/healthy", "/-/ready", "/no")] == [
        200, 200, 200, 404,
    ]  # fmt: skip
    assert serve.end(signal.SIGINT) == 130
    assert "stopped (2 scrapes served)" in serve.lines[-1]


def follow_a_scenario(serve):
    """Scrape before, while and after the exporter is down.

    The eight seconds before are for a machine on which the first scrape has to wait for others.
    """
    status, before = serve.get("/metrics")
    assert status == 200
    serve.wait_for(r"fault away \(exporter_down\) begins", 30)
    assert serve.get("/metrics")[0] == serve.get("/-/ready")[0] == 503
    assert serve.get("/-/healthy")[0] == 200
    serve.wait_for("fault away .* has ended", 30)
    status, after = serve.get("/metrics")
    assert status == 200
    series = 'agentaskit_tasks_arrived_total{priority="normal"}'
    assert value_of(after, series) < value_of(before, series)
    assert value_of(after, 'agentaskit_sim_scrapes_total{outcome="refused"}') == 1
    assert serve.end() == 0
    assert any("counters begin at 0" in line for line in serve.lines)


SERVED = {
    scrape_until_control_c: ("--seed", "7"),
    follow_a_scenario: ("short.yaml", "--exit-at-end"),
}
"""What is done to commands that run beside each other, and their arguments."""


@pytest.fixture(scope="module")
def served(tmp_path_factory, machine_lag):  # noqa: ARG001 - sampled while the commands run
    """Start all of them; return a way to await what is done to each."""
    folder = tmp_path_factory.mktemp("serve")
    (folder / "short.yaml").write_text(SCENARIO)
    with ThreadPoolExecutor(len(SERVED)) as pool:
        commands, futures = [], {}
        for act, words in SERVED.items():
            paths = [folder / word if word.endswith(".yaml") else word for word in words]
            commands.append(Serving(*paths, "--port", "0"))
            futures[act] = pool.submit(act, commands[-1])
        yield lambda act: futures[act].result()
        for command in commands:
            command.kill()


@needs_quiet_machine
def test_serve_shows_a_world_in_real_time_until_control_c(served):
    """Its counters move with the clock, near the design load, and Ctrl-C ends it with 130."""
    served(scrape_until_control_c)


@pytest.mark.long
def test_a_term_signal_ends_it_with_143():
    """As a service manager would stop it; that of `up` is tested with every change."""
    serve = Serving("--port", "0")
    try:
        assert serve.get("/-/ready") == (200, "ready\n")
        assert serve.end(signal.SIGTERM) == 143
    finally:
        serve.kill()


@pytest.mark.ci
@needs_quiet_machine
def test_a_scenario_runs_to_its_end_with_the_exporter_down_and_restarted(served):
    """503 while it is down, counters from 0 afterwards, status 0 at the end."""
    served(follow_a_scenario)


@pytest.mark.ci
def test_a_reader_that_leaves_ends_it_as_any_other_program():
    """As `serve | head -1` does: status 141, which is none of a verdict's, and no traceback."""
    words = [sys.executable, "-m", "agentaskit_sim", "serve", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


@pytest.fixture
def call(capfd):
    """Return a way to run the command in this process: (status, all it printed)."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run_main(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["serve", *arguments])
        return end.value.code, "".join(capfd.readouterr())

    yield run_main
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("trafic-drop",), "no bundled scenario is called 'trafic-drop', did you mean"),
        (("--host", "192.0.2.1"), "host must be an address of this machine, got '192.0.2.1'"),
        (("--exit-at-end",), "--exit-at-end needs a scenario: the healthy world has no end"),
        (("--topology", "nowhere.yaml"), "nowhere.yaml"),
        (("--port", "70000"), "less than or equal to 65535"),
    ],
)
def test_bad_input_is_one_line_with_status_2(call, arguments, message):
    """No traceback, and no world is prepared."""
    status, text = call("--port", "0", *arguments)
    assert status == 2
    assert message in text
    assert "Traceback" not in text
    assert "Preparing" not in text


def test_a_port_in_use_is_reported_before_anything_is_prepared(call):
    """One line with the way out, status 3."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        status, text = call("--port", str(port))
    assert status == 3
    assert re.fullmatch(rf"port {port} on 127.0.0.1 is in use: .*--port.*\n", text)
