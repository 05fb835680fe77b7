"""What the handlers of every API of a served world share: bodies, answers, refusals.

A body has limits of size and time; what a change raises becomes a refusal with the same sentence.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from aiohttp import hdrs, web

from documents.mistakes import InputError
from exporter.server.fault_api.control import FaultConflictError
from exporter.server.fault_api.guard import RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BODY_TIMEOUT_S: Final = 5.0
"""A body is a few hundred bytes: a client that takes longer only holds a connection open."""

JsonObject: TypeAlias = "Mapping[str, object]"
T = TypeVar("T")


def answer_json(
    document: JsonObject, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an answer that nobody may keep."""
    return web.json_response(
        document, status=status, headers={hdrs.CACHE_CONTROL: "no-store", **(headers or {})}
    )


async def read_body(request: web.Request) -> bytes:
    """Return a body within its limits of size and time."""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        message = "the body is too long: a fault needs a few hundred bytes"
        raise RequestRefusedError(413, message) from None
    except (web.RequestPayloadError, ConnectionError):
        raise RequestRefusedError(400, "the body did not arrive as its head announced") from None
    except TimeoutError:
        message = f"the body must arrive within {BODY_TIMEOUT_S:g} s"
        raise RequestRefusedError(408, message) from None


def attempt(change: Callable[[], T]) -> T:
    """Return what `change` returns; what it raises becomes a refusal with the same sentence."""
    try:
        return change()
    except FaultConflictError as error:
        raise RequestRefusedError(409, str(error)) from None
    except InputError as error:
        raise RequestRefusedError(400, "; ".join(map(str, error.mistakes))) from None
    except ValueError as error:
        raise RequestRefusedError(400, str(error)) from None
    except OverflowError:
        raise RequestRefusedError(400, "the body holds a number that is out of range") from None
