"""`make swarm SEED=0 N=1000`: many random worlds, each from one seed, and every law checked.

Prints each failure with its seed, its virtual time, the last events and the command that replays
it, then the smallest scenario that still fails. Ends with what the seeds reached. Status 1 when a
law broke or something was reached too rarely, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from simulator.plan import Plan
from simulator.topology import Topology
from simulator.world import World
from tests.console.progress_bar import ProgressBar
from tests.swarm.coverage import EXPECTED, LEAST_SEEDS, LEAST_SHARE, count_reached, rarely
from tests.swarm.drawing import draw_trial
from tests.swarm.scenario_text import write_scenario
from tests.swarm.shrinking import ATTEMPTS_MAX, shrink
from tests.swarm.workers import run_seeds
from verifier.ending_signal import EndingSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.swarm.run import Outcome
    from tests.swarm.trial import Trial

SHRUNK_MAX = 3
"""So many failures are shrunk: the others are mostly the same."""
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, draw: Callable[[int], Trial] = draw_trial) -> int:
    """Run the swarm; return the exit status."""
    options = _parse(arguments)
    console, errors = Console(soft_wrap=True, highlight=False), Console(stderr=True)
    World(Topology(), Plan(), seed=0).advance(0.01)  # compiled once, before there are workers
    started_s = time.monotonic()
    outcomes: list[Outcome] = []
    seeds = range(options.seed, options.seed + options.count)
    status = 0
    try:
        with ProgressBar(errors, "seeds", len(seeds)) as advance:
            for outcome in run_seeds(seeds, draw, options.jobs):
                outcomes.append(outcome)
                advance()
                if options.hashes:
                    continue
                if outcome.laws:
                    report(console, outcome)
                    if sum(bool(each.laws) for each in outcomes) <= SHRUNK_MAX:
                        _report_shrunk(console, draw(outcome.seed), outcome, options.shrink)
    except KeyboardInterrupt:
        console.print("interrupted")
        status = INTERRUPTED
    if options.hashes:
        for outcome in sorted(outcomes, key=lambda each: each.seed):
            console.print(f"{outcome.seed} {outcome.history}")
    else:
        concluded = conclude(console, outcomes, time.monotonic() - started_s)
        status = status or concluded
    return status


def report(console: Console, outcome: Outcome) -> None:
    """Print a failure: seed, virtual time, laws, last events, the command that replays it."""
    console.print(f"\nseed {outcome.seed}: broken at {outcome.at_s:.9f} s of virtual time")
    for law in outcome.laws:
        console.print(f"  broken: {law}", markup=False)
    for line in outcome.log:
        console.print(f"    {line}", markup=False)
    console.print(f"  replay: make swarm SEED={outcome.seed} N=1")


def _report_shrunk(console: Console, trial: Trial, outcome: Outcome, most: int) -> None:
    if outcome.laws[0].startswith(("no trial ends", "a trial takes")):
        console.print("  not shrunk: it would end this process too; the whole scenario:")
        console.print(write_scenario(trial), markup=False)
        return
    smaller, failed = shrink(trial, outcome, most=most)
    laws = "; ".join(failed.laws)
    console.print(f"  shrunk, broken at {failed.at_s:.9f} s: {laws}", markup=False)
    console.print(write_scenario(smaller), markup=False)


def conclude(console: Console, outcomes: Sequence[Outcome], took_s: float) -> int:
    """Print what was reached and how it went; return the exit status."""
    counts = count_reached(outcome.reached for outcome in outcomes)
    enough = len(outcomes) >= LEAST_SEEDS
    rare = rarely(counts, len(outcomes)) if enough else []
    if enough:
        table = Table(title="reached, in how many of 100 seeds", box=None)
        for heading in ("what", "%", ""):
            table.add_column(heading, justify="right" if heading == "%" else "left")
        for name in sorted(EXPECTED | set(counts)):
            share = 100 * counts.get(name, 0) / len(outcomes)
            table.add_row(name, f"{share:.1f}", "too rarely" if name in rare else "")
        console.print(table)
    broken = [outcome.seed for outcome in outcomes if outcome.laws]
    console.print(
        f"{len(outcomes)} seeds in {took_s:.0f} s: {len(broken)} broke a law"
        + (f" ({', '.join(map(str, sorted(broken)[:20]))})" if broken else "")
        + (
            f"; {len(rare)} of {len(EXPECTED)} reached in fewer than {LEAST_SHARE:.0%}"
            if enough
            else f"; from {LEAST_SEEDS} seeds on it is checked what they reach"
        )
    )
    return int(bool(broken or rare))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.swarm", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000, help="how many seeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    parser.add_argument(
        "--shrink", type=int, default=ATTEMPTS_MAX, help="most attempts to shrink a failure"
    )
    parser.add_argument("--hashes", action="store_true", help="print the hash of each history")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    # Even where a shell started this in the background, and where a fork's callback swallows it.
    EndingSignal().listen((signal.SIGINT,))
    sys.exit(main())
