"""`agentaskit-sim doctor`: what is installed on this machine, and how to get what is missing.

It changes nothing: it starts no server, installs nothing and writes nothing but one probe in the
kernel's cache folder. What is the user's own, such as a newer engine or a server on its usual port,
is no fault. Exit status 0 when `verify` can run, 3 when it cannot.
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
from typing import Annotated, Any, Final, Literal, TypeAlias

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agentaskit_sim.front.pack_files import PACK
from documents.amounts import amount
from scenarios.library.files import LIBRARY
from verifier.engines.victoria_metrics import PROGRAM as VICTORIA_METRICS
from verifier.engines.victoria_metrics import describe_victoria_metrics, victoria_advice
from verifier.errors import JudgeError
from verifier.servers.binaries import PROGRAMS, TOOLS_VARIABLE, describe, install_advice
from verifier.servers.foreign_server import ForeignServer, ServerUnreachable

State: TypeAlias = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class UsualPort:
    """A port that one of these servers usually has, and how to know that server by its answer.

    `use` says what it is good for, `otherwise` what to do when something else has the port.
    """

    server: str
    path: str
    answer: bytes
    use: str
    otherwise: str

    def is_there(self, port: int) -> bool:
        """Return whether the server answers at that port of loopback."""
        server = ForeignServer(self.server, f"http://127.0.0.1:{port}", timeout_s=ANSWER_TIMEOUT_S)
        try:
            return self.answer in server.get(self.path)
        except ServerUnreachable:
            return False


ANSWER_TIMEOUT_S: Final = 1.0
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim doctor
  agentaskit-sim doctor --json
"""
EXIT_UNABLE: Final = 3
PLAIN_WIDTH: Final = 300
"""Columns where no terminal says how many: a long path stays on one line, for `grep`."""
OLDEST: Final = {"prometheus": (2, 42), "alertmanager": (0, 25)}
"""2.42: the remote write receiver; 0.25: a notification log that is saved every second."""
PORTS: Final = {
    9464: UsualPort(
        "world", "/api/v1/faults", b'"faults"', "`agentaskit-sim fault` reaches it",
        "the default port of serve and up is taken: choose another with --port",
    ),
    9090: UsualPort(
        "Prometheus", "/-/healthy", b"Prometheus",
        "`agentaskit-sim up --prometheus http://127.0.0.1:9090` shows its alerts",
        "something else has the usual port of Prometheus; ours take free ports",
    ),
    9093: UsualPort(
        "Alertmanager", "/api/v2/status", b"versionInfo",
        "`agentaskit-sim up --alertmanager http://127.0.0.1:9093` notifies it",
        "something else has the usual port of Alertmanager; ours take free ports",
    ),
}  # fmt: skip
USES: Final = {
    "prometheus": "needed for verify",
    "promtool": "checks rules, cross-checks the judge",
    "alertmanager": "needed for up and verify --live",
    "amtool": "checks routes",
}
_PROGRAM_FILES: Final = (*PROGRAMS, "prometheus-alertmanager", VICTORIA_METRICS)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineCheck:
    """The result of one check. Only `missing` keeps `verify` from running; a `note` does not.

    The fields are the keys of a finding in the JSON document.
    """

    name: str
    state: State
    result: str
    path: str | None = None
    advice: str | None = None


def doctor(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document instead of a table.")
    ] = False,
) -> None:
    """Check what is installed on this machine, and how to get what is missing."""
    checks = check_machine()
    ready = all(check.state != "missing" for check in checks)
    if as_json:
        document = {
            "ready": ready,
            "version": version("agentaskit-sim"),
            "findings": [_as_json(check) for check in checks],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        _print(checks, ready=ready)
    raise typer.Exit(0 if ready else EXIT_UNABLE)


def _as_json(check: MachineCheck) -> dict[str, str | None]:
    """Return a check under the keys of the JSON document."""
    return {"found" if key == "result" else key: value for key, value in asdict(check).items()}


def check_machine() -> list[MachineCheck]:
    """Check everything, in the order of the table."""
    return [
        check_python(),
        check_kernel(),
        *(check_program(name) for name in USES),
        check_victoria_metrics(),
        *check_tools_folder(),
        check_data("pack", PACK / "alerts"),
        check_data("library", LIBRARY),
        *(check_port(port, usual) for port, usual in PORTS.items()),
    ]


def check_python() -> MachineCheck:
    """Check the interpreter that runs this; a version that is not supported is `missing`."""
    supported = (3, 11) <= sys.version_info[:2] <= (3, 14)
    return MachineCheck(
        name="python",
        state="ok" if supported else "missing",
        result=platform.python_version(),
        path=sys.executable,
        advice=None if supported else "use Python 3.11 to 3.14",
    )


def check_kernel() -> MachineCheck:
    """Check numba, and whether the compiled kernel can be kept from one run to the next."""
    numba = f"numba {version('numba')}"
    try:
        from simulator.kernel import loop, machine_code  # noqa: PLC0415 - only this check needs it

        loop.compile_kernel()
        run: Any = loop.run  # numba has put its own type in the place of the function
        kept = isinstance(run, machine_code.KeptRun)
        folder = machine_code.place(loop.__file__).parent if kept else Path(run.stats.cache_path)
    except (ImportError, RuntimeError, OSError) as error:
        return MachineCheck(
            name="kernel", state="missing", result=f"{numba} does not work: {error}",
            advice="set NUMBA_CACHE_DIR to a folder that can be written to",
        )  # fmt: skip
    except AttributeError:
        return MachineCheck(
            name="kernel", state="note", result=f"{numba}, switched off by NUMBA_DISABLE_JIT",
            advice="unset NUMBA_DISABLE_JIT: uncompiled, the world is slower by far",
        )  # fmt: skip
    if not can_write(folder):
        return MachineCheck(
            name="kernel", state="note", result=f"{numba}, cache cannot be written to",
            path=str(folder), advice="set NUMBA_CACHE_DIR, or every run compiles the kernel anew",
        )  # fmt: skip
    # numba names a cache's index after the module and the function.
    cached = kept or any(folder.glob(f"{Path(loop.__file__).stem}.run-*.nbi"))
    state = "compiled already" if cached else "not compiled yet: the first run takes a while"
    return MachineCheck(name="kernel", state="ok", result=f"{numba}, {state}", path=str(folder))


def can_write(folder: Path) -> bool:
    """Return whether a file can be made in `folder`, or in the nearest parent that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def check_program(name: str) -> MachineCheck:
    """Check one of the four programs; `verify` needs only `prometheus`, and a recent version."""
    needed = name == "prometheus"
    absent: State = "missing" if needed else "note"
    try:
        program = describe(name)
    except JudgeError as error:
        return MachineCheck(name=name, state=absent, result="does not run", advice=str(error))
    if program is None:
        missing = f"not found ({USES[name]})"
        return MachineCheck(name=name, state=absent, result=missing, advice=install_advice())
    path = str(program.path)
    numbers = re.match(r"(\d+)\.(\d+)", program.version)
    oldest = OLDEST.get(name, (0, 0))
    if numbers and (int(numbers[1]), int(numbers[2])) < oldest:
        too_old = f"{program.version} is older than {oldest[0]}.{oldest[1]}"
        advice = install_advice()
        if os.environ.get(TOOLS_VARIABLE) and program.path.is_relative_to(
            Path(os.environ[TOOLS_VARIABLE]).resolve()
        ):
            advice = f"let {TOOLS_VARIABLE} name a folder with a newer one, or unset it"
        return MachineCheck(name=name, state=absent, result=too_old, path=path, advice=advice)
    return MachineCheck(name=name, state="ok", result=program.version, path=path)


def check_victoria_metrics() -> MachineCheck:
    """Check the other engine, which only `verify --engine victoria-metrics` needs."""
    name = VICTORIA_METRICS
    try:
        program = describe_victoria_metrics()
    except JudgeError as error:
        return MachineCheck(name=name, state="note", result="does not run", advice=str(error))
    if program is None:
        missing = "not found (only verify --engine victoria-metrics needs it)"
        return MachineCheck(name=name, state="note", result=missing, advice=victoria_advice())
    result = program.version or "states no version, as Debian's builds do not"
    return MachineCheck(name=name, state="ok", result=result, path=str(program.path))


def check_data(name: str, folder: Path) -> MachineCheck:
    """Check a folder of data files that come with the program."""
    count = len(list(folder.glob("*.yaml")))
    return MachineCheck(
        name=name,
        state="ok" if count else "missing",
        result=amount(count, "files"),
        path=str(folder),
        advice=None if count else "the installation is damaged: install agentaskit-sim again",
    )


def check_port(port: int, usual: UsualPort) -> MachineCheck:
    """Check whether a usual port is free on loopback, or has the server that belongs there."""
    name = f"port {port}"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a port whose last connections are still closing is free.
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = os.strerror(error.errno or 0).lower()
        else:
            return MachineCheck(name=name, state="ok", result="free")
    if usual.is_there(port):
        result = f"a {usual.server} of yours" if usual.server != "world" else "a world that runs"
        return MachineCheck(name=name, state="ok", result=result, advice=usual.use)
    return MachineCheck(
        name=name, state="note", result=f"not free ({reason})", advice=usual.otherwise
    )


def check_tools_folder() -> list[MachineCheck]:
    """Check the folder that AGENTASKIT_SIM_TOOLS names; one that leads nowhere is easily missed."""
    folder = os.environ.get(TOOLS_VARIABLE)
    if not folder or any((Path(folder) / name).exists() for name in _PROGRAM_FILES):
        return []
    return [
        MachineCheck(
            name=TOOLS_VARIABLE, state="note", path=folder,
            result="there is no such folder" if not Path(folder).is_dir() else "no program in it",
            advice=f"what stands above is found without it; unset {TOOLS_VARIABLE}, or correct it",
        )
    ]  # fmt: skip


def _print(checks: list[MachineCheck], *, ready: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for title in ("", "what", "found", "where"):
        table.add_column(title, overflow="fold")
    styles = {"ok": "green", "note": "yellow", "missing": "bold red"}
    advised: dict[str, list[str]] = {}
    for check in checks:
        state = Text(check.state, style=styles[check.state])
        table.add_row(state, *map(Text, (check.name, check.result, check.path or "")))
        if check.advice:
            advised.setdefault(check.advice, []).append(check.name)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(table)
    console.print()
    for advice, names in advised.items():
        console.print(f"{', '.join(names)}: {advice}", markup=False)
    cannot = "verify cannot run until everything marked missing is installed"
    console.print("verify can run" if ready else cannot)
