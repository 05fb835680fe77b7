"""Help and usage errors as people read them: names without types, whole sentences, a near word.

Commands and groups of the front door are of these classes. What they print of an argument or an
option is made from its name, its help and its bounds; no version of the library shows through.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable

_TYPE: Final = re.compile(r" <[\w\[\], |]+>$")
_BOUNDS: Final = (
    (re.compile(r"\b(\d+)<=x<=9223372036854775807"), r"from \1"),
    (re.compile(r"\b(\d+)<=x<=(\d+)"), r"\1 to \2"),
    (re.compile(r"\bx>=(\d+)"), r"from \1"),
)
"""How the library writes the bounds of a number, and how they are said."""


class PlainCommand(TyperCommand):
    """A command whose help shows no types, and which knows the word that was meant."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words after the command's name."""
        return ["[OPTIONS]", *map(_usage, _arguments(self, ctx))]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_parameters(self, ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a pipe that breaks to anything but our reader is an error like others.

        The library would end the program without a word: our own streams never raise this.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise RuntimeError(f"a pipe broke: {error}") from error

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words after the command; raise a usage error."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            _suggest(error, self.get_params(ctx))
            raise


class PlainGroup(TyperGroup):
    """A command of subcommands; each stands in the list with its whole first sentence."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write options, then subcommands."""
        _write_parameters(self, ctx, formatter)
        names = self.list_commands(ctx)
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(self.get_command(ctx, name))) for name in names])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the subcommand; raise a usage error, of a file or a folder with who reads it."""
        try:
            return super().resolve_command(ctx, args)
        except Exception as error:
            if ctx.parent is None and hasattr(error, "message") and Path(args[0]).exists():
                error.message += f" To judge what is in it: {ctx.command_path} verify {args[0]}"
            raise

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words before the subcommand; raise a usage error."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            _suggest(error, self.get_params(ctx))
            raise


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    arguments = [(_name(parameter), parameter.help or "") for parameter in _arguments(command, ctx)]
    if arguments:
        with formatter.section("Arguments"):
            formatter.write_dl(arguments)
    options = [
        (_TYPE.sub("", record[0]), _describe_bounds(record[1]))
        for parameter in command.get_params(ctx)
        if parameter.param_type_name == "option"
        and (record := parameter.get_help_record(ctx)) is not None
    ]
    with formatter.section("Options"):
        formatter.write_dl(options)


def _arguments(command: Any, ctx: Any) -> list[Any]:
    return [
        parameter
        for parameter in command.get_params(ctx)
        if parameter.param_type_name == "argument"
    ]


def _name(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _usage(argument: Any) -> str:
    word = _name(argument) if argument.required else f"[{_name(argument)}]"
    return word if argument.nargs == 1 else f"{word}..."


def _describe_bounds(text: str) -> str:
    for pattern, said in _BOUNDS:
        text = pattern.sub(said, text)
    return text


def _summary(command: Any) -> str:
    """Return the first paragraph of a command's help, in one line."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


def _suggest(error: Any, parameters: Iterable[Any]) -> None:
    """Let an error about an option that does not exist name the nearest that does."""
    word = getattr(error, "option_name", None)
    if not word or not hasattr(error, "possibilities"):
        return
    known = [name for parameter in parameters for name in parameter.opts if name.startswith("--")]
    near = get_close_matches(word, known, n=1)
    error.possibilities = None
    error.message = f"No such option {word!r}."
    if near:
        error.message += f" Did you mean {near[0]!r}?"
