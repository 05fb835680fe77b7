"""Many runs in real time that are killed or signalled at random moments; `make test-long`.

`AGENTASKIT_SIM_TRIALS=FILE` writes how every one of them ended, a line each.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.trials.live_run import SECONDS, LiveRun, kill, side_by_side, wrongs

LANES = 4
"""Runs beside each other: a run takes a fifth of a core, its start a whole core."""
KILLS = range(20)
SIGNALS = range(25)
DEATHS = range(10)

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]


def random_of(what: str, seed: int) -> np.random.Generator:
    """Return the random numbers of one trial, the same every time."""
    return np.random.default_rng([*what.encode(), seed])


@pytest.fixture(scope="module", autouse=True)
def _sound(tmp_path_factory):
    """Undisturbed it passes; and everything is compiled then."""
    run = LiveRun(tmp_path_factory.mktemp("sound"))
    ended = run.ended()
    assert (ended.status, ended.left) == (0, []), ended


def note(line: str) -> None:
    """Add a line to the record, where one is kept."""
    if path := os.environ.get("AGENTASKIT_SIM_TRIALS"):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(line + "\n")


@pytest.mark.parametrize("victim", ["prometheus", "alertmanager", "receiver"])
def test_a_server_is_killed_at_any_moment(tmp_path, victim):
    """Never a false pass or a double notification; it recovers, or is invalid with the reason."""

    def trial(seed: int) -> tuple[str, list[str]]:
        random = random_of(victim, seed)
        run = LiveRun(tmp_path / f"{victim}-{seed}")
        run.wait_until(lambda: run.servers(victim))
        moment_s = random.uniform(0.0, SECONDS - 4.0)
        when = f"{moment_s:.1f} s after its start"
        if seed % 2 and victim != "prometheus":  # between delivery and resolve, or just after
            run.wait_until(run.ledgers)
            moment_s = random.uniform(0.0, 5.0)
            when = f"{moment_s:.1f} s after the first delivery"
        time.sleep(moment_s)
        there = run.process.poll() is None
        left_s = time.monotonic()
        killed = there and any(map(kill, run.servers(victim)))
        ended = run.ended()
        left_s = time.monotonic() - left_s
        try:
            [scenario] = ended.document["scenarios"]
            complaints = wrongs(ended, scenario)
        except (ValueError, KeyError) as error:
            note(f"{victim} {seed}: {when}: status {ended.status} {error!r} {ended.err[-500:]}")
            return "no verdict", [f"{victim} {seed}: {ended}"]
        notes = scenario["notes"] + scenario["reasons"]
        if ended.status != {"pass": 0, "invalid": 3, "fail": 1}[scenario["verdict"]]:
            complaints.append(f"status {ended.status} for {scenario['verdict']}")
        if killed and not notes and left_s > 3.0:
            complaints.append("its death was not noted")
        how = scenario["verdict"] if killed else f"{scenario['verdict']}, over before"
        note(f"{victim} {seed}: {when}, {left_s:.1f} s before the end: {how} {notes} {complaints}")
        return how, [f"{victim} {seed}, {when}: {complaint}" for complaint in complaints]

    results = side_by_side(trial, KILLS, LANES)
    note(f"{victim}: {dict(Counter(how for how, _ in results))}")
    assert not [complaint for _, complaints in results for complaint in complaints]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_comes_at_any_moment(tmp_path, number):
    """Gone within five seconds with the right status; no process, no file, no half of a result."""

    def trial(seed: int) -> tuple[str, list[str]]:
        random = random_of(number.name, seed)
        run = LiveRun(tmp_path / f"{number.name}-{seed}", "BC" if seed % 2 else "B")
        # Evenly over each of its phases, however long they take beside others.
        moment_s = random.uniform(0.0, 4.0)
        if seed >= 5:
            run.wait_until(lambda: run.servers("prometheus"))
            moment_s = (seed - 5 + random.random()) / (len(SIGNALS) - 5) * (SECONDS - 3.0)
        before_s = time.monotonic() - run.began_s
        run.wait_until(lambda: time.monotonic() - run.began_s >= before_s + moment_s)
        moment_s += before_s
        there, at_work = run.process.poll() is None, len(run.processes())
        try:
            # Ctrl-C reaches the whole group, `kill` the parent alone.
            (os.killpg if number == signal.SIGINT else os.kill)(run.process.pid, number)
        except ProcessLookupError:
            there = False
        ended = run.ended(60.0)
        right = {128 + number}
        if moment_s < 1.0:
            right.add(-number)  # Python itself was still being started
        complaints = [f"left: {ended.left}"] if ended.left else []
        if there:
            complaints += [f"status {ended.status}"] if ended.status not in right | {0} else []
            complaints += [f"took {ended.took_s:.1f} s"] if ended.took_s > 5.0 else []
            complaints += ["a traceback"] if "Traceback" in ended.err and moment_s >= 1.0 else []
            complaints += ["internal error"] if "internal error" in ended.err else []
        if ended.status != 0 and run.out.exists():
            complaints.append(f"results of a run that was ended: {list(run.out.iterdir())}")
        if not there and ended.status != 0:
            complaints.append(f"ended by itself with status {ended.status}: {ended.err}")
        if ended.status == 0 and not (run.out / "verdict.json").exists():
            complaints.append("no results of a run that came to its end")
        how = str(ended.status) if there else "over before"
        note(
            f"{number.name} {seed}: {moment_s:.1f} s, {at_work} processes: status {ended.status}"
            f" after {ended.took_s:.2f} s {complaints}"
        )
        return how, [
            f"{number.name} {seed} at {moment_s:.2f} s: {complaint}" for complaint in complaints
        ]

    results = side_by_side(trial, SIGNALS, LANES)
    note(f"{number.name}: {dict(Counter(how for how, _ in results))}")
    assert not [complaint for _, complaints in results for complaint in complaints]


@pytest.mark.parametrize("victim", ["parent alone", "parent of workers", "worker"])
def test_the_program_itself_is_killed_at_any_moment(tmp_path, victim):
    """Every server and every guard is gone within two seconds, and so are the directories."""

    def trial(seed: int) -> tuple[str, list[str]]:
        random = random_of(victim, seed)
        pools = "B" if victim == "parent alone" else "BC"
        run = LiveRun(tmp_path / f"{victim[-7:]}-{seed}".replace(" ", "-"), pools)
        moment_s = random.uniform(1.0, SECONDS - 2.0)
        if victim == "worker":
            run.wait_until(run.workers)
            moment_s = random.uniform(0.0, SECONDS - 8.0)
        time.sleep(moment_s)
        if victim == "worker":
            workers = run.workers()
            killed = bool(workers) and kill(workers[0])
            deadline_s = time.monotonic() + 2.0
            alone = {"prometheus": 1, "alertmanager": 1, "receiver": 1}
            counts = {}
            while killed and time.monotonic() < deadline_s:
                counts = {name: len(run.servers(name)) for name in alone}
                if all(counts[name] <= alone[name] for name in alone):
                    break
            complaints = [f"left: {counts}"] if any(n > 1 for n in counts.values()) else []
            ended = run.ended()
            complaints += [f"left at the end: {ended.left}"] if ended.left else []
            verdicts = [scenario["verdict"] for scenario in ended.document["scenarios"]]
            reasons = [r for scenario in ended.document["scenarios"] for r in scenario["reasons"]]
            if not killed and ended.status != 0:
                complaints.append(f"ended by itself with status {ended.status}: {ended.err}")
            if killed and (ended.status != 3 or "ended with signal 9" not in " ".join(reasons)):
                complaints.append(f"status {ended.status}, {verdicts}, {reasons}")
            how = f"{ended.status} {verdicts}" if killed else "over before"
        else:
            there = run.process.poll() is None and kill(run.process.pid)
            ended = run.ended(gone_within_s=2.0)
            complaints = [f"left: {ended.left}"] if ended.left else []
            if ended.status != (-signal.SIGKILL if there else 0):
                complaints.append(f"status {ended.status}: {ended.err}")
            how = str(ended.status) if there else "over before"
        note(f"{victim} {seed}: {moment_s:.1f} s: {how} {complaints}")
        run.end_by_force()
        return how, [
            f"{victim} {seed} at {moment_s:.1f} s: {complaint}" for complaint in complaints
        ]

    results = side_by_side(trial, DEATHS, LANES)
    note(f"{victim}: {dict(Counter(how for how, _ in results))}")
    assert not [complaint for _, complaints in results for complaint in complaints]


def test_what_is_missing_does_not_pass(tmp_path):
    """Planted: a ledger that lost a notification as its receiver died, a time without scrapes.

    Beside a run in which nothing is missing.
    """
    run = LiveRun(tmp_path / "planted", "BBB")
    try:
        assert run.wait_until(lambda: run.has_begun(3))
        stopped, _, _ = run.servers("prometheus")
        os.kill(stopped, signal.SIGSTOP)
        time.sleep(2.0)  # four scrapes of eighteen
        os.kill(stopped, signal.SIGCONT)
        _, receiver, _ = run.servers("receiver")
        ledger = run.ledger_of(receiver)
        assert run.wait_until(lambda: ledger.stat().st_size)
        kill(receiver)
        ledger.write_bytes(b"")
        ended = run.ended()
    finally:
        run.end_by_force()
    hole, lost, sound = ended.document["scenarios"]
    assert (ended.status, ended.left) == (3, [])
    assert [scenario["verdict"] for scenario in (hole, lost, sound)] == [
        "invalid",
        "invalid",
        "pass",
    ]
    assert "Prometheus scraped" in hole["reasons"][0]
    assert "the receiver ended with signal 9 and was started again" in lost["reasons"][0]
    assert not all(alert["ok"] for alert in lost["alerts"])
