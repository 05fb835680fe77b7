"""How `verify --live` ends when something is killed, full, missing or signalled.

A few runs beside each other, once each; `tests/trials` does the same at many random moments.
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
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.machine_lag import needs_quiet_machine
from tests.schemas.validation import validate
from tests.trials.live_run import SMALL_RATE, Ended, LiveRun, kill, reachable, wrongs
from verifier.judge.verdict_document import verdict_schema
from verifier.servers import binaries
from verifier.servers.binaries import require

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

POOLS = {"undisturbed": "A", "restarted": "C", "prometheus": "B"}
"""Which pool leaks in each run; of the second, receiver and Alertmanager are killed in turn."""


@dataclass
class KilledServers:
    """What was observed of three runs beside each other, while they went on and as they ended."""

    outcomes: dict
    ended: object
    wrongs: dict
    sockets: list
    statuses_for_strangers: set
    pools: dict
    planted: list


@pytest.fixture(scope="module")
def results(request, tmp_path_factory, machine_lag):  # noqa: ARG001 - samples during the runs
    """Start all runs of this module beside each other; return a way to await the result of each.

    Only trials whose test was chosen are started.
    """
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    trials = {spec.params["trial"] for spec in specs if spec and "trial" in spec.params}
    with ThreadPoolExecutor(len(TRIALS) + 1) as pool, ExitStack() as disks:
        place = tmp_path_factory.mktemp("trial")
        killed = pool.submit(kill_servers, LiveRun(place, "".join(POOLS.values()), rate=SMALL_RATE))
        futures = {"killed servers": killed}
        for name in TRIALS.keys() & trials:
            futures[name] = pool.submit(TRIALS[name], tmp_path_factory.mktemp("trial"), disks)
        yield lambda name: futures[name].result()


@pytest.fixture(scope="module")
def killed(results):
    """Return what was observed of three runs: one is undisturbed, servers of each other die."""
    return results("killed servers")


def kill_servers(run):
    """Kill servers of two of the runs; return what was observed."""
    try:
        observed = kill_in_turn(run)
        ended = run.ended()
    finally:
        run.end_by_force()
    document = ended.document
    validate(document, verdict_schema())
    outcomes = dict(zip(POOLS, document["scenarios"], strict=True))
    notified = json.loads((run.out / "notifications.json").read_text())
    pools = {
        name: {
            notification["labels"]["sandbox_type"]
            for notification in notified.get(outcome["name"], ())
        }
        for name, outcome in outcomes.items()
    }
    complaints = {name: wrongs(ended, outcome) for name, outcome in outcomes.items()}
    return KilledServers(outcomes, ended, complaints, pools=pools, **observed)


def kill_in_turn(run):
    """Kill three servers, each in its time; return what was observed meanwhile."""
    names = ("prometheus", "alertmanager", "receiver")
    count = len(POOLS)
    assert run.wait_until(lambda: all(len(run.servers(name)) == count for name in names))
    servers = {name: dict(zip(POOLS, run.servers(name), strict=True)) for name in names}
    assert run.wait_until(lambda: run.has_begun(count))
    planted, sockets, statuses = plant(run), run.sockets(), ask_as_a_stranger(run)
    kill(servers["prometheus"]["prometheus"])
    ledger = run.ledger_of(servers["receiver"]["restarted"])
    kill(servers["receiver"]["restarted"])
    assert run.wait_until(lambda: ledger.stat().st_size)
    time.sleep(1.2)  # it saves its notification log every second
    kill(servers["alertmanager"]["restarted"])
    return {"sockets": sockets, "statuses_for_strangers": statuses, "planted": planted}


def plant(run):
    """Return what `reachable` reports of a process of the run that listens on every address."""
    code = "import socket, sys; s = socket.create_server(('', 0)); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"TMPDIR": str(run.temporary)},
    ) as process:
        process.stdout.readline()
        return reachable(run.sockets())


def ask_as_a_stranger(run):
    """Return the statuses of every server for a client with its port and not its path."""
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


def complaints_of(*, left=(), err="", statuses=("firing", "resolved"), **scenario):
    """Return the complaints about a run that ended so; by default as it should."""
    deliveries = [{"receiver": "slack-warnings", "status": status} for status in statuses]
    alerts = [{"deliveries": deliveries}, {}]
    ended = Ended(0, "", err, 1.0, list(left))
    return wrongs(ended, {"verdict": "pass", "reasons": [], "alerts": alerts, **scenario})


@pytest.mark.parametrize(
    "end",
    [{}, {"verdict": "invalid", "reasons": ["Prometheus ended in mid-run"]}],
    ids=["pass", "invalid"],
)
def test_a_pass_and_an_invalid_run_with_its_reason_are_right_ends(end):
    """Both may come of a run in which a server was killed."""
    assert complaints_of(**end) == []


@pytest.mark.parametrize(
    ("end", "complaint"),
    [
        ({"statuses": ["firing"]}, "passed with deliveries"),
        ({"statuses": ["firing", "resolved", "resolved"]}, "passed with deliveries"),
        ({"verdict": "fail"}, "fail"),
        ({"verdict": "invalid", "reasons": []}, "without a reason"),
        ({"verdict": "invalid", "reasons": ["internal error: OSError"]}, "without a reason"),
        ({"left": ["1: sleep"]}, "left"),
        ({"err": "Traceback (most recent call last)"}, "a traceback"),
    ],
)
def test_a_wrong_end_is_detected(end, complaint):
    """A false pass, a double notification, a failure, no reason, something left: each planted."""
    assert complaint in complaints_of(**end)[0]


@pytest.mark.ci
@needs_quiet_machine
def test_a_run_beside_others_whose_servers_die_is_not_disturbed(killed):
    """Status 3, for the run that could not be judged; nothing is left of any."""
    undisturbed = killed.outcomes["undisturbed"]
    assert undisturbed["verdict"] == "pass", undisturbed
    assert undisturbed["notes"] == []
    assert (killed.ended.status, killed.ended.left) == (3, [])
    assert "Traceback" not in killed.ended.err
    assert not any(killed.wrongs.values()), killed.wrongs


@pytest.mark.ci
@needs_quiet_machine
def test_killed_servers_are_started_again_and_no_receiver_is_notified_twice(killed):
    """The pass is whole: who was notified of the firing was notified of the end."""
    outcome = killed.outcomes["restarted"]
    assert outcome["verdict"] == "pass", (outcome["reasons"], outcome["alerts"])
    assert outcome["notes"] == [
        f"{name} ended with signal 9 and was started again"
        for name in ("the receiver", "Alertmanager")
    ]


@pytest.mark.ci
@needs_quiet_machine
def test_without_its_prometheus_a_run_could_not_be_judged(killed):
    """It would have a gap that cannot be filled."""
    outcome = killed.outcomes["prometheus"]
    assert outcome["verdict"] == "invalid"
    # A check finds that it ended, or a request was under way when it did.
    assert outcome["reasons"][0].startswith(("Prometheus ended in mid-run", "Prometheus does not"))
    assert "it ended with status -9" in outcome["reasons"][0]


@pytest.mark.ci
@needs_quiet_machine
def test_each_run_is_notified_of_its_own_alerts_alone(killed):
    """Different pools leaked side by side; without its path a server returns nothing."""
    for name in ("undisturbed", "restarted"):
        assert killed.pools[name] == {POOLS[name]}
    assert killed.statuses_for_strangers <= {404, 405}


@pytest.mark.ci
def test_every_process_listens_on_loopback_only(killed):
    """Every socket of every process of the run, by its inode; a planted one is reported."""
    assert len(killed.sockets) >= 4 * len(POOLS)
    assert reachable(killed.sockets) == []
    assert len(killed.planted) == 1


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
    """Fill the disk in the middle of a run; return what is wrong with how that ends."""
    if (disk := small_disk(place, disks, "40m")) is None:
        return None
    run = LiveRun(place, temporary=disk, rate=SMALL_RATE)
    try:
        run.wait_until(run.has_begun)
        fill(disk / "filler")
        ended = run.ended(60.0)
    finally:
        run.end_by_force()
    (disk / "filler").unlink()
    return disk_wrongs(run, ended)


def fill(path):
    """Write a file until nothing more fits beside what others write meanwhile."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass


def full_at_the_start(place, disks):
    """Start on a disk too small for a server; return what is wrong with how that ends."""
    if (disk := small_disk(place, disks, "48k")) is None:
        return None
    run = LiveRun(place, temporary=disk, rate=SMALL_RATE)
    try:
        return disk_wrongs(run, run.ended(60.0))
    finally:
        run.end_by_force()


def disk_wrongs(run, ended):
    """Return what is wrong with the end of a run whose disk was full."""
    [scenario] = ended.document["scenarios"]
    reasons = " ".join(scenario["reasons"])
    wrong = [] if (ended.status, scenario["verdict"]) == (3, "invalid") else [str(scenario)]
    wrong += [] if f"the disk of {run.temporary}" in reasons and "is full" in reasons else [reasons]
    wrong += [f"took {ended.took_s:.0f} s"] if ended.took_s > 10 else []
    left = [file for file in ended.left if "filler" not in file]
    return wrong + left + (["a traceback"] if "Traceback" in ended.err else [])


def signalled(place, number):
    """Signal two runs while their servers work; return what is wrong with how that ends."""
    run = LiveRun(place, "BC", rate=SMALL_RATE)
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
    wrong = [] if ended.status == status else [f"status {ended.status}: {ended.err}"]
    wrong += [] if ended.took_s < 5 else [f"took {ended.took_s:.1f} s"]
    wrong += [] if before >= 3 + 2 * 6 else [f"only {before} processes were at work"]
    wrong += ["a verdict"] if ended.out or run.out.exists() else []
    return wrong + ended.left + (["a traceback"] if "Traceback" in ended.err else [])


TRIALS = {
    "full in mid-run": full_in_mid_run,
    "full at the start": full_at_the_start,
    "SIGINT": lambda place, _: signalled(place, signal.SIGINT),
    "SIGTERM": lambda place, _: signalled(place, signal.SIGTERM),
    "SIGKILL": lambda place, _: signalled(place, signal.SIGKILL),
}
"""What happens to runs of their own; each function returns what is wrong with how it ended."""
LONG = ("full in mid-run", "SIGINT", "SIGTERM", "SIGKILL")
"""Trials among the long tests: each is a stack or two of its own."""


@pytest.mark.ci
@pytest.mark.parametrize(
    "trial", [pytest.param(t, marks=[pytest.mark.long] * (t in LONG)) for t in TRIALS]
)
@needs_quiet_machine
def test_a_full_disk_or_a_signal_ends_all_in_time_and_leaves_nothing(results, trial):
    """Status 3 and the disk's name within ten seconds; 130 or 143 in five; all gone in two."""
    wrong = results(trial)
    if wrong is None:
        pytest.skip("needs the right to mount a small tmpfs")
    assert wrong == []


@needs_quiet_machine
def test_without_alertmanager_nothing_starts_and_the_advice_says_how_to_get_it(
    command, tmp_path, monkeypatch
):
    """Prometheus is there: status 3 at once, with `--json` one document, invalid."""
    (tmp_path / "prometheus").symlink_to(require("prometheus"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AGENTASKIT_SIM_TOOLS", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(binaries, "PROJECT_TOOLS", Path("none"))
    start_s = time.monotonic()
    done = command("verify", "--live", "traffic-drop", "--json")
    assert time.monotonic() - start_s < 10
    assert done.status == 3
    (line,) = done.err.splitlines()
    assert line.startswith("alertmanager was not found on PATH")
    assert "sudo apt-get install prometheus prometheus-alertmanager" in line
    assert [scenario["reasons"] for scenario in json.loads(done.out)["scenarios"]] == [[line]]
    assert not (tmp_path / "results").exists()
