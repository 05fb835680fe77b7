"""The feed of the live page: once a second one reading, made once, sent to all who look on.

It runs beside the server for as long as that serves. A tick reads the world as a scrape does, so
nothing in the world depends on it; without a viewer nothing is written. What a newcomer gets is
made at most once for each reading, in a thread, and shared.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import TYPE_CHECKING, Final

from charts.chart import Chart, Lane, LaneEpisode, LaneNotification
from charts.chart_document import band_document, chart_document, lane_document, time_value
from exporter.server.live_page.recent_readings import RecentReadings
from exporter.server.live_page.viewers import Viewers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiohttp import web

    from exporter.server.exposition import Exposition
    from exporter.server.live_page.recent_readings import WorldReading
    from exporter.server.live_page.stack_board import AlertLane, StackBoard

VERSION: Final = 1
"""Of the two documents; raised when a reader of the old ones would go wrong."""
EVERY_S: Final = 1.0


class LiveFeed:
    """What one served world shows; `run` is to be run beside its server."""

    def __init__(
        self,
        exposition: Exposition,
        board: StackBoard | None = None,
        *,
        changes: Callable[[], Mapping[str, object]] = dict,
        token_needed: bool = False,
    ) -> None:
        """Begin now. `changes` returns what the API shows of faults, load and scenarios."""
        self._exposition, self._board, self._changes = exposition, board, changes
        self._token_needed = token_needed
        first, pacer = exposition.catch_up(), exposition.pacer
        self._recent = RecentReadings(first, origin_s=pacer.origin_s)
        # The instant that is 0:00:00 on the console.
        self._starts_unix_s = time.time() - pacer.pace().elapsed_s
        self._run_id = secrets.token_hex(4)
        self._moment = self._write(None)
        self._newcomer: tuple[int, asyncio.Task[bytes]] | None = None
        self.viewers = Viewers()

    async def run(self) -> None:
        """Tick until cancelled."""
        loop = asyncio.get_running_loop()
        next_s = loop.time()
        try:
            while True:
                next_s = max(next_s + EVERY_S, loop.time())
                await asyncio.sleep(next_s - loop.time())
                self.tick()
        finally:
            self.viewers.close()

    def tick(self) -> None:
        """Take a reading and send it to every viewer."""
        reading = self._recent.add(self._exposition.catch_up(), self._exposition.load())
        if self.viewers:
            self._moment = self._write(reading)
            self.viewers.send(self._event())

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Answer with the stream, which begins with this moment."""
        self._moment = self._write(None)
        return await self.viewers.follow(request, self._event())

    async def newcomer(self) -> bytes:
        """Return what a newcomer is shown, as JSON: the last minutes, and this moment."""
        number = self._recent.count
        if self._newcomer is None or self._newcomer[0] != number:
            document = {
                "version": VERSION,
                "run": self._run_id,
                "reading": number,
                "token_needed": self._token_needed,
                "compressed": self._board.factor if self._board else 1,
                "links": dict(self._board.links) if self._board else {},
                "conditions": self._board.conditions if self._board else {},
                "now": json.loads(self._write(None)),
            }
            chart = self._chart()
            # In a thread: tens of thousands of numbers take longer than a scrape may wait.
            writing = asyncio.to_thread(_write_newcomer, document, chart)
            self._newcomer = number, asyncio.create_task(writing)
        return await asyncio.shield(self._newcomer[1])

    def _chart(self) -> Chart:
        return Chart(
            title=self._exposition.scenario,
            starts_unix_s=self._starts_unix_s,
            end_s=self._recent.at_s,
            rows=self._recent.rows(),
            bands=self._recent.bands,
            lanes=self._lanes(),
        )

    def _lanes(self) -> tuple[Lane, ...]:
        board = self._board
        return tuple(map(self._lane, board.lanes)) if board else ()

    def _lane(self, lane: AlertLane) -> Lane:
        """Return an alert on the time axis of the page."""
        notified = self._board.notifications if self._board else ()
        return Lane(
            alert=lane.alert,
            labels=lane.labels,
            episodes=tuple(
                LaneEpisode(
                    self._seconds(episode.pending_s),
                    self._seconds(episode.firing_s),
                    self._seconds(episode.resolved_s),
                )
                for episode in lane.episodes
            ),
            notifications=tuple(
                LaneNotification(each.receiver, each.status, self._seconds(each.at_s) or 0.0)
                for each in notified
                if (each.alert, each.labels) == (lane.alert, lane.labels)
            ),
        )

    def _seconds(self, unix_s: float | None) -> float | None:
        return None if unix_s is None else unix_s - self._starts_unix_s

    def _write(self, reading: WorldReading | None) -> str:
        """Return this moment as JSON; without a reading between two of them."""
        board = self._board
        document = {
            "version": VERSION,
            "run": self._run_id,
            "reading": self._recent.count,
            "at_s": time_value(self._recent.at_s),
            "rows": reading.by_row() if reading else {},
            "facts": [list(fact) for fact in self._exposition.facts()],
            "bands": [band_document(band) for band in self._recent.bands],
            "lanes": [lane_document(lane) for lane in self._lanes()],
            "severities": {lane.alert: lane.severity for lane in board.lanes} if board else {},
            "unreachable": list(board.unreachable) if board else [],
            **self._changes(),
        }
        return json.dumps(document, separators=(",", ":"))

    def _event(self) -> bytes:
        return f"id: {self._recent.count}\nevent: moment\ndata: {self._moment}\n\n".encode()


def _write_newcomer(document: dict[str, object], chart: Chart) -> bytes:
    return json.dumps({**document, "chart": chart_document(chart)}, separators=(",", ":")).encode()
