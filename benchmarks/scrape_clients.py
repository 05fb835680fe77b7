"""Clients of a metrics server for the benchmark of scrapes: patient ones, and hostile ones.

They speak HTTP by hand: a client library would take longer than the server that is measured. Each
patient client has its own connection and its own phase of the second, as Prometheus servers do.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

REQUEST: Final = (
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
    b"Accept: application/openmetrics-text;version=1.0.0\r\nAccept-Encoding: gzip\r\n\r\n"
)
PLAIN_REQUEST: Final = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER_TIMEOUT_S: Final = 10.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Tally:
    """What a group of clients met."""

    latencies_s: list[float] = field(default_factory=list)
    errors: int = 0
    bytes_read: int = 0

    def quantile_ms(self, share: float) -> float:
        """Return a quantile of the latencies in milliseconds."""
        ordered = sorted(self.latencies_s)
        if not ordered:
            return float("nan")
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class ScrapeClient:
    """One scraper on one connection, renewed when the server closes it."""

    def __init__(self, host: str, port: int) -> None:
        """Connect with the first scrape."""
        self._host, self._port = host, port
        self._streams: Streams | None = None

    async def scrape(self, request: bytes = REQUEST) -> bytes:
        """Return the body of an answer; raises OSError or ValueError when there is none."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.partition(b"\r\n")[0] + b" ":
            raise ValueError(head.decode("latin-1"))
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if head.startswith(b"http/1.0") or b"connection: close" in head:
            self.close()
        return zlib.decompress(body, 31) if b"content-encoding: gzip" in head else body

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def scrape_at(self, due_s: float, tally: Tally) -> None:
        """Scrape at `due_s` of the monotonic clock, from which the latency counts."""
        # Not by the loop's clock: that of uvloop counts in whole milliseconds.
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                tally.bytes_read += len(await self.scrape())
        except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError):
            tally.errors += 1
            self.close()
        else:
            tally.latencies_s.append(time.monotonic() - due_s)


async def scrape_regularly(
    address: tuple[str, int], clients: int, seconds: float, *, together: bool = False
) -> Tally:
    """Let `clients` scrape once a second, spread over it or `together`; return what they met."""
    tally, begin_s = Tally(), time.monotonic() + 0.1

    async def run(phase_s: float) -> None:
        client = ScrapeClient(*address)
        for second in range(round(seconds)):
            await client.scrape_at(begin_s + phase_s + second, tally)
        client.close()

    phases = (0.0 if together else number / clients for number in range(clients))
    await asyncio.gather(*map(run, phases))
    return tally


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a hostile client behaves: what it sends, again every so often, and whether it reads."""

    name: str
    first: bytes
    drip: bytes = b""
    every_s: float = 0.5


HOSTILE: Final = (
    Behaviour("silent", b""),
    Behaviour("half a head", b"GET /metrics HTTP/1.1\r\nHost: loc"),
    Behaviour("a head by drops", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"),
    Behaviour("a body by drops", b"POST /api/v1/faults HTTP/1.1\r\nHost: localhost\r\n"
              b"Content-Type: application/json\r\nContent-Length: 9999\r\n\r\n{", b" "),
    Behaviour("half a second head", PLAIN_REQUEST + PLAIN_REQUEST[:30], b"x"),
    Behaviour("pipelining", PLAIN_REQUEST * 200, b"\r\n"),
    Behaviour("pipelining, for ever", PLAIN_REQUEST * 20, PLAIN_REQUEST * 200, 0.05),
)  # fmt: skip
"""None of them ever reads. Such a client notices that it was closed when it sends the next time:
until then its kernel may hold what the server sent last."""


class Mute(asyncio.Protocol):
    """A connection that is never read."""

    closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Stop reading at once."""
        transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport has it

    def connection_lost(self, _: Exception | None) -> None:
        """Note it."""
        self.closed = True


async def misbehave(address: tuple[str, int], behaviour: Behaviour, seconds: float) -> float | None:
    """Behave so until cut; return after how many seconds that was, None if not within `seconds`."""
    began_s = time.monotonic()
    transport, mute = await asyncio.get_running_loop().create_connection(Mute, *address)
    transport.write(behaviour.first)
    while time.monotonic() - began_s < seconds:
        await asyncio.sleep(behaviour.every_s)
        if mute.closed or transport.is_closing() or is_closed(transport):
            transport.abort()
            return time.monotonic() - began_s
        if behaviour.drip and transport.get_write_buffer_size() < 1 << 16:
            transport.write(behaviour.drip)
    transport.abort()
    return None


def is_closed(transport: asyncio.Transport) -> bool:
    """Return whether the server has closed a connection that is not read: its state in the kernel.

    Linux: the first byte of TCP_INFO; 1 is established.
    """
    sock = transport.get_extra_info("socket")
    with suppress(OSError):
        return bool(sock.getsockopt(6, 11, 1)[0] != 1)
    return True


async def misbehave_together(
    address: tuple[str, int], each: int, seconds: float
) -> dict[str, list[float | None]]:
    """Let `each` clients of every hostile kind behave so; return by kind when they were cut."""

    async def run(behaviour: Behaviour) -> float | None:
        with suppress(OSError):
            return await misbehave(address, behaviour, seconds)
        return 0.0  # not even let in

    runs: Iterable[Behaviour] = [behaviour for behaviour in HOSTILE for _ in range(each)]
    ends = await asyncio.gather(*map(run, runs))
    return {
        behaviour.name: list(ends[place * each : (place + 1) * each])
        for place, behaviour in enumerate(HOSTILE)
    }
