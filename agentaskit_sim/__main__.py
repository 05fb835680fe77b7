"""`agentaskit-sim`: finds the command, and turns whatever happens into an exit status.

Every command is one file of this room, imported only when it is asked for, so that help is there
at once. Exit status: 0 all holds, 1 an expectation failed, 2 bad input or usage, 3 could not
judge, 130 and 143 on signals. A user never sees a traceback (AGENTASKIT_SIM_TRACEBACK=1 shows it).
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_INPUT, EXIT_UNABLE, EXIT_SIGNALLED, EXIT_PIPE = 2, 3, 128, 141

COMMANDS = {
    "verify": "Run scenarios and judge every alert with a real Prometheus.",
    "scenarios": "List, show, check and begin scenario files.",
    "serve": "Run the world in real time and serve its metrics to Prometheus.",
    "up": "Run world and stack together, and watch alerts fire.",
    "fault": "Inject, change and end faults of a world that runs.",
    "slo": "Check SLO policies, rules and dashboards against one another.",
    "doctor": "Check what is installed on this machine and what is missing.",
}
"""Each is in the module of its name: a function of that name, or a Typer `app` of subcommands."""

HELP = """A wind tunnel for an observability stack.

Simulates a system of 928 agents, shows its metrics to a real Prometheus, and tells whether the
alerts fire and resolve as they should.
"""
EPILOG = """\b
Examples:
  agentaskit-sim verify                        judge every bundled scenario
  agentaskit-sim verify traffic-drop --seed 7  one scenario, another seed
  agentaskit-sim verify --rules my-alerts/     your rules, not the bundled ones
  agentaskit-sim serve                         live metrics on port 9464
  agentaskit-sim up --compress 10              the same with Prometheus and Alertmanager
  agentaskit-sim fault inject traffic_drop share=0.4
                                               a fault in the world that runs
  agentaskit-sim scenarios new my-outage       begin a scenario of your own

\b
Exit status:
  0 all expectations hold   1 one failed   2 bad input or usage
  3 could not judge         130, 143 ended by a signal
"""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        status = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of a pipe has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = EXIT_PIPE
    sys.exit(status)


def app(wanted: str | None) -> typer.Typer:
    """Return the command line in which `wanted` is real and the other commands are only named."""
    front = typer.Typer(
        name="agentaskit-sim",
        help=HELP,
        epilog=EPILOG,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    front.callback()(_front)
    for name, what in COMMANDS.items():
        if name != wanted:
            front.command(name, help=what)(_unloaded)
            continue
        module = import_module(f"agentaskit_sim.commands.{name}")
        examples = getattr(module, "EXAMPLES", None)
        if hasattr(module, "app"):
            front.add_typer(module.app, name=name, help=what, epilog=examples)
        else:
            front.command(name, epilog=examples)(getattr(module, name))
    return front


def _run(argv: list[str]) -> int:
    if not argv:
        argv = ["--help"]
    wanted = next((word for word in argv if not word.startswith("-")), None)
    try:
        if wanted in {"verify", "up"}:
            argv = import_module("agentaskit_sim.commands.verify").spread(argv)
        app(wanted)(argv, prog_name="agentaskit-sim")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return EXIT_SIGNALLED + signal.SIGINT
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("AGENTASKIT_SIM_TRACEBACK"):
            raise
        return _failed(error)
    return 0


def _failed(error: Exception) -> int:
    from documents.mistakes import InputError  # noqa: PLC0415 - help needs neither
    from verifier.errors import JudgeError  # noqa: PLC0415

    if isinstance(error, InputError | JudgeError):
        typer.echo(str(error), err=True)
        return EXIT_INPUT if isinstance(error, InputError) else EXIT_UNABLE
    kind = type(error).__name__
    typer.echo(
        f"internal error: {kind}: {error} (AGENTASKIT_SIM_TRACEBACK=1 shows where; please report"
        " it)",
        err=True,
    )
    return EXIT_UNABLE


def _stop(number: int, _frame: object) -> NoReturn:
    """Unwind, so that every child is ended and every temporary folder removed; once is enough."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise SystemExit(EXIT_SIGNALLED + number)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        typer.echo(f"agentaskit-sim {version('agentaskit-sim')}")
        raise typer.Exit


def _front(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def _unloaded() -> None:
    """Stand for a command that was not asked for; never called."""


if __name__ == "__main__":
    main()
