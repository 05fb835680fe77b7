"""How `verify --live` ends when something is killed, full, missing or told to stop.

A few runs beside each other, once each; `tests/trials` does the same at many moments of chance.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import jsonschema
import pytest

from tests.trials.live_run import Ended, LiveRun, kill, reachable, wrongs
from verifier.judge.verdict_document import verdict_schema
from verifier.servers.binaries import require

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

POOLS = {"sound": "A", "alertmanager": "B", "receiver": "C", "prometheus": "B"}
"""What happens to each run, and which pool leaks in it."""


@dataclass
class RunObservation:
    """What was seen of runs beside each other: while they went on, and how they ended."""

    outcomes: dict
    ended: object
    wrongs: dict
    sockets: list
    strangers: set
    pools: dict
    planted: list


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Begin all runs of this module beside each other; give a way to wait for one.

    A dozen stacks at once, in real time, on a machine that others may share: what they disturbed
    is done once more with the machine to itself. What is wrong in earnest is so again.
    """
    with ThreadPoolExecutor(len(TRIALS) + 1) as pool, ExitStack() as disks:

        def begin(name):
            place = tmp_path_factory.mktemp("trial")
            if name == "lanes":
                return pool.submit(hurt_lanes, LiveRun(place, "".join(POOLS.values())))
            return pool.submit(TRIALS[name], place, disks)

        futures = {name: begin(name) for name in ("lanes", *TRIALS)}

        def wait(name):
            if futures[name].exception() is None and not is_disturbed(futures[name].result()):
                return futures[name].result()
            for future in futures.values():
                future.exception()
            return begin(name).result()

        yield wait


def is_disturbed(found):
    """Say whether a run came to another end than it should, which a busy machine may cause."""
    if not isinstance(found, RunObservation):
        return bool(found)
    return any(found.outcomes[name]["verdict"] != "pass" for name in POOLS if name != "prometheus")


@pytest.fixture(scope="module")
def seen(runs):
    """What was seen of four runs of one command: one is left alone, a server of each other dies."""
    return runs("lanes")


def hurt_lanes(run):
    """Do to each run what its name says; return what was seen."""
    try:
        found = hurt(run)
        ended = run.ended()
    finally:
        run.end_by_force()
    document = ended.document
    jsonschema.validate(document, verdict_schema())
    outcomes = dict(zip(POOLS, document["scenarios"], strict=True))
    told = json.loads((run.out / "notifications.json").read_text())
    pools = {
        name: {one["labels"]["sandbox_type"] for one in told.get(outcome["name"], ())}
        for name, outcome in outcomes.items()
    }
    complaints = {name: wrongs(ended, outcome) for name, outcome in outcomes.items()}
    return RunObservation(outcomes, ended, complaints, pools=pools, **found)


def hurt(run):
    """Kill what is to be killed, in its time; return what was seen meanwhile."""
    names = ("prometheus", "alertmanager", "receiver")
    count = len(POOLS)
    assert run.wait_until(lambda: all(len(run.servers(name)) == count for name in names))
    servers = {name: dict(zip(POOLS, run.servers(name), strict=True)) for name in names}
    assert run.wait_until(lambda: run.is_live(count))
    planted, sockets, strangers = plant(run), run.sockets(), asked_by_strangers(run)
    kill(servers["prometheus"]["prometheus"])
    kill(servers["receiver"]["receiver"])
    ledger = run.ledger_of(servers["receiver"]["alertmanager"])
    assert run.wait_until(lambda: ledger.stat().st_size)
    time.sleep(1.2)  # it saves every second whom it has told
    kill(servers["alertmanager"]["alertmanager"])
    return {"sockets": sockets, "strangers": strangers, "planted": planted}


def plant(run):
    """Return what the eyes for sockets see of a process of the run that others can reach."""
    code = "import socket, sys; s = socket.create_server(('', 0)); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TMPDIR": str(run.temporary)},
    ) as process:
        process.stdout.readline()
        return reachable(run.sockets())


def asked_by_strangers(run):
    """Return how every server answers to whoever knows its port and not its path."""
    statuses = set()
    for pid, words in run.processes().items():
        urls = [word.partition("=")[2] for word in words if word.startswith("--web.external-url=")]
        if any(word.endswith("webhook.py") for word in words):
            urls = [f"http://127.0.0.1:{Path(f'/proc/{pid}/cwd/port').read_text()}"]
        for url in urls:
            for path in ("/api/v1/write", "/api/v2/alerts", "/slack-warnings", "/-/reload"):
                connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
                connection.request("POST", f"/0123456789abcdef{path}", "{}")
                statuses.add(connection.getresponse().status)
                connection.close()
    return statuses


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"told": ["firing"]}, "passed with deliveries"),
        ({"told": ["firing", "resolved", "resolved"]}, "passed with deliveries"),
        ({"verdict": "fail"}, "fail"),
        ({"verdict": "invalid", "reasons": []}, "says not why"),
        ({"verdict": "invalid", "reasons": ["internal error: OSError"]}, "says not why"),
        ({"verdict": "invalid", "reasons": ["Prometheus ended in mid-run"]}, None),
        ({"left": ["1: sleep"]}, "left"),
        ({"err": "Traceback (most recent call last)"}, "a traceback"),
    ],
)
def test_what_must_not_be_is_seen(change, said):
    """A false pass, something told twice, a failure, no reason, something left: each planted."""
    told = change.get("told", ["firing", "resolved"])
    scenario = {"verdict": "pass", "reasons": [], **change}
    deliveries = [{"receiver": "slack-warnings", "status": one} for one in told]
    scenario["alerts"] = [{"deliveries": deliveries}, {}]
    ended = Ended(0, "", change.get("err", ""), 1.0, change.get("left", []))
    found = wrongs(ended, scenario)
    assert found == [] if said is None else said in found[0]


def test_a_run_beside_others_that_die_is_not_disturbed(seen):
    """Status 3 for those that could not be judged; nothing is left of any."""
    assert seen.outcomes["sound"]["verdict"] == "pass", seen.outcomes["sound"]
    assert seen.outcomes["sound"]["notes"] == []
    assert (seen.ended.status, seen.ended.left) == (3, [])
    assert "Traceback" not in seen.ended.err
    assert not any(seen.wrongs.values()), seen.wrongs


@pytest.mark.parametrize(
    ("victim", "name"), [("alertmanager", "Alertmanager"), ("receiver", "the receiver")]
)
def test_a_server_that_is_killed_is_started_again_and_nothing_is_told_twice(seen, victim, name):
    """The pass is whole: who was told that it fires was told that it is over."""
    outcome = seen.outcomes[victim]
    assert outcome["verdict"] == "pass", (outcome["reasons"], outcome["alerts"])
    assert outcome["notes"] == [f"{name} ended with signal 9 and was started again"]


def test_without_its_prometheus_a_run_could_not_be_judged(seen):
    """It would have a gap nobody can fill."""
    outcome = seen.outcomes["prometheus"]
    assert outcome["verdict"] == "invalid"
    # A look finds it gone, or a question was under way when it went.
    assert outcome["reasons"][0].startswith(("Prometheus ended in mid-run", "Prometheus does not"))
    assert "it ended with status -9" in outcome["reasons"][0]


def test_each_run_is_told_of_its_own_alerts_alone(seen):
    """Different pools leaked side by side; whoever does not know a server's path gets nothing."""
    for name in ("sound", "alertmanager", "receiver"):
        assert seen.pools[name] == {POOLS[name]}
    assert seen.strangers <= {404, 405}


def test_only_loopback_is_listened_on_children_included(seen):
    """Every socket of every process of the run, by its inode; the eyes see a planted one."""
    assert len(seen.sockets) >= 4 * len(POOLS)
    assert reachable(seen.sockets) == []
    assert len(seen.planted) == 1


def small_disk(place, disks, size):
    """Mount a file system of this size until `disks` is closed; None where that is not allowed."""
    mount = place / "disk"
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    disks.callback(subprocess.run, ["umount", "--lazy", str(mount)], check=True)
    return mount


def full_in_mid_run(place, disks):
    """Fill the disk while all goes well; return what is wrong with how that ends."""
    if (disk := small_disk(place, disks, "40m")) is None:
        return None
    run = LiveRun(place, temporary=disk)
    try:
        run.wait_until(run.is_live)
        room = os.statvfs(disk)
        with (disk / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
        ended = run.ended(60.0)
    finally:
        run.end_by_force()
    (disk / "filler").unlink()
    return disk_wrongs(run, ended)


def full_at_the_start(place, disks):
    """Start where a server cannot; return what is wrong with how that ends."""
    if (disk := small_disk(place, disks, "48k")) is None:
        return None
    run = LiveRun(place, temporary=disk)
    try:
        return disk_wrongs(run, run.ended(60.0))
    finally:
        run.end_by_force()


def disk_wrongs(run, ended):
    """Return what must not be once the disk was full."""
    [scenario] = ended.document["scenarios"]
    told = " ".join(scenario["reasons"])
    found = [] if (ended.status, scenario["verdict"]) == (3, "invalid") else [str(scenario)]
    found += [] if f"the disk of {run.temporary}" in told and "is full" in told else [told]
    found += [f"took {ended.took_s:.0f} s"] if ended.took_s > 10 else []
    left = [one for one in ended.left if "filler" not in one]
    return found + left + (["a traceback"] if "Traceback" in ended.err else [])


def signalled(place, number):
    """Signal two runs while their servers work; return what is wrong with how that ends."""
    run = LiveRun(place, "BC")
    try:
        run.wait_until(lambda: len(run.servers("alertmanager")) == 2)
        time.sleep(2.0)
        before = len(run.processes())
        # Ctrl-C reaches the whole group, the others the parent alone.
        (os.killpg if number == signal.SIGINT else os.kill)(run.process.pid, number)
        ended = run.ended(60.0, gone_within_s=2.0 if number == signal.SIGKILL else 5.0)
    finally:
        run.end_by_force()
    status = -number if number == signal.SIGKILL else 128 + number
    found = [] if ended.status == status else [f"status {ended.status}: {ended.err}"]
    found += [] if ended.took_s < 5 else [f"took {ended.took_s:.1f} s"]
    found += [] if before >= 3 + 2 * 6 else [f"only {before} processes were at work"]
    found += ["a verdict"] if ended.out or run.out.exists() else []
    return found + ended.left + (["a traceback"] if "Traceback" in ended.err else [])


TRIALS = {
    "full in mid-run": full_in_mid_run,
    "full at the start": full_at_the_start,
    "SIGINT": lambda place, _: signalled(place, signal.SIGINT),
    "SIGTERM": lambda place, _: signalled(place, signal.SIGTERM),
    "SIGKILL": lambda place, _: signalled(place, signal.SIGKILL),
}
"""What happens to runs of their own; each returns what is wrong with how it ended."""


@pytest.mark.parametrize("trial", TRIALS)
def test_a_full_disk_or_a_signal_ends_all_in_time_and_leaves_nothing(runs, trial):
    """Status 3 and the disk's name within ten seconds; 130 or 143 in five; all gone in two."""
    found = runs(trial)
    if found is None:
        pytest.skip("needs the right to mount a small tmpfs")
    assert found == []


def test_without_alertmanager_nothing_is_begun_and_the_way_out_is_told(tmp_path, monkeypatch):
    """Prometheus is there: status 3 at once, with `--json` one document, invalid."""
    (tmp_path / "prometheus").symlink_to(require("prometheus"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AGENTASKIT_SIM_TOOLS", raising=False)
    monkeypatch.chdir(tmp_path)
    without = (
        "from pathlib import Path; import verifier.servers.binaries as b;"
        "b.PROJECT_TOOLS = Path('none');"
        "from agentaskit_sim.__main__ import main; main()"
    )
    command = [sys.executable, "-c", without, "verify", "--live", "traffic-drop", "--json"]
    start_s = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert time.monotonic() - start_s < 10
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("alertmanager was not found on PATH")
    assert "sudo apt-get install prometheus prometheus-alertmanager" in line
    assert [one["reasons"] for one in json.loads(done.stdout)["scenarios"]] == [[line]]
    assert not (tmp_path / "results").exists()
