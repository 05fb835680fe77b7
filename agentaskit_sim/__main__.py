"""`agentaskit-sim`: finds the command, and turns every outcome into an exit status.

Every command is one module of `commands`, imported only when it is called, so that `--help` starts
fast. Exit status: 0 all holds, 1 an expectation failed, 2 bad input or usage, 3 could not judge,
130 and 143 on signals, 141 when the reader of standard output has left. A user never sees a
traceback (AGENTASKIT_SIM_TRACEBACK=1 shows it).
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from agentaskit_sim.front.completion import words_to_complete
from agentaskit_sim.front.help import PlainCommand, PlainGroup
from agentaskit_sim.front.streams import guard_standard_streams
from agentaskit_sim.front.word_lists import repeat_options
from verifier.ending_signal import EXIT_SIGNALLED, EndingSignal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

EXIT_INPUT: Final = 2
EXIT_UNABLE: Final = 3
_ending: Final = EndingSignal()
"""The signal that ends this run, if one does."""

COMMANDS: Final = {
    "verify": "Run scenarios and judge every alert with a real Prometheus.",
    "scenarios": "List, show, check and create scenario files.",
    "explain": "Explain the failures of a run that was saved.",
    "serve": "Run the world in real time and serve its metrics to Prometheus.",
    "up": "Run world and stack together, and watch alerts fire.",
    "fault": "Inject, change and end faults of a running world.",
    "check": "Hold rules and dashboards against metrics and known traps.",
    "mutate": "Edit each alert in one place at a time; count what is noticed.",
    "coverage": "Which scenario proves what of each alert, and what is open.",
    "replay": "Replay rules against the history of your own Prometheus.",
    "derive": "Derive promtool unit tests of alert rules, from the rules alone.",
    "send": "Write a scenario's history to your store by remote write.",
    "slo": "Check SLO policies, rules and dashboards against one another.",
    "selftest": "Run what must fail; see that each fails for its own reason.",
    "mapping": "Propose, check and describe mappings to your exporter's metrics.",
    "doctor": "Check what is installed on this machine and what is missing.",
}
"""Each is the module of its name: it has a function of that name, or an `app` of subcommands."""

HELP: Final = """A wind tunnel for an observability stack.

Simulates a system of 928 agents, serves its metrics to a real Prometheus, and reports whether
the alerts fire and resolve as they should.
"""
EPILOG: Final = """\b
Examples:
  agentaskit-sim verify                        judge every bundled scenario
  agentaskit-sim verify traffic-drop --seed 7  one scenario, another seed
  agentaskit-sim verify --rules my-alerts/     your rules, not the bundled ones
  agentaskit-sim serve                         metrics in real time on port 9464
  agentaskit-sim up --compress 10              the same with Prometheus and Alertmanager
  agentaskit-sim fault inject traffic_drop share=0.4
                                               a fault in the running world
  agentaskit-sim scenarios new my-outage       create a scenario of your own

\b
Exit status:
  0 all expectations hold   1 one failed   2 bad input or usage
  3 could not judge         130, 143 ended by a signal   141 reader has left
"""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    guard_standard_streams()
    argv = list(sys.argv[1:] if arguments is None else arguments)
    _ending.listen((signal.SIGINT, signal.SIGTERM))
    status = _run(argv)
    sys.stdout.flush()
    # `python -m` ends itself by SIGINT, whatever the status, if the last text that `exec` ran was
    # interrupted: that of a data class, say.
    exec("")  # noqa: S102 - an empty text
    sys.exit(status)


def app(command: str | None) -> typer.Typer:
    """Return the command line; only `command` is imported, the others are no more than named."""
    front = typer.Typer(
        name="agentaskit-sim",
        help=HELP,
        epilog=EPILOG,
        cls=PlainGroup,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    front.callback()(_front)
    for name, summary in COMMANDS.items():
        if name != command:
            front.command(name, cls=PlainCommand, help=summary)(_not_imported)
            continue
        module = _imported(f"agentaskit_sim.commands.{name}")
        examples = getattr(module, "EXAMPLES", None)
        if hasattr(module, "app"):
            for inner in module.app.registered_commands:
                inner.cls = PlainCommand
            text = f"{summary}\n\n{getattr(module, 'NEEDS', '')}"
            front.add_typer(module.app, cls=PlainGroup, name=name, help=text, epilog=examples)
        else:
            front.command(name, cls=PlainCommand, epilog=examples)(getattr(module, name))
    return front


def _imported(name: str) -> ModuleType:
    """Import a command without looking for garbage meanwhile: a tenth of the time, for nothing.

    What is there then stays: it is left out of later collections, and of the copies of workers.
    """
    if name in sys.modules or not gc.isenabled():
        return import_module(name)
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _run(argv: list[str]) -> int:
    completed = words_to_complete()
    if not argv and completed is None:
        argv = ["--help"]
    words = completed or argv
    command = next((word for word in words if not word.startswith("-")), None)
    try:
        if command in {
            "verify",
            "up",
            "scenarios",
            "mutate",
            "coverage",
            "check",
            "replay",
            "derive",
        }:
            argv = repeat_options(argv)
        if command in {"verify", "up", "serve", "send", "mutate", "coverage"} and completed is None:
            from agentaskit_sim.front.scenario_words import (  # noqa: PLC0415 - `--help` does without
                refuse_unknown_scenarios,
            )

            refuse_unknown_scenarios(argv)
        app(command)(argv, prog_name="agentaskit-sim")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return EXIT_SIGNALLED + signal.SIGINT
    except Exception as error:
        if _ending.number:  # it was on its way, and something on that way made an error of it
            return _ending.status
        if os.environ.get("AGENTASKIT_SIM_TRACEBACK"):
            raise
        return _report(error)
    return 0


def _report(error: Exception) -> int:
    """Print the error in one line, or one for each mistake; return the exit status."""
    from documents.mistakes import InputError  # noqa: PLC0415 - `--help` does without
    from verifier.errors import JudgeError, internal_error  # noqa: PLC0415 - as above

    if isinstance(error, InputError | JudgeError):
        typer.echo(str(error), err=True)
        return EXIT_INPUT if isinstance(error, InputError) else EXIT_UNABLE
    typer.echo(internal_error(error), err=True)
    return EXIT_UNABLE


def _show_version(requested: bool) -> None:  # noqa: FBT001 - typer calls it so
    if requested:
        from importlib.metadata import version  # noqa: PLC0415 - nobody else asks for it

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


def _not_imported() -> None:
    """Stand in for a command that is only listed; never called."""


def _leave_current_folder() -> None:
    """Look for no module in the current folder, where `python -m` looks first.

    A folder `coverage` there would be the package of that name that numba asks for. Where this
    program itself is in the current folder, it is still found there.
    """
    home = Path(__file__).resolve().parent.parent
    if not sys.flags.safe_path and Path(sys.path[0]).resolve() != home:
        del sys.path[0]


if __name__ == "__main__":
    _leave_current_folder()
    main()
