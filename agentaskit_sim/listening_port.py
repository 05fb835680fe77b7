"""Takes the port of a world, for `serve` and `up`, before anything is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from documents.mistakes import InputError
from exporter.server.app import BindError, bind

if TYPE_CHECKING:
    import socket

DEFAULT_PORT: Final = 9464
EXIT_UNABLE: Final = 3


def take_port(host: str, port: int) -> socket.socket:
    """Return a bound socket, or end the program: status 2 for the host, 3 for the port."""
    try:
        return bind(host, port)
    except ValueError as error:
        raise InputError(str(error)) from error
    except BindError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_UNABLE) from error
