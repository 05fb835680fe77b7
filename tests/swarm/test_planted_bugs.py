"""Bugs planted into the simulator: each makes the swarm fail, by its own law, and shrinks.

A bug is one line of the source that is changed before it is run. Those of the kernel are run
uncompiled, in a process of their own; the others are compiled as ever and as quick.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.simulator.faults.injectors import disarm
from tests.swarm.drawing import KINDS, draw_trial
from tests.swarm.run import carry_out

RUN_WITH_BUG = """
import importlib, json, sys
from importlib.util import find_spec, module_from_spec
name, old, new, first, last, most = sys.argv[1:7]
spec = find_spec(name)
with open(spec.origin, encoding="utf-8") as file:
    source = file.read()
assert source.count(old) == 1, f"{source.count(old)} places have {old!r}"
module = module_from_spec(spec)
sys.modules[name] = module
parent, _, child = name.rpartition(".")
setattr(importlib.import_module(parent), child, module)
exec(compile(source.replace(old, new), spec.origin, "exec"), module.__dict__)
if name == "simulator.kernel.loop":
    module.compile_kernel = lambda: None
from tests.swarm.drawing import draw_trial
from tests.swarm.run import carry_out
from tests.swarm.shrinking import shrink
for seed in range(int(first), int(last)):
    trial = draw_trial(seed)
    failed = carry_out(trial)
    if failed.laws:
        smaller, still = shrink(trial, failed, most=int(most))
        size = lambda t: len(t.faults) + len(t.actions) + len(t.readings_ms) + t.topology.fleet
        sizes = [size(trial), size(smaller)]
        print(json.dumps({"seed": seed, "laws": failed.laws, "still": still.laws, "sizes": sizes}))
        sys.exit()
print(json.dumps({"laws": [], "still": [], "sizes": [0, 0]}))
"""
KERNEL = "simulator.kernel.loop"
EFFECTIVE = "simulator.faults.effective_parameters"


@dataclass(frozen=True, slots=True)
class Bug:
    """One line of `module` that is changed, the law that it breaks, and where to look first."""

    module: str
    old: str
    new: str
    law: str
    seed: int = 0
    seeds: int = 40


BUGS = {
    "a task that goes back keeps its slots": Bug(
        KERNEL,
        "    release_all(w, x, agent, now)\n    meta = w[me + META]",
        "    meta = w[me + META]",
        "slots in use are held by agents",
        seed=3,
    ),
    "the inbox of a crashed agent is lost without a count": Bug(
        KERNEL,
        "    w[DROPPED] += lost\n",
        "",
        "sent = delivered + waiting + dropped",
        seed=1,
    ),
    "a message that an inbox takes is not counted": Bug(
        KERNEL,
        "    w[inbox + TAKEN] += fits\n",
        "",
        "sent = delivered + waiting + dropped",
    ),
    "a task that timed out is not counted": Bug(
        KERNEL,
        "        w[priority_row(priority) + TIMED_OUT] += 1\n",
        "",
        "arrived = rejected + queued + in flight + ended + timed out",
    ),
    "the restart backoff never resets": Bug(
        KERNEL, "    w[me + BACKOFF] = 0\n", "", "who runs has no backoff left"
    ),
    "restarts for which there was no agent are saved up": Bug(
        KERNEL,
        "    w[RECYCLE_CREDIT] = min(w[RECYCLE_CREDIT], MICRO)\n",
        "",
        "restarts are not saved up",
    ),
    "tokens of the rate limit pile up": Bug(
        KERNEL,
        "    tokens = min(tokens, w[TOKEN_LIMIT_NS])\n",
        "",
        "tokens are within their bucket",
    ),
    "nobody minds when a queued task times out": Bug(
        KERNEL,
        "    expect_expiry(w, now + w[priority_row(priority) + WAIT_NS])\n    return True",
        "    return True",
        "no task waits longer than its limit",
    ),
    "a fault that ends now is still in effect": Bug(
        "simulator.fault_ledger",
        "<= now_ns < progress.end_ns(fault)",
        "<= now_ns <= progress.end_ns(fault)",
        "faults in effect have begun and are not over",
    ),
    "slots that went down stay down": Bug(
        EFFECTIVE,
        "        p[k.DOWN] = min(p[k.DOWN], p[k.DOWN_TARGET])\n",
        "",
        "nothing is left of a fault that has ended",
    ),
    "a crash loop never ends": Bug(
        EFFECTIVE,
        "        agent[:, k.LOOPS] = self.loops\n",
        "        agent[:, k.LOOPS] |= self.loops\n",
        "nothing is left of a fault that has ended",
    ),
    "every change of a fault moves the next arrival": Bug(
        "simulator.arrivals",
        "    if new_per_ns == old_per_ns:\n        return\n",
        "",
        "the arrivals are those of the control run",
    ),
    "a skip forgets when tasks time out": Bug(
        "simulator.kernel.state",
        "k.NEXT_EXPIRY,",
        "",
        "the control event is the next tick or time-out",
        seeds=100,
    ),
    "reservations are added instead of the larger": Bug(
        "simulator.faults.kinds.traffic",
        "max(effective.reserved_agents, reserved)",
        "effective.reserved_agents + reserved",
        "the largest reservation counts",
        seeds=400,
    ),
    "an injector does nothing": Bug(
        "simulator.faults.kinds.tasks",
        "        effective.slowness[targets.agents] *= 1 + (self.factor - 1) * strength",
        "        pass",
        "a fault does what it declares",
    ),
    "a stale router looks all the same": Bug(
        "simulator.cells.system",
        "        if not blind:\n",
        "        if True:\n",
        "a stale router moves no load",
        seeds=400,
    ),
    "a cell that was ill never regains its load": Bug(
        "simulator.cells.router",
        "min(self.health[i] + 1.0 / self.ramp_s, 1.0)",
        "self.health[i]",
        "the world drains within 15 minutes, left",
        seeds=100,
    ),
    "arrivals do not follow the faults of the load": Bug(
        "simulator.world",
        "arrivals_per_s(self.now_ns, self._ledger.traffic_factor)",
        "arrivals_per_s(self.now_ns, 1.0)",
        "a fault has its declared effect",
        seeds=100,
    ),
}
TRIALS_OF_A_KIND = 3
QUICK = [
    "a task that timed out is not counted",
    "a fault that ends now is still in effect",
]
"""A bug of the kernel and one of what is compiled as ever: both ways to plant."""


def run_with(bug, repository, most=20):
    """Return what a process that runs the swarm with this bug reports, shrunk by `most` runs."""
    arguments = [bug.module, bug.old, bug.new, str(bug.seed), str(bug.seed + bug.seeds), str(most)]
    done = subprocess.run(
        [sys.executable, "-c", RUN_WITH_BUG, *arguments],
        cwd=repository, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expect_caught(bug, repository, most=20):
    """The law that guards the bug is broken, and still is in a smaller trial."""
    report = run_with(bug, repository, most)
    names = [law.partition(":")[0] for law in report["laws"]]
    assert bug.law in names, report
    assert {law.partition(":")[0] for law in report["still"]} & set(names)
    assert report["sizes"][1] < report["sizes"][0]


@pytest.fixture(scope="module")
def trials():
    """Return the trials of the first seeds; each kind is in several of them."""
    return [draw_trial(seed) for seed in range(200)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_injector_that_does_nothing_is_noticed(kind, trials, monkeypatch):
    """Of every kind, by the first trials that have it; without that they break no law."""
    with_kind = [trial for trial in trials if kind in {fault.kind for fault in trial.faults}]
    disarm(monkeypatch, kind)
    noticed = (carry_out(trial, drains=False).laws for trial in with_kind[:TRIALS_OF_A_KIND])
    names = {law.partition(":")[0] for laws in noticed for law in laws}
    assert names & {"a fault does what it declares", "the largest reservation counts"}


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_changes_one_place(name):
    """Of the code as it is: a line that has moved would be noticed by the long tests alone."""
    origin = find_spec(BUGS[name].module).origin
    assert Path(origin).read_text(encoding="utf-8").count(BUGS[name].old) == 1


@pytest.mark.ci
@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_caught_and_shrunk(name, repository):
    """By its own law, within a few seeds."""
    expect_caught(BUGS[name], repository, most=6)


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in BUGS if name not in QUICK])
def test_a_rarer_planted_bug_is_caught_and_shrunk(name, repository):
    """It takes many seeds, or slow ones."""
    expect_caught(BUGS[name], repository)


@pytest.mark.ci
def test_without_a_bug_nothing_is_reported(repository):
    """The same process with a change that changes nothing."""
    harmless = Bug("simulator.fault_ledger", "if self.last_reading is not None:",
                   "if not self.last_reading is None:", "", seeds=3)  # fmt: skip
    assert run_with(harmless, repository)["laws"] == []
