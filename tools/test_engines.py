"""`make test-engines ENGINES="DIR ..."`: the tests and the whole library on other engines.

Each folder holds a Prometheus and an Alertmanager with their tools. On each, the part of the test
suite that needs an engine runs, then every bundled scenario and rule as in `make run`. A table at
the end; exit status 1 if anything failed, 2 for a folder without engines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]
TOOLS = "AGENTASKIT_SIM_TOOLS"
ENGINES = (("prometheus",), ("promtool",), ("alertmanager", "prometheus-alertmanager"), ("amtool",))
"""What a folder must hold, each under one of its names."""
LIBRARY = ("--rules", "observability/alerts", "--overlay", "observability/overlays/extras.yaml")
"""What `make run` adds to `verify`."""
TESTS_LIMIT_S = 3600
LIBRARY_LIMIT_S = 1800


@dataclass(frozen=True)
class EngineRun:
    """How a part went on one engine."""

    passed: int
    failed: int
    status: int | None

    @property
    def ok(self) -> bool:
        """Whether it ran and nothing failed."""
        return self.status == 0 and self.failed == 0 and self.passed > 0

    def __str__(self) -> str:
        """Return the figures as a cell of the table."""
        if self.status is None:
            return "not ended in time"
        return f"{self.passed} passed, {self.failed} failed" + ("" if self.ok else "  FAILED")


def missing(folder: Path) -> list[str]:
    """Return the programs that a folder lacks."""
    return [names[0] for names in ENGINES if not any(is_program(folder / n) for n in names)]


def is_program(path: Path) -> bool:
    """Return whether a file is there that can be run."""
    return path.is_file() and os.access(path, os.X_OK)


def version(folder: Path, names: tuple[str, ...]) -> str:
    """Return the version that a program states, `?` when it states none."""
    program = next(folder / name for name in names if is_program(folder / name))
    said = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    words = (said.stdout + said.stderr).partition("version ")[2].split()
    return words[0].rstrip(",") if words else "?"


def run_tests(folder: Path, scratch: Path, arguments: list[str]) -> EngineRun:
    """Run the tests that need an engine.

    Two at a time: a newer engine takes more of a processor to start, and tests in real time beside
    three others would measure the machine.
    """
    report = scratch / "tests.xml"
    status = _run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder",
         "-m", "engine and not long", f"--junitxml={report}", *arguments],
        folder, TESTS_LIMIT_S,
    )  # fmt: skip
    if status is None or not report.exists():
        return EngineRun(0, 0, status)
    suite = next(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - pytest wrote it
    count = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    return EngineRun(count["tests"] - failed - count["skipped"], failed, status)


def run_library(folder: Path, scratch: Path) -> EngineRun:
    """Judge every bundled scenario with every bundled rule."""
    status = _run(
        [sys.executable, "-m", "agentaskit_sim", "verify", *LIBRARY, "--out", str(scratch / "out")],
        folder, LIBRARY_LIMIT_S,
    )  # fmt: skip
    verdict = scratch / "out" / "verdict.json"
    if status is None or not verdict.exists():
        return EngineRun(0, 0, status)
    verdicts = [s["verdict"] for s in json.loads(verdict.read_text("utf-8"))["scenarios"]]
    passed = verdicts.count("pass")
    return EngineRun(passed, len(verdicts) - passed, status)


def _run(command: list[str], folder: Path, limit_s: float) -> int | None:
    environment = os.environ | {TOOLS: str(folder)}
    try:
        return subprocess.run(
            command, cwd=ROOT, env=environment, check=False, timeout=limit_s
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def main(arguments: list[str]) -> int:
    """Run both parts on every folder, print the table, return the exit status."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    folders = [Path(name).resolve() for name in arguments[:split]]
    if not folders:
        print('test-engines: name folders, as in make test-engines ENGINES="DIR ..."')
        return 2
    for folder in folders:
        if lacking := missing(folder):
            print(f"test-engines: {folder} has no {', no '.join(lacking)}")
            return 2
    rows, ok = [], True
    for folder in folders:
        engines = " / ".join(version(folder, names) for names in (ENGINES[0], ENGINES[2]))
        print(f"test-engines: Prometheus / Alertmanager {engines} in {folder}", flush=True)
        with tempfile.TemporaryDirectory(prefix="agentaskit-engines-") as scratch:
            tests = run_tests(folder, Path(scratch), arguments[split + 1 :])
            library = run_library(folder, Path(scratch))
        rows.append((engines, str(tests), str(library)))
        ok = ok and tests.ok and library.ok
    print(f"\n{'Prometheus / Alertmanager':<28}{'tests':<32}library")
    for row in rows:
        print(f"{row[0]:<28}{row[1]:<32}{row[2]}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
