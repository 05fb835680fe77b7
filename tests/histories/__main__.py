"""`make golden`: record bundled scenarios and effects of faults anew, and say what changed."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console

from simulator.faults.kinds.catalogue import FAULTS
from tests.histories import effects
from tests.histories.golden import GOLDEN, long_of, names, path_of, recorded, scenario_of, start_of


def main() -> None:
    """Simulate every bundled scenario and every fault; write `golden.json` and `effects.json`."""
    ArgumentParser(prog="python -m tests.histories", description=__doc__).parse_args()
    console = Console()
    record_effects(console)
    before = recorded() if GOLDEN.exists() else {}
    after = {}
    with ProcessPoolExecutor() as pool:
        starts = list(pool.map(start_of, names()))
        for name, start, end in zip(names(), starts, pool.map(long_of, names()), strict=True):
            after[name] = {"scenario": scenario_of(path_of(name)), "start": start, "long": end}
            same = before.get(name) == after[name]
            console.print(f"{name}: {'unchanged' if same else 'recorded anew'}")
    GOLDEN.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


def record_effects(console: Console) -> None:
    """Write what each kind of fault is measured to do."""
    before = effects.recorded() if effects.EFFECTS.exists() else {}
    after = {kind: effects.figures_of(kind) for kind in FAULTS}
    for kind, lines in after.items():
        same = before.get(kind) == lines
        console.print(f"{kind}: {'unchanged' if same else 'recorded anew'}")
    effects.EFFECTS.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
