"""Clients of a metrics server for the benchmark of scrapes: many, patient, and cheap.

They speak HTTP by hand and look at nothing but status and length: on a machine of few cores a
client that reads a page would be measured in place of the server. Each has its own connection and
its own phase of the second, as Prometheus servers do. `ScrapeClient.fetch` reads, for few.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import dataclass, field
from typing import Final, cast

REQUEST: Final = (
    b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"
    b"Accept: application/openmetrics-text;version=1.0.0\r\nAccept-Encoding: gzip\r\n\r\n"
)
PLAIN_REQUEST: Final = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
ANSWER_TIMEOUT_S: Final = 10.0
HEAD_END: Final = b"\r\n\r\n"


@dataclass(slots=True)
class Tally:
    """What a group of clients met."""

    latencies_s: list[float] = field(default_factory=list)
    """From the instant at which a scrape was due to the last byte of its answer."""
    lateness_s: list[float] = field(default_factory=list)
    """How late the clients themselves were to ask: a share of the latencies that is theirs."""
    errors: int = 0
    bytes_read: int = 0

    def quantile_ms(self, share: float) -> float:
        """Return a quantile of the latencies in milliseconds."""
        return 1000 * quantile(self.latencies_s, share)

    def add(self, other: Tally) -> None:
        """Count what another group met as well."""
        self.latencies_s += other.latencies_s
        self.lateness_s += other.lateness_s
        self.errors += other.errors
        self.bytes_read += other.bytes_read


def quantile(values: list[float], share: float) -> float:
    """Return a quantile of `values`, NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


class AnswerReader(asyncio.Protocol):
    """One connection: reads one answer at a time, by its length."""

    def __init__(self) -> None:
        """Be not connected yet."""
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._read: list[bytes] = []
        self._missing: int | None = None
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is waited for."""
        self.is_open = False
        self._fail(exc or ConnectionResetError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        """Count; the whole answer is put together when its last byte is there."""
        self._read.append(data)
        if self._missing is None:
            whole = b"".join(self._read)
            end = whole.find(HEAD_END)
            if end < 0:
                return
            try:
                self._missing = _body_length(whole[:end]) - (len(whole) - end - len(HEAD_END))
            except ValueError as error:
                self._fail(error)
                return
        else:
            self._missing -= len(data)
        if self._missing <= 0 and self._answer is not None and not self._answer.done():
            self._answer.set_result(b"".join(self._read))

    async def ask(self, request: bytes) -> bytes:
        """Return head and body of the answer; raises OSError or ValueError when there is none."""
        assert self._transport is not None  # noqa: S101 - for the type checker: it is connected
        self._read, self._missing = [], None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _body_length(head: bytes) -> int:
    """Return the length that a head of status 200 promises; raises ValueError for any other."""
    if b" 200 " not in head.partition(b"\r\n")[0] + b" ":
        raise ValueError(head.decode("latin-1"))
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


class ScrapeClient:
    """One scraper on one connection, renewed when the server closes it."""

    def __init__(self, host: str, port: int) -> None:
        """Connect with the first scrape."""
        self._host, self._port = host, port
        self._reader: AnswerReader | None = None

    async def scrape(self, request: bytes = REQUEST) -> bytes:
        """Return head and body of an answer; raises OSError or ValueError when there is none."""
        if self._reader is None or not self._reader.is_open:
            _, self._reader = await asyncio.get_running_loop().create_connection(
                AnswerReader, self._host, self._port
            )
        answer = await self._reader.ask(request)
        head = answer[: answer.find(HEAD_END)].lower()
        if head.startswith(b"http/1.0") or b"connection: close" in head:
            self.close()
        return answer

    async def fetch(self, request: bytes = REQUEST) -> str:
        """Return the page of an answer as text; raises as `scrape` does."""
        head, _, body = (await self.scrape(request)).partition(HEAD_END)
        if b"content-encoding: gzip" in head.lower():
            body = zlib.decompress(body, 31)
        return body.decode()

    def close(self) -> None:
        """Close the connection."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def scrape_at(self, due_s: float, tally: Tally) -> None:
        """Scrape at `due_s` of the monotonic clock, from which the latency counts."""
        # Not by the loop's clock: that of uvloop counts in whole milliseconds.
        wait_s = due_s - time.monotonic()
        await asyncio.sleep(max(0.0, wait_s))
        if wait_s > 0:
            tally.lateness_s.append(max(0.0, time.monotonic() - due_s))
        try:
            # From the instant it was due: who waited for the answer before has waited already.
            async with asyncio.timeout(due_s + ANSWER_TIMEOUT_S - time.monotonic()):
                tally.bytes_read += len(await self.scrape())
        except (OSError, ValueError, TimeoutError):
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
