"""What the report of `verify` costs: its size, its making, and all of drawing, beside the same run.

Run as `python -m benchmarks.report.cost --pairs 3`, or by `make bench`. Each run judges the bundled
scenarios with the extras, in a process of its own, as `make run` does; of each pair one run draws
and the other has its drawing patched away, in alternating order, so that a machine that gets slower
meanwhile slows both. Processor time is compared, that of workers and servers included. Exit status
1 when a limit is exceeded.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn
from unittest import mock

from agentaskit_sim.__main__ import main as agentaskit_sim
from benchmarks.serve import Check, report_checks
from verifier.drawing.scenario_chart import DrawnScenario
from verifier.report.saved import results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.run_record import RunRecord

SIZE_MAX_BYTES: Final = 2_000_000
"""Of the report of the whole library; `tests/verifier/report/test_report_size.py` holds it too."""
MADE_MAX_S: Final = 3.0
MORE_MAX: Final = 0.05
"""Processor time of a run that draws, more than that of one that does not, as a share."""
REPOSITORY: Final = Path(__file__).parents[2]
MAIN_JOB: Final = (
    "verify", "--rules", "observability/alerts", "--overlay", "observability/overlays/extras.yaml",
)  # fmt: skip
"""What `make run` does."""
SECONDS_FILE: Final = "report-seconds"


@dataclass(frozen=True, slots=True)
class RunCost:
    """One run: processor and wall seconds, the report's size, the seconds to make all results."""

    cpu_s: float
    wall_s: float
    size_bytes: int
    made_s: float


def judge(folder: Path, *, draws: bool, arguments: Sequence[str] = ()) -> NoReturn:
    """Be `verify` in this process, with results in `folder`; never comes back."""
    with contextlib.ExitStack() as patches:
        making = timed(results.files, folder / SECONDS_FILE)
        patches.enter_context(mock.patch.object(results, "files", making))
        if not draws:
            for part, nothing in (("ask", None), ("document", (b"", ()))):
                patched = mock.patch.object(DrawnScenario, part, return_value=nothing)
                patches.enter_context(patched)
        agentaskit_sim([*MAIN_JOB, "--out", str(folder), *arguments])


def timed(
    files: Callable[[Sequence[ScenarioOutcome], RunRecord | None], dict[str, str]], file: Path
) -> Callable[[Sequence[ScenarioOutcome], RunRecord | None], dict[str, str]]:
    """Return what makes the texts of all results, which also writes how many seconds it took."""

    @functools.wraps(files)
    def wrapped(
        outcomes: Sequence[ScenarioOutcome], run: RunRecord | None = None
    ) -> dict[str, str]:
        began_s = time.perf_counter()
        texts = files(outcomes, run)
        file.write_text(f"{time.perf_counter() - began_s}", encoding="ascii")
        return texts

    return wrapped


def measure(folder: Path, *, draws: bool, arguments: Sequence[str] = ()) -> RunCost:
    """Judge in a process of its own; raises CalledProcessError when that does not pass.

    Its results are in `folder`, which exists and is empty.
    """
    command = [sys.executable, "-m", "benchmarks.report.cost", "--judge", str(folder)]
    command += [] if draws else ["--undrawn"]
    cpu_before_s, began_s = children_cpu_s(), time.perf_counter()
    subprocess.run(
        [*command, "--", *arguments], cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return RunCost(
        children_cpu_s() - cpu_before_s,
        time.perf_counter() - began_s,
        (folder / "report.html").stat().st_size,
        float((folder / SECONDS_FILE).read_text(encoding="ascii")),
    )


def children_cpu_s() -> float:
    """Return the processor time of all processes that have ended, and of those they waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def checks(pairs: Sequence[tuple[RunCost, RunCost]]) -> list[Check]:
    """Return the result of pairs of runs, each (drawn, not drawn)."""
    drawn = [pair[0] for pair in pairs]
    size_bytes = max(run.size_bytes for run in drawn)
    made_s = statistics.median(run.made_s for run in drawn)
    more = statistics.median(run.cpu_s / bare.cpu_s - 1 for run, bare in pairs)
    took_s = statistics.median(run.wall_s / bare.wall_s - 1 for run, bare in pairs)
    cpu_s = [statistics.median(pair[side].cpu_s for pair in pairs) for side in (0, 1)]
    return [
        Check("report of the library", f"{size_bytes / 1e6:.2f} MB",
              f"{SIZE_MAX_BYTES / 1e6:g} MB", size_bytes <= SIZE_MAX_BYTES),
        Check("put together, with the other results", f"{made_s:.3f} s",
              f"{MADE_MAX_S:g} s", made_s <= MADE_MAX_S),
        Check("processor time, drawn and not", f"{cpu_s[0]:.1f} and {cpu_s[1]:.1f} s", "", ok=True),
        Check("processor time that drawing adds", f"{more:.1%}", f"{MORE_MAX:.0%}",
              more <= MORE_MAX),
        Check("wall time that drawing adds", f"{took_s:.1%}", "", ok=True),
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table, return the exit status."""
    parser = argparse.ArgumentParser(prog="make bench-report", description=__doc__)
    parser.add_argument("--pairs", type=int, default=3, help="pairs of runs (default 3)")
    parser.add_argument("--judge", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--undrawn", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help="goes to verify, such as a scenario")
    options = parser.parse_args(arguments)
    if options.judge is not None:
        judge(options.judge, draws=not options.undrawn, arguments=options.arguments)
    pairs: list[tuple[RunCost, RunCost]] = []
    for number in range(max(1, options.pairs)):
        first = number % 2 == 0
        costs: dict[bool, RunCost] = {}
        for draws in (first, not first):
            with tempfile.TemporaryDirectory(prefix="agentaskit-sim-bench-") as folder:
                costs[draws] = measure(Path(folder), draws=draws, arguments=options.arguments)
        pairs.append((costs[True], costs[False]))
        print(f"pair {number + 1}: {costs[True].cpu_s:.1f} s of processor time with the report,"
              f" {costs[False].cpu_s:.1f} s without what it draws", flush=True)  # fmt: skip
    return report_checks(checks(pairs))


if __name__ == "__main__":
    sys.exit(main())
