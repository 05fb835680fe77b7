"""How `verify` ends when it cannot judge: mistakes in files, no Prometheus, signals, a dead engine.

What is killed or signalled is run as a user runs it, in a process of its own, with a temporary
folder of its own to inspect.
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

from agentaskit_sim.front.pack_files import PACK
from tests.schemas.validation import validate
from verifier.judge.verdict_document import verdict_schema
from verifier.servers import binaries
from verifier.servers.binaries import describe

HEAD = "name: {}\nstory: x\nseed: 42\nduration: 2m\nload: {{rate: 1000}}\n"
FAULT = "faults:\n  - {{name: f, start: 1m, duration: 30s, fault: {}}}\n"
BOARD = '{"panels": [{"targets": [{"expr": "agentaskit_sandbox_pool_available"}]}]}'
RULE = "groups:\n  - name: g\n    rules:\n      - alert: A\n        expr: {}\n"
ENGINE = describe("prometheus")
MISTAKES = {
    "board.json": (
        '{"title": "x",\n "panels": [}\n',
        "2:13: this is not JSON: unexpected '}'",
    ),
    "fault.yaml": (
        HEAD.format("fault") + FAULT.format("trafic_drop"),
        (
            "7:48: faults[0].fault must be one of the known words, got 'trafic_drop',"
            " did you mean 'traffic_drop'?"
        ),
    ),
    "key.yaml": (
        HEAD.format("key") + "expectation: []\n",
        "6:1: unknown key 'expectation', did you mean 'expectations'?",
    ),
    "keys.yml": (
        RULE.format("up") + "        expr: up == 0\n",
        "6:9: duplicate key 'expr', first given in line 5",
    ),
    "number.yaml": (
        HEAD.format("number") + FAULT.format("traffic_drop, parameters: {share: 1.5}"),
        "7:82: traffic_drop: share must be above 0 and at most 1, got 1.5",
    ),
    "parameter.yaml": (
        HEAD.format("parameter")
        + FAULT.format("memory_leak, parameters: {bytes_per_s: 9, shaer: 1}"),
        "7:90: unknown key 'shaer', the keys are bytes_per_s",
    ),
    "promql.yml": (
        RULE.format("sum(rate(up[5m])"),
        (
            f"5:15: Prometheus {ENGINE.version} refuses this: could not parse expression: 1:17:"
            " parse error: unclosed left parenthesis"
        ),
    ),
    "tier.yaml": (
        HEAD.format("tier") + FAULT.format("agent_hang, targets: {tiers: [mikro]}"),
        "7:78: no tier is called 'mikro', did you mean 'micro'?",
    ),
    "town.yaml": ("hosst: 4\n", "1:1: unknown key 'hosst', did you mean 'hosts'?"),
    "yaml.yaml": (
        HEAD.format("yaml") + "faults: [\n",
        (
            "7:1: this is not YAML: while parsing a flow node begun in line 7, expected the node"
            " content, but found '<stream end>'"
        ),
    ),
}
"""The text of a file of that name, and the sentence about it."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return an empty folder to run in, with another for temporary files beside it."""
    (tmp_path / "temporary").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.delenv("AGENTASKIT_SIM_TRACEBACK", raising=False)
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def start(place, *arguments):
    """Start the command in `place`, as a shell would: in a process group of its own.

    Its rules and its panel read back a few minutes, so that their past costs little.
    """
    (board := place / "here" / "board.json").write_text(BOARD)
    rules = PACK / "alerts" / "backpressure.yaml"
    arguments = (*arguments, "--rules", rules, "--dashboards", board)
    return subprocess.Popen(
        [sys.executable, "-m", "agentaskit_sim", "verify", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=place / "here",
        env=os.environ | {"TMPDIR": str(place / "temporary")},
        start_new_session=True,
    )


def at_work(place):
    """Return the command lines of the processes that use the temporary folder, by pid."""
    commands = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(str(place / "temporary").encode() in word for word in words):
            commands[int(process.name)] = words
    return commands


def wait_for_prometheus(process, place):
    """Return the pid of the first Prometheus that the command has started."""
    deadline_s = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline_s:
        # All processes are looked at only once its folder is there.
        begun = any((place / "temporary").glob("agentaskit-prometheus-*"))
        for pid, words in at_work(place).items() if begun else ():
            if any(word.startswith(b"--config.file=") for word in words):
                return pid
        time.sleep(0.01)
    pytest.fail(f"no Prometheus was started: {process.communicate()}")


def assert_nothing_is_left(place):
    """No process, no temporary file, no results that hold nothing."""
    deadline_s = time.monotonic() + 10
    while at_work(place) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert at_work(place) == {}
    assert list((place / "temporary").iterdir()) == []
    assert not list((place / "here").glob("results/*"))


def test_every_mistake_is_one_line_with_its_place(command, place):
    """All files are read, all mistakes reported, nothing runs: status 2, no output."""
    for name, (text, _) in MISTAKES.items():
        Path(name).write_text(text)
    Path("topology.yaml").write_text(HEAD.format("topology") + "topology: town.yaml\n")
    wrong = [name for name in MISTAKES if name.endswith(".yaml") and name != "town.yaml"]
    done = command(
        *("verify", "topology.yaml", "missing.yaml", *wrong),
        *("--rules", "promql.yml", "keys.yml", "--dashboards", "board.json"),
    )
    lines = [f"{name}:{sentence}" for name, (_, sentence) in MISTAKES.items()]
    assert sorted(done.err.splitlines()) == sorted([*lines, "missing.yaml: no such file"])
    assert (done.status, done.out) == (2, "")
    assert_nothing_is_left(place)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", [name for name in MISTAKES if name != "town.yaml"])
def test_a_single_mistake_is_one_line(place, command, name):
    """The same line as among others."""
    text, sentence = MISTAKES[name]
    path = place / name
    path.write_text(text)
    option = {".yml": ("traffic-drop", "--rules"), ".json": ("traffic-drop", "--dashboards")}
    done = command("verify", *option.get(path.suffix, ()), path, "--json")
    assert (done.status, done.out, done.err) == (2, "", f"{path}:{sentence}\n")


def test_without_prometheus_nothing_is_judged_and_the_advice_is_printed(
    command, place, monkeypatch
):
    """Status 3 at once; with `--json` one document, invalid."""
    monkeypatch.setenv("PATH", str(place))
    monkeypatch.delenv("AGENTASKIT_SIM_TOOLS", raising=False)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", Path("none"))
    done = command("verify", "traffic-drop", "sandbox-leak", "--json")
    assert done.status == 3
    (line,) = done.err.splitlines()
    assert line.startswith("prometheus was not found on PATH")
    assert "`make setup`" in line
    assert "sudo apt-get install prometheus" in line
    document = json.loads(done.out)
    validate(document, verdict_schema())
    assert document["verdict"] == "invalid"
    assert [scenario["reasons"] for scenario in document["scenarios"]] == [[line], [line]]
    assert_nothing_is_left(place)


def kill_prometheus(place):
    """Kill Prometheus while it is asked; check how the command ends."""
    (place / "here" / "small.yaml").write_text(HEAD.format("small"))
    process = start(place, "small.yaml", "--json", "--out", place / "out")
    os.kill(wait_for_prometheus(process, place), signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    document = json.loads(out)
    validate(document, verdict_schema())
    assert (process.returncode, document["verdict"]) == (3, "invalid"), err
    ((reason,),) = [scenario["reasons"] for scenario in document["scenarios"]]
    assert "Prometheus d" in reason  # does not answer, did not start
    assert "run it again" in reason
    assert "Traceback" not in err
    assert_nothing_is_left(place)


def signal_beside_prometheus(place, number, jobs):
    """Signal the command while Prometheus works; check how it ends."""
    for name in ("small", "other"):
        (place / "here" / f"{name}.yaml").write_text(HEAD.format(name).replace("2m", "6h"))
    process = start(place, "small.yaml", "other.yaml", "--jobs", jobs, "--json")
    wait_for_prometheus(process, place)
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    assert_ended_by(process, number, place)


def signal_a_simulation(place, number):
    """Signal the command in the middle of hours that are simulated second by second."""
    (place / "here" / "small.yaml").write_text(HEAD.format("small").replace("2m", "240h"))
    process = start(place, "small.yaml", "--exact", "--json")
    assert "Preparing" in process.stderr.readline()
    time.sleep(0.7)
    os.kill(process.pid, number)
    assert_ended_by(process, number, place)


def assert_ended_by(process, number, place):
    """Fail unless the command ended with the status of the signal and left nothing."""
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, ""), err
    assert "Traceback" not in err
    assert_nothing_is_left(place)


ENDS = {
    "Prometheus killed": kill_prometheus,
    "SIGINT beside Prometheus": lambda place: signal_beside_prometheus(place, signal.SIGINT, 1),
    "SIGTERM beside Prometheus": lambda place: signal_beside_prometheus(place, signal.SIGTERM, 2),
    "SIGINT in a simulation": lambda place: signal_a_simulation(place, signal.SIGINT),
    "SIGTERM in a simulation": lambda place: signal_a_simulation(place, signal.SIGTERM),
}
"""What happens to commands that run beside each other, each in a place of its own."""


@pytest.fixture(scope="module")
def ends(request, tmp_path_factory):
    """Start those whose tests were chosen; return a way to await the check of each."""
    own = [item for item in request.session.items if item.path == request.path]
    specs = [getattr(item, "callspec", None) for item in own]
    chosen = {spec.params["end"] for spec in specs if spec and "end" in spec.params}
    with ThreadPoolExecutor(len(ENDS)) as pool:
        futures = {}
        for name in ENDS.keys() & chosen:
            check = ENDS[name]
            place = tmp_path_factory.mktemp("end")
            for folder in ("temporary", "here"):
                (place / folder).mkdir()
            futures[name] = pool.submit(check, place)
        yield lambda name: futures[name].result()


@linux
@pytest.mark.parametrize("end", ["Prometheus killed"])
def test_a_prometheus_that_is_killed_makes_the_verdict_invalid(ends, end):
    """Status 3: no verdict, and what happened; standard output is one document all the same."""
    ends(end)


@linux
@pytest.mark.parametrize(
    "end",
    ["SIGINT beside Prometheus", pytest.param("SIGTERM beside Prometheus", marks=pytest.mark.long)],
)
def test_a_signal_ends_everything_while_prometheus_is_at_work(ends, end):
    """Ctrl-C reaches the whole group, `kill` the parent alone; no child and no file is left."""
    ends(end)


@linux
@pytest.mark.parametrize(
    "end",
    [pytest.param("SIGINT in a simulation", marks=pytest.mark.long), "SIGTERM in a simulation"],
)
def test_a_signal_ends_a_simulation(ends, end):
    """In the middle of hours that are simulated second by second."""
    ends(end)
