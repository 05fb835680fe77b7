"""Who may use the API of a served world: checked before anything is read or changed.

A foreign page must not reach it through the browser that shows it: the name in Host has to be a
loopback name or the very address that was connected to, Origin has to be the same server. Writes
are JSON, carry the token if one is set, and need one from beyond this machine. Every refusal is
JSON as well.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from exporter.server.host_check import connected_to, is_local

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

WRITES = frozenset({hdrs.METH_POST, hdrs.METH_PATCH, hdrs.METH_PUT, hdrs.METH_DELETE})
WITH_BODY = WRITES - {hdrs.METH_DELETE}
JSON = "application/json"
_FROM_BEYOND = (
    "changes from beyond this machine need a token: start serve with --token-file or "
    "AGENTASKIT_SIM_TOKEN"
)


class RequestRefusedError(Exception):
    """A request that is refused with an HTTP status and a reason; nothing has changed."""

    def __init__(self, status: int, message: str) -> None:
        """Take the HTTP status and one sentence without a full stop."""
        super().__init__(message)
        self.status, self.message = status, message


def build_guard(token: str | None) -> Middleware:
    """Return the middleware that refuses foreign requests; writes need `token` if there is one."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check_host(request)
            _check_origin(request)
            if request.match_info.http_exception is not None:
                raise request.match_info.http_exception
            if request.method in WRITES:
                _check_token(request, token)
                _check_content_type(request)
            return await handler(request)
        except RequestRefusedError as refusal:
            return _answer(refusal.status, refusal.message)
        except web.HTTPException as error:
            return _answer(error.status, error.reason.lower(), allow=error.headers.get(hdrs.ALLOW))

    return guard


def _answer(status: int, message: str, allow: str | None = None) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    if status == web.HTTPUnauthorized.status_code:
        headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
    if allow:
        headers[hdrs.ALLOW] = allow
    return web.json_response({"error": message}, status=status, headers=headers)


def _check_host(request: web.Request) -> None:
    """Refuse a name that its owner could have pointed at this machine (DNS rebinding)."""
    if not is_local(request):
        host = request.headers.get(hdrs.HOST, "")
        raise RequestRefusedError(
            403, f"Host must be localhost or this server's address, got {host!r}"
        )


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get(hdrs.ORIGIN)
    host = request.headers.get(hdrs.HOST)
    if origin is not None and origin not in {f"http://{host}", f"https://{host}"}:
        raise RequestRefusedError(403, f"Origin must be this server, got {origin!r}")


def _check_token(request: web.Request, token: str | None) -> None:
    if token is None:
        address = connected_to(request)
        if address is None or not address.is_loopback:
            raise RequestRefusedError(403, _FROM_BEYOND)
        return
    scheme, _, credentials = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    # In constant time: how long a comparison takes must not tell how much of a guess is right.
    same = compare_digest(_bytes(credentials.strip()), _bytes(token))
    if scheme.lower() != "bearer" or not same:
        raise RequestRefusedError(
            401, "a change needs the server's token: Authorization: Bearer TOKEN"
        )


def _bytes(text: str) -> bytes:
    """Return the bytes that a header had: what is no UTF-8 in it was read as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def _check_content_type(request: web.Request) -> None:
    # A page can post forms to any server without asking; JSON makes its browser ask first (CORS).
    has_body = request.method in WITH_BODY or request.can_read_body
    if has_body and request.content_type != JSON:
        got = request.headers.get(hdrs.CONTENT_TYPE, "none")
        raise RequestRefusedError(415, f"Content-Type must be {JSON}, got {got}")
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise RequestRefusedError(415, "a body must not be compressed")
