"""A run of `verify --live` in a folder of its own, which trials kill, signal and inspect.

The folder holds its temporary files, its results and its scenarios; whatever process belongs to
the run is known by its environment, which names the folder. Runs of half a minute: a sandbox pool
leaks, its alert fires and resolves, and the receiver is notified of both.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from simulator.load import Load

RECEIVER = "slack-warnings"
SECONDS = 23.0
"""Duration of a run on a quiet machine."""
LEAD_S = 10.0
"""How long a stack settles before the scenario begins."""
RATE = Load().rate
SMALL_RATE = 1500.0
"""A world that is prepared in a fraction of the time; its pools take longer to leak."""
PATIENCE_S = 150.0
SCENARIO = """\
name: {name}
story: Slots of pool {pool} leak away.
seed: 42
duration: {duration}
load: {{rate: {rate}}}
faults:
  - name: leaking-pool
    fault: sandbox_leak
    start: 30s
    duration: 2m30s
    targets: {{sandboxes: [{pool}]}}
    parameters: {{share: 0.95}}
expectations:
  - alert: PoolExhausted
    labels: {{sandbox_type: {pool}}}
    receivers: [slack-warnings]
    fires_within: 3m
    resolves_within: 1m
"""
ROUTING = """\
route:
  receiver: slack-warnings
  group_by: [alertname]
  group_wait: 15s
  group_interval: 1m
  repeat_interval: 4h
receivers:
  - name: slack-warnings
    webhook_configs: [{url: "http://127.0.0.1:5001/slack-warnings", send_resolved: true}]
"""
RULES = """\
groups:
  - name: pools
    interval: 15s
    rules:
      - alert: PoolExhausted
        expr: agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.1
        for: 45s
"""
BOARD = '{"panels": [{"targets": [{"expr": "agentaskit_sandbox_pool_available"}]}]}'
"""One rule, one panel: those of the pack read back over 30 days, which have to be stored first."""
LOOPBACK = re.compile(
    r"(tcp|udp) [0-9A-F]{6}7F:|(tcp|udp)6 (0{24}01000000|0{16}FFFF0000[0-9A-F]{6}7F):"
)
PROGRAMS = {"prometheus": "--storage.tsdb.path", "alertmanager": "--storage.path"}


@dataclass(slots=True)
class Ended:
    """How a run ended: exit status, output, what is left of it and how long all that took."""

    status: int
    out: str
    err: str
    took_s: float
    left: list[str] = field(default_factory=list)

    @property
    def document(self) -> dict:
        """The verdict document on standard output."""
        return json.loads(self.out)


class LiveRun:
    """One run of `verify --live` over pools that leak, in the folder `place`."""

    def __init__(
        self,
        place: Path,
        pools: str = "B",
        *,
        temporary: Path | None = None,
        rate: float = RATE,
    ):
        """Start it; each pool is a scenario, each shorter than the one before."""
        self.rate = rate
        self.place = place
        self.temporary = temporary or place / "temporary"
        for folder in (place, self.temporary, place / "here"):
            folder.mkdir(exist_ok=True)
        (place / "routing.yml").write_text(ROUTING)
        (place / "rules.yml").write_text(RULES)
        (place / "board.json").write_text(BOARD)
        paths = [self._scenario(pool, rank) for rank, pool in enumerate(pools)]
        self.out = place / "here" / "results"
        self.began_s = time.monotonic()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "agentaskit_sim", "verify", "--live", "--json"),
                *("--compress", "30", "--jobs", str(len(paths)), *paths),
                *("--routing", place / "routing.yml"),
                *("--rules", place / "rules.yml"),
                *("--dashboards", place / "board.json", "--out", self.out),
            ],
            stdout=(place / "stdout").open("wb"),
            stderr=(place / "stderr").open("wb"),
            env={**os.environ, "TMPDIR": str(self.temporary)},
            cwd=place / "here",
            start_new_session=True,
        )

    def _scenario(self, pool: str, rank: int) -> Path:
        path = self.place / f"leak-{rank}.yaml"
        path.write_text(
            SCENARIO.format(
                name=path.stem, pool=pool, rate=self.rate, duration=f"{270 - 3 * rank}s"
            )
        )
        return path

    def processes(self) -> dict[int, list[str]]:
        """Return the command lines of all processes of the run, by process id, in order."""
        mark = f"TMPDIR={self.temporary}".encode()
        commands = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    words = (folder / "cmdline").read_bytes().decode().split("\0")
                    commands[int(folder.name)] = words
            except OSError:
                continue
        return dict(sorted(commands.items()))

    def servers(self, name: str) -> list[int]:
        """Return the process ids of all that are called `name`, in the order of their parents.

        Workers are begun in the order of the scenarios.
        """
        pairs = []
        for pid, words in self.processes().items():
            program = name in PROGRAMS and any(PROGRAMS[name] in word for word in words)
            script = name == "receiver" and any(w.endswith("webhook.py") for w in words)
            if (program or script) and words[0] != "/bin/sh":
                pairs.append((parent(pid), pid))
        return [pid for _, pid in sorted(pairs)]

    def workers(self) -> list[int]:
        """Return the process ids of the workers, in the order of their scenarios."""
        of_ours = [pid for pid in self.processes() if parent(pid) == self.process.pid]
        return [pid for pid in of_ours if "agentaskit_sim" in self.processes().get(pid, [])]

    def has_begun(self, count: int = 1) -> bool:
        """Whether so many scenarios have begun, the lead after their Prometheus's configuration."""
        files = self.temporary.glob("agentaskit-prometheus-*/prometheus.yml")
        configured_s = [path.stat().st_mtime for path in files if path.stat().st_size]
        return len(configured_s) >= count and time.time() > max(configured_s) + LEAD_S

    def ledger_of(self, receiver: int) -> Path:
        """Return the ledger that the receiver with this process id writes."""
        return Path(f"/proc/{receiver}/cwd").readlink() / "ledger.jsonl"

    def ledgers(self) -> list[Path]:
        """Return the ledgers that hold a notification."""
        files = self.temporary.glob("agentaskit-receiver-*/ledger.jsonl")
        return [path for path in files if path.exists() and path.stat().st_size]

    def sockets(self) -> list[str]:
        """Return the local end of every TCP and UDP socket of the run's processes, as in /proc.

        `table ADDRESS:PORT`, the address in hexadecimal.
        """
        held = set()
        for pid in self.processes():
            with contextlib.suppress(OSError):
                for handle in Path(f"/proc/{pid}/fd").iterdir():
                    with contextlib.suppress(OSError):
                        held.add(str(handle.readlink()))
        open_sockets = []
        for table in ("tcp", "tcp6", "udp", "udp6"):
            for line in Path(f"/proc/{self.process.pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                if f"socket:[{fields[9]}]" in held:
                    open_sockets.append(f"{table} {fields[1]}")
        return open_sockets

    def wait_until(self, condition, patience_s: float = PATIENCE_S):
        """Return what the condition is once it is true, None when the run ends before."""
        deadline_s = time.monotonic() + patience_s
        while time.monotonic() < deadline_s:
            try:
                if value := condition():
                    return value
            except OSError:
                pass
            if self.process.poll() is not None:
                return None
            time.sleep(0.05)
        return None

    def ended(self, patience_s: float = PATIENCE_S, *, gone_within_s: float = 5.0) -> Ended:
        """Return how the run ended, and what was left of it `gone_within_s` from now or its end."""
        start_s = time.monotonic()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.end_by_force()
            return Ended(999, "", f"it had not ended after {patience_s:.0f} s", patience_s)
        took_s = time.monotonic() - start_s
        deadline_s = max(start_s, time.monotonic() - 1.0) + gone_within_s
        while (left := self.left()) and time.monotonic() < deadline_s:
            time.sleep(0.02)
        out, err = ((self.place / name).read_text() for name in ("stdout", "stderr"))
        return Ended(self.process.returncode, out, err, took_s, left)

    def left(self) -> list[str]:
        """Return what there still is of the run: processes, temporary files, half-made results."""
        processes = [f"{pid}: {' '.join(words)[:80]}" for pid, words in self.processes().items()]
        files = [str(path) for path in self.temporary.iterdir()]
        halves = [str(path) for path in (self.place / "here").rglob(".*")]
        return [*processes, *files, *halves]

    def end_by_force(self) -> None:
        """End every process of the run."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()


def reachable(sockets: list[str]) -> list[str]:
    """Return those of `LiveRun.sockets` that are not on loopback."""
    return [address for address in sockets if not LOOPBACK.match(address)]


def parent(pid: int) -> int:
    """Return the process id of a process's parent, 0 when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])


def kill(pid: int) -> bool:
    """End a process as a machine out of memory would; return whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def wrongs(ended: Ended, scenario: dict) -> list[str]:
    """Return what is wrong with the end of a run in which a server was killed.

    It must pass, with every notification once, or be invalid with a reason.
    """
    wrong = [f"left: {ended.left}"] if ended.left else []
    wrong += ["a traceback"] if "Traceback" in ended.out + ended.err else []
    if scenario["verdict"] == "invalid":
        vague = not scenario["reasons"] or any("internal error" in r for r in scenario["reasons"])
        return wrong + ([f"without a reason: {scenario['reasons']}"] if vague else [])
    if scenario["verdict"] != "pass":
        return [*wrong, f"{scenario['verdict']}: {scenario['alerts']}"]
    notified = [
        (delivery["receiver"], delivery["status"])
        for alert in scenario["alerts"]
        for delivery in alert.get("deliveries", ())
    ]
    if sorted(notified) != [(RECEIVER, "firing"), (RECEIVER, "resolved")]:
        wrong.append(f"passed with deliveries {notified}")
    return wrong


def side_by_side(work, trials, lanes: int) -> list:
    """Do `work` for all trials, a few at a time; return the results in order."""
    with ThreadPoolExecutor(lanes) as pool:
        return list(pool.map(work, trials))
