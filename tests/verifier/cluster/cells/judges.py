"""What judges a scenario whose cells are on a cluster, and lets a worker die under it."""

from __future__ import annotations

import os
import signal

from tests.verifier.outcomes import outcome

UNTIL_S, STEP_S = 600.0, 15.0
BREAK_S = 400.0
"""When something happens to the cluster, in seconds of the scenario: in the middle of a fault."""


def kill_workers(client, count):
    """Kill the processes of so many workers, as a kernel without memory does."""
    pids = client.run(os.getpid)
    for worker in sorted(pids)[:count]:
        os.kill(pids[worker], signal.SIGKILL)


class Keeper:
    """Simulates a scenario, keeps the bytes of its end, and lets `happens` happen now and then."""

    def __init__(self, happens=lambda: None, times=1, at_s=BREAK_S):
        """Let it happen in the first `times` runs, `at_s` after the start."""
        self.happens, self.times, self.at_s = happens, times, at_s
        self.runs, self.fingerprints = 0, []

    def __call__(self, worlds, scenario, _, /):
        """Pass."""
        self.runs += 1
        world = worlds.start_of(scenario).world.fork(scenario.plan)
        origin_s = world.now_s
        for step in range(1, int(UNTIL_S / STEP_S)):
            world.advance(origin_s + step * STEP_S)
            world.snapshot()
            if step == self.at_s // STEP_S and self.runs <= self.times:
                self.happens()
        self.fingerprints.append((world.fingerprint(), world.effects()))
        return outcome(scenario.name)
