"""What a request says of the server it is meant for: Host and an absolute target, checked.

A server of ours has no other names than addresses and those that a network gives it, so only the
form is checked for all; who changes something has to name this machine (`is_local`). It imports
nothing of this project: the receiver of the verifier checks Host by it as well.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from ipaddress import IPv4Address

    from aiohttp.typedefs import Handler

PORT_MAX: Final = 65_535
_HOST: Final = re.compile(
    r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})(?::(?P<port>[0-9]{1,5}))?"
)
"""RFC 9110, section 7.2: a host and a port; of a registered name's characters, those in use."""


def host_name(host: str) -> str | None:
    """Return the name or the address in a Host header, or None when it is no host and port."""
    match = _HOST.fullmatch(host)
    if match is None or int(match["port"] or 0) > PORT_MAX:
        return None
    name = match["name"]
    if name.startswith("["):
        name = name[1:-1]
        return name if parse_address(name) is not None else None
    return name.lower()


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that `text` is, or None; an IPv4 address mapped to IPv6 as IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def connected_to(request: web.Request) -> IPv4Address | IPv6Address | None:
    """Return the address of this machine that the request was sent to."""
    name = request.get_extra_info("sockname")
    return parse_address(name[0]) if name else None


def is_local(request: web.Request) -> bool:
    """Return whether Host is a loopback name or the very address that was connected to.

    Any other name its owner could have pointed at this machine (DNS rebinding).
    """
    name = host_name(request.headers.get(hdrs.HOST, ""))
    if name is None or name == "localhost":
        return name is not None
    address = parse_address(name)
    return address is not None and (address.is_loopback or address == connected_to(request))


@web.middleware
async def refuse_misdirected(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what names no server in the form of HTTP (400), or another one in its target (421)."""
    hosts = request.headers.getall(hdrs.HOST, ())
    if len(hosts) > 1:
        return _refuse(400, "a request must have one Host header")
    if hosts and host_name(hosts[0]) is None:
        return _refuse(400, "Host must be a name or an address, with a port or without")
    target = request.raw_path
    if not target.startswith("/") and target != "*":
        try:
            authority = urlsplit(target).netloc
        except ValueError:
            authority = ""
        if not authority or authority.lower() != (hosts[0] if hosts else "").lower():
            return _refuse(421, "an absolute target must name the same server as Host")
    return await handler(request)


def _refuse(status: int, sentence: str) -> web.Response:
    answer = web.json_response({"error": sentence}, status=status)
    answer.force_close()
    return answer
