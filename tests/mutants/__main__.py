"""`make mutants SEED=0 N=25 ROOM=judge`: does it bite? Small changes of our code, and who notices.

Draws `N` mutants of each room from the seed, tries each in a copy of the tree, and prints the share
that a test noticed, then the survivors. A survivor is a hole in the tests, or a change that nobody
could see: those that were read and are such stand in `equivalent.json`, with the reason. Status 1
when there are other survivors, 2 when tests fail without a mutant, 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tests.mutants.mutations import draw
from tests.mutants.rooms import ROOMS
from tests.mutants.trials import Copy, Limits, RedError, TriedMutant
from verifier.ending_signal import EndingSignal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.mutants.mutations import Mutant
    from tests.mutants.rooms import Room

ROOT = Path(__file__).parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.json")
INTERRUPTED = 130
Tried = dict[str, list[TriedMutant]]


def main(arguments: Sequence[str] | None = None, rooms: dict[str, Room] = ROOMS) -> int:
    """Try mutants; return the exit status."""
    options = parse(arguments, rooms)
    console = Console(soft_wrap=True, highlight=False)
    outcomes: Tried = {room: [] for room in options.room or rooms}
    status = 0
    try:
        for room, outcome in try_rooms({name: rooms[name] for name in outcomes}, options):
            outcomes[room].append(outcome)
            print_outcome(console, outcome)
    except RedError as error:
        console.print(str(error))
        return 2
    except KeyboardInterrupt:
        status = INTERRUPTED
    report = report_of(outcomes, options.seed)
    print_report(console, report)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return status or int(any(entry["survivors"] for entry in report["rooms"].values()))


def parse(arguments: Sequence[str] | None, rooms: dict[str, Room]) -> argparse.Namespace:
    """Return the options of a run."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=25, help="mutants of each room")
    parser.add_argument("--room", action="append", choices=rooms, help="instead of all")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--again", type=Path, help="only the survivors of this report")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree that is copied")
    return parser.parse_args(arguments)


def try_rooms(
    rooms: dict[str, Room], options: argparse.Namespace
) -> Iterator[tuple[str, TriedMutant]]:
    """Yield room and outcome of every mutant that is drawn, as they come."""
    limits, copies = Limits(), [Copy(options.root) for _ in range(options.jobs)]
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def try_mutant(room: Room, mutant: Mutant) -> TriedMutant:
        copy = free.get()
        try:
            return copy.try_mutant(mutant, room.stages(mutant.path, options.root), limits)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(options.jobs) as workers:
        try:
            pending = {
                workers.submit(try_mutant, room, mutant): name
                for name, room in rooms.items()
                for mutant in drawn(name, room, options)
            }
            for done in as_completed(pending):
                yield pending[done], done.result()
        finally:
            workers.shutdown(cancel_futures=True)
            for copy in copies:
                copy.remove()


def drawn(name: str, room: Room, options: argparse.Namespace) -> list[Mutant]:
    """Return the mutants of a room that this run tries."""
    mutants = draw(room.modules(options.root), options.count, f"{options.seed} {name}")
    if options.again is None:
        return mutants
    survivors = json.loads(options.again.read_text("utf-8"))["rooms"].get(name, {})
    return [mutant for mutant in mutants if str(mutant) in survivors.get("survivors", ())]


def reason_of(mutant: Mutant) -> str:
    """Return why nobody could notice a mutant, "" when nobody has said so."""
    known = json.loads(EQUIVALENT.read_text("utf-8"))
    keys = ("path", "where", "old", "new")
    return next(
        (each["why"] for each in known if all(each[key] == getattr(mutant, key) for key in keys)),
        "",
    )


def report_of(outcomes: Tried, seed: int) -> dict[str, object]:
    """Return score, survivors and times of each room, for JSON."""
    rooms = {}
    for room, tried in outcomes.items():
        survivors = [outcome.mutant for outcome in tried if not outcome.noticed_by]
        excused = {str(mutant): why for mutant in survivors if (why := reason_of(mutant))}
        noticed = len(tried) - len(survivors)
        counted = len(tried) - len(excused)
        seconds = sorted(outcome.seconds for outcome in tried)
        rooms[room] = {
            "tried": len(tried),
            "noticed": noticed,
            "by_time": sum(outcome.noticed_by == "time" for outcome in tried),
            "equivalent": excused,
            "score": round(noticed / counted, 3) if counted else None,
            "survivors": [str(mutant) for mutant in survivors if str(mutant) not in excused],
            "median_s": round(seconds[len(seconds) // 2], 1) if seconds else None,
            "noticed_by": {
                str(outcome.mutant): outcome.noticed_by for outcome in tried if outcome.noticed_by
            },
        }
    return {"seed": seed, "rooms": rooms}


def print_outcome(console: Console, outcome: TriedMutant) -> None:
    """Print what became of a mutant."""
    verdict = f"noticed by {outcome.noticed_by}" if outcome.noticed_by else "SURVIVED"
    console.print(f"{outcome.seconds:5.1f} s  {outcome.mutant}\n         {verdict}", markup=False)


def print_report(console: Console, report: dict) -> None:
    """Print a line for each room, then every survivor."""
    table = Table("room", "tried", "noticed", "equivalent", "score", "median s")
    for room, entry in report["rooms"].items():
        score = "-" if entry["score"] is None else f"{100 * entry['score']:.0f} %"
        numbers = entry["tried"], entry["noticed"], len(entry["equivalent"])
        table.add_row(room, *map(str, numbers), score, str(entry["median_s"]))
    console.print(table)
    for entry in report["rooms"].values():
        for survivor in entry["survivors"]:
            console.print(f"survived: {survivor}", markup=False)
    console.print(f"replay: make mutants SEED={report['seed']}")


if __name__ == "__main__":
    EndingSignal().listen((signal.SIGINT,))
    sys.exit(main())
