"""The rooms whose code is mutated, and the tests that could notice a mutant of each module.

Tests come in stages, the quickest first; a mutant that a stage notices does not meet the next. The
first two follow from the names, since tests mirror the rooms: the test of the module, and the quick
ones of its folder. What else would notice it, a room lists by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.conftest import LONGEST_FIRST

if TYPE_CHECKING:
    from pathlib import Path

LONG = frozenset(f"tests/{name}" for name in LONGEST_FIRST)
"""Files whose tests take long: those of a folder come last."""
KERNEL = "simulator/kernel/loop.py"
OF_KERNEL = "tests/simulator/kernel"
LAWS = f"{OF_KERNEL}/test_laws.py::test_every_law_holds_at_every_snapshot"


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of pytest: files, folders or tests. `compiled`: numba compiles, or has compiled."""

    tests: tuple[str, ...]
    compiled: bool = True


KERNEL_STAGES = (
    Stage((f"{OF_KERNEL}/test_steps.py", f"{OF_KERNEL}/test_gateway.py"), compiled=False),
    Stage(tuple(f"{LAWS}[{seed}]" for seed in range(0, 200, 10)), compiled=False),
    Stage(
        (
            f"{OF_KERNEL}/test_state.py",
            f"{OF_KERNEL}/test_initial_state.py",
            f"{OF_KERNEL}/test_snapshot_reader.py",
            "tests/simulator/test_injection.py",
            "tests/simulator/faults/test_retiming.py",
            "tests/simulator/faults/kinds",
        ),
        compiled=False,
    ),
)
"""Uncompiled, for compiling takes half a minute for each mutant; so without the tests that need a
million events, and without the golden hashes, which say only that a world is another."""


@dataclass(frozen=True, slots=True)
class Room:
    """A folder of code, and stages for every module of it after the first two."""

    folder: str
    beyond: tuple[Stage, ...]

    def modules(self, root: Path) -> dict[str, str]:
        """Return path and text of every module."""
        files = sorted((root / self.folder).rglob("*.py"))
        return {file.relative_to(root).as_posix(): file.read_text("utf-8") for file in files}

    def stages(self, path: str, root: Path) -> tuple[Stage, ...]:
        """Return the stages for a module, those of them whose tests exist."""
        if path == KERNEL:
            stages: tuple[Stage, ...] = KERNEL_STAGES
        else:
            folder, _, name = path.rpartition("/")
            beside = sorted((root / "tests" / folder).glob("test_*.py"))
            files = [file.relative_to(root).as_posix() for file in beside]
            quick = tuple(file for file in files if file not in LONG)
            long = tuple(file for file in files if file in LONG)
            own = Stage((f"tests/{folder}/test_{name}",))
            stages = (own, Stage(quick), *self.beyond, Stage(long))
        existing = (
            Stage(
                tuple(test for test in stage.tests if (root / test.partition("::")[0]).exists()),
                compiled=stage.compiled,
            )
            for stage in stages
        )
        return tuple(stage for stage in existing if stage.tests)


ROOMS = {
    "simulator": Room(
        "simulator",
        (
            Stage(
                (
                    "tests/simulator/test_injection.py",
                    "tests/simulator/test_load_change.py",
                    "tests/simulator/faults/kinds",
                )
            ),
            Stage(("tests/simulator/faults", "tests/simulator/test_determinism.py")),
            Stage(("tests/swarm/test_swarm.py", "tests/histories/test_golden.py")),
        ),
    ),
    "judge": Room(
        "verifier/judge",
        (
            Stage(
                (
                    "tests/verifier/judge/expectations",
                    "tests/verifier/judge/failures",
                    "tests/verifier/judge/test_alert_verdicts.py",
                    "tests/verifier/judge/test_notification_verdicts.py",
                )
            ),
            Stage(
                (
                    "tests/verifier/report",
                    "tests/verifier/panels/test_panel_verdicts.py",
                    "tests/verifier/real_time/test_observation.py",
                    "tests/agentaskit_sim/test_verdict_output.py",
                    "tests/verifier/test_suite.py",
                )
            ),
        ),
    ),
    "catalogue": Room(
        "exporter/metrics",
        (
            Stage(
                (
                    "tests/exporter/test_exposition_laws.py",
                    "tests/exporter/test_label_values.py",
                    "tests/exporter/server/test_exposition.py",
                    "tests/exporter/scrape_path",
                    "tests/exporter/history",
                )
            ),
        ),
    ),
    "recorder": Room(
        "exporter/history",
        (
            Stage(("tests/exporter/test_exposition_laws.py", "tests/exporter/scrape_path")),
            Stage(("tests/verifier/virtual_time/test_past.py",)),
        ),
    ),
}
"""`make mutants ROOM=...` takes one of these names."""
