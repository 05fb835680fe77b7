"""`agentaskit-sim doctor`: what is found on this machine, and what to do about what is not.

Looks only: it starts no server, installs nothing and writes nothing but one probe in the kernel's
cache folder. Exit status 0 when `verify` can run, 3 when it cannot.
"""

from __future__ import annotations

import json
import os
import platform
import re
import socket
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from agentaskit_sim.inputs import PACK
from scenarios.loader import LIBRARY
from verifier.errors import JudgeError
from verifier.servers.binaries import describe

EXAMPLES = """\b
Examples:
  agentaskit-sim doctor
  agentaskit-sim doctor --json
"""
EXIT_UNABLE = 3
WIDE = 300
OLDEST = {"prometheus": (2, 42), "alertmanager": (0, 25)}
PORTS = {9464: "serve", 9090: "a Prometheus of your own", 9093: "an Alertmanager of your own"}
USES = {
    "prometheus": "judges every scenario",
    "promtool": "checks rules, cross-checks the judge",
    "alertmanager": "live runs",
    "amtool": "checks routes",
}
INSTALL = (
    "type `make setup`, or install it (Debian, Ubuntu: `sudo apt-get install prometheus"
    " prometheus-alertmanager`; macOS: `brew install prometheus alertmanager`)"
)

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCheck:
    """One thing looked for. Only `missing` keeps `verify` from running; a `note` does not."""

    name: str
    state: State
    found: str
    path: str | None = None
    advice: str | None = None


def doctor(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document instead of a table.")
    ] = False,
) -> None:
    """Tell what is found on this machine, and how to get what is missing."""
    findings = examine()
    ready = all(finding.state != "missing" for finding in findings)
    if as_json:
        document = {
            "ready": ready,
            "version": version("agentaskit-sim"),
            "findings": [asdict(finding) for finding in findings],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        _print(findings, ready=ready)
    raise typer.Exit(0 if ready else EXIT_UNABLE)


def examine() -> list[MachineCheck]:
    """Look for everything, in the order in which it is shown."""
    return [
        find_python(),
        find_kernel(),
        *(find_program(name) for name in USES),
        find_data("pack", PACK / "alerts"),
        find_data("library", LIBRARY),
        *(find_port(port) for port in PORTS),
    ]


def find_python() -> MachineCheck:
    """Describe the interpreter that runs this; one that is not supported is missing."""
    supported = (3, 11) <= sys.version_info[:2] <= (3, 14)
    return MachineCheck(
        name="python",
        state="ok" if supported else "missing",
        found=platform.python_version(),
        path=sys.executable,
        advice=None if supported else "use Python 3.11 to 3.14",
    )


def find_kernel() -> MachineCheck:
    """Describe numba, and whether the compiled kernel can be kept from one run to the next."""
    found = f"numba {version('numba')}"
    try:
        from simulator.kernel.loop import run  # noqa: PLC0415 - numba looks for its cache on import

        folder = Path(run.stats.cache_path)
    except (ImportError, RuntimeError, OSError) as error:
        return MachineCheck(
            name="kernel", state="missing", found=f"{found} does not do: {error}",
            advice="set NUMBA_CACHE_DIR to a folder that can be written to",
        )  # fmt: skip
    except AttributeError:
        return MachineCheck(
            name="kernel", state="note", found=f"{found}, switched off by NUMBA_DISABLE_JIT",
            advice="unset NUMBA_DISABLE_JIT: uncompiled, the world is slower by far",
        )  # fmt: skip
    if not can_write(folder):
        return MachineCheck(
            name="kernel", state="note", found=f"{found}, cache cannot be written to",
            path=str(folder), advice="set NUMBA_CACHE_DIR, or every run compiles the kernel anew",
        )  # fmt: skip
    cached = any(folder.glob("kernel.run-*.nbi"))
    state = "compiled already" if cached else "not compiled yet: the first run takes a while"
    return MachineCheck(name="kernel", state="ok", found=f"{found}, {state}", path=str(folder))


def can_write(folder: Path) -> bool:
    """Tell whether a file can be made in `folder`, or in the nearest parent that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def find_program(name: str) -> MachineCheck:
    """Describe one of the four programs; only `prometheus`, new enough, is needed by `verify`."""
    needed = name == "prometheus"
    lacking: State = "missing" if needed else "note"
    try:
        program = describe(name)
    except JudgeError as error:
        return MachineCheck(name=name, state=lacking, found="does not run", advice=str(error))
    if program is None:
        found = f"not found ({USES[name]})"
        return MachineCheck(name=name, state=lacking, found=found, advice=INSTALL)
    path = str(program.path)
    numbers = re.match(r"(\d+)\.(\d+)", program.version)
    oldest = OLDEST.get(name, (0, 0))
    if numbers and (int(numbers[1]), int(numbers[2])) < oldest:
        found = f"{program.version} is older than {oldest[0]}.{oldest[1]}"
        return MachineCheck(name=name, state=lacking, found=found, path=path, advice=INSTALL)
    return MachineCheck(name=name, state="ok", found=program.version, path=path)


def find_data(name: str, folder: Path) -> MachineCheck:
    """Describe a folder of data files that come with the program."""
    count = len(list(folder.glob("*.yaml")))
    return MachineCheck(
        name=name,
        state="ok" if count else "missing",
        found=f"{count} files",
        path=str(folder),
        advice=None if count else "the installation is damaged: install agentaskit-sim again",
    )


def find_port(port: int) -> MachineCheck:
    """Tell whether a port that people use with this is free on loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return MachineCheck(
                name=f"port {port}", state="note",
                found=f"not free ({os.strerror(error.errno or 0).lower()})",
                advice=f"it is the usual port of {PORTS.get(port, 'a program')}: choose another",
            )  # fmt: skip
    return MachineCheck(name=f"port {port}", state="ok", found="free")


def _print(findings: list[MachineCheck], *, ready: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("", "what", "found", "where"):
        table.add_column(title, overflow="fold")
    styles = {"ok": "green", "note": "yellow", "missing": "bold red"}
    advised: dict[str, list[str]] = {}
    for one in findings:
        table.add_row(f"[{styles[one.state]}]{one.state}[/]", one.name, one.found, one.path or "")
        if one.advice:
            advised.setdefault(one.advice, []).append(one.name)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)
    console.print()
    for advice, names in advised.items():
        console.print(f"{', '.join(names)}: {advice}", markup=False)
    console.print("verify can run" if ready else "verify cannot run until what is missing is there")
