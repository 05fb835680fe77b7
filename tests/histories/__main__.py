"""`make golden`: record the hashes of the bundled scenarios anew, and say which changed."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor

from rich.console import Console

from tests.histories.golden import GOLDEN, long_of, names, path_of, recorded, scenario_of, start_of


def main() -> None:
    """Simulate every bundled scenario and write `golden.json`."""
    ArgumentParser(prog="python -m tests.histories", description=__doc__).parse_args()
    console = Console()
    before = recorded() if GOLDEN.exists() else {}
    after = {}
    with ProcessPoolExecutor() as pool:
        starts = list(pool.map(start_of, names()))
        for name, start, end in zip(names(), starts, pool.map(long_of, names()), strict=True):
            after[name] = {"scenario": scenario_of(path_of(name)), "start": start, "long": end}
            same = before.get(name) == after[name]
            console.print(f"{name}: {'unchanged' if same else 'recorded anew'}")
    GOLDEN.write_text(json.dumps(after, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
