"""Writes a history to a store while it is made: shard by shard, bounded, and found again.

The thread that simulates hands in pieces and waits where too much is under way. Workers write, a
shard always by the same one; a last thread asks for what was taken, once the store has had time
to make it safe, and sends again what is gone. Only then is a sample let go of.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from verifier.errors import JudgeError
from verifier.stores.audit import Audit
from verifier.stores.confirmation import Confirmation
from verifier.stores.connection import Abandoned, Patience, StoreConnection
from verifier.stores.parcel_writer import READABLE_S, ParcelWriter
from verifier.stores.receipt import Receipt
from verifier.stores.slices import SHARDS, WrittenSeries, slices
from verifier.stores.stored_samples import StoredSamples

if TYPE_CHECKING:
    from collections.abc import Callable

    from exporter.history.samples import History
    from verifier.stores.address import StoreAddress
    from verifier.stores.slices import HistorySlice

HELD_SAMPLES_MAX: Final = 16_000_000
"""So many samples are under way at most, some 150 MB: 1.3 million a second at the default wait."""
SAFE_S: Final = 15.0
"""So long after it was taken a sample must still be there. VictoriaMetrics answers before it has
written to disk, which it does every five seconds: what it has not is gone when it is killed."""
WATCH_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class SendingSetup:
    """How a history is sent. `say` hears of trouble; times are for tests to shorten."""

    workers: int = 2
    give_up_s: float = 300.0
    safe_s: float = SAFE_S
    readable_s: float = READABLE_S
    held_max: int = HELD_SAMPLES_MAX
    say: Callable[[str], None] = lambda _: None


class Sender:
    """Sends pieces of one history inside a `with` block, whose end ends the threads.

    Raises JudgeError, from any of its methods, where the store refuses or does not answer.
    """

    def __init__(
        self,
        address: StoreAddress,
        setup: SendingSetup | None = None,
        span_ms: tuple[int, int] | None = None,
    ) -> None:
        """Begin no thread, and ask nothing yet.

        In `span_ms` (from, to) the store must hold nothing of these series before.
        """
        self._address, self._setup, self._span_ms = address, setup or SendingSetup(), span_ms
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._patience = Patience(self._ended, self._setup.give_up_s, self._setup.say)
        self._failure: BaseException | None = None
        self._waiting: list[deque[HistorySlice]] = [deque() for _ in range(SHARDS)]
        self._under_way: deque[HistorySlice] = deque()
        self._held = 0
        self._threads: list[threading.Thread] = []
        self._connections: list[StoreConnection] = []
        self._writers: list[ParcelWriter] = []
        self._series: WrittenSeries | None = None
        self._audit: Audit | None = None
        self._confirmation: Confirmation | None = None
        self._began_s = self._taken_s = 0.0
        self.sent = 0
        """Samples that were taken so far."""

    def __enter__(self) -> Self:
        """Begin nothing yet: the series are not known."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End the threads, whatever they were at."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        for connection in self._connections:
            connection.close()
        for thread in self._threads:
            thread.join(timeout=1.0)

    @property
    def confirmed(self) -> int:
        """Samples that were found again so far."""
        return 0 if self._confirmation is None else self._confirmation.samples

    def take(self, history: History) -> None:
        """Send a piece; return when there is room for the next one.

        All pieces have the same series, and follow each other in time.
        """
        for each in slices(history):
            if self._series is None:
                self._begin(history)
            assert self._audit is not None  # noqa: S101 - it has begun
            self._audit.add(each)
            self._admit(each)

    def finish(self, watch: Callable[[], None] = lambda: None) -> Receipt:
        """Wait until everything is found again, count once more, and return what came of it.

        `watch` is called now and then meanwhile.
        """
        while True:
            with self._changed:
                self._raise_failure()
                if not self._under_way:
                    break
                self._changed.wait(WATCH_S)
            watch()
        if self._series is None or self._audit is None or self._confirmation is None:
            raise JudgeError("there was nothing to send: the history holds no sample")
        confirmation = self._confirmation
        held = self._audit.against(self._asker(self._series))
        traffic = [*(writer.traffic for writer in self._writers), confirmation.traffic]
        return Receipt(
            samples=self._audit.samples,
            series=len(self._series.labels),
            first_ms=self._audit.first_ms,
            last_ms=self._audit.last_ms,
            requests=sum(each.requests for each in traffic),
            retries=sum(each.retries for each in traffic),
            bytes=sum(each.bytes for each in traffic),
            lost=confirmation.lost,
            missing=held.missing,
            doubled=held.doubled,
            changed=len(confirmation.changed),
            seconds=self._taken_s - self._began_s,
            differences=(*held.differences, *confirmation.changed),
        )

    # --- the thread that simulates

    def _begin(self, history: History) -> None:
        self._series = WrittenSeries.of(history.series)
        if self._span_ms is not None:
            self._refuse_stored(self._series, *self._span_ms)
        self._audit = Audit(self._series.labels)
        workers = min(self._setup.workers, SHARDS)
        self._writers = [self._writer(self._series) for _ in range(workers)]
        self._confirmation = Confirmation(
            self._writer(self._series), self._asker(self._series),
            safe_s=self._setup.safe_s, doubt_s=self._setup.readable_s / 3,
        )  # fmt: skip
        self._began_s = time.monotonic()
        for number in range(workers):
            shards = range(number, SHARDS, workers)
            self._start(partial(self._work, self._writers[number], shards))
        self._start(self._confirm)

    def _refuse_stored(self, series: WrittenSeries, first_ms: int, last_ms: int) -> None:
        held = int(self._asker(series).counts(first_ms, last_ms).sum())
        if held:
            raise JudgeError(
                f"{self._address.ask.text} holds {held:,} samples of the same series and times"
                " already, and two runs would be one: write to another tenant, or --at another time"
            )

    def _admit(self, each: HistorySlice) -> None:
        """Wait until there is room, and let the workers have a slice."""
        series = self._series
        assert series is not None  # noqa: S101 - it has begun
        with self._changed:
            while self._held and self._held + each.samples > self._setup.held_max:
                self._raise_failure()
                self._changed.wait()
            self._raise_failure()
            shards = set(series.shards[each.block.series].tolist())
            each.unsent = shards
            self._held += each.samples
            self._under_way.append(each)
            for shard in shards:
                self._waiting[shard].append(each)
            self._changed.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    # --- the other threads

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Abandoned:
                pass
            except BaseException as error:  # noqa: BLE001 - it is raised by the thread that waits
                with self._changed:
                    self._failure = self._failure or error
                    self._ended.set()
                    self._changed.notify_all()

        thread = threading.Thread(target=run, name="store", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self, writer: ParcelWriter, shards: range) -> None:
        """Write the slices of some shards, each when all shards of the one before are taken.

        Prometheus and Mimir refuse what is an hour older than the newest sample of any series.
        """
        series = self._series
        assert series is not None  # noqa: S101 - it has begun
        while True:
            with self._changed:
                while (shard := self._next_of(shards)) is None:
                    if self._ended.is_set():
                        return
                    self._changed.wait()
                each = self._waiting[shard].popleft()
            writer.write(each.block, each.rows_of(shard, series))
            with self._changed:
                each.unsent.discard(shard)
                self._taken_s = time.monotonic()
                each.asked_from_s = self._taken_s + self._setup.safe_s
                if not each.unsent:
                    self.sent += each.samples
                self._changed.notify_all()

    def _next_of(self, shards: range) -> int | None:
        """Return one of some shards that the oldest slice which is not taken waits for."""
        oldest = next((each for each in self._under_way if each.unsent), None)
        waiting = (shard for shard in shards if self._waiting[shard])
        return next((shard for shard in waiting if self._waiting[shard][0] is oldest), None)

    def _confirm(self) -> None:
        """Find again what was taken long enough ago, in order, and let go of it."""
        confirmation = self._confirmation
        assert confirmation is not None  # noqa: S101 - it has begun
        while True:
            ready = self._await_safe()
            for each in confirmation.confirm(ready):
                with self._changed:
                    self._under_way.remove(each)
                    self._held -= each.samples
                    self._changed.notify_all()

    def _await_safe(self) -> list[HistorySlice]:
        """Return the slices that were taken long enough ago, in time order, at least one."""
        with self._changed:
            while True:
                if self._ended.is_set():
                    raise Abandoned
                now_s = time.monotonic()
                taken = [each for each in self._under_way if not each.unsent]
                ready = [each for each in taken if each.asked_from_s <= now_s]
                if ready:
                    return ready
                due_s = min((each.asked_from_s for each in taken), default=None)
                self._changed.wait(None if due_s is None else max(0.01, due_s - now_s))

    # --- what threads use

    def _connect(self) -> StoreConnection:
        connection = StoreConnection(self._address)
        self._connections.append(connection)
        return connection

    def _asker(self, series: WrittenSeries) -> StoredSamples:
        return StoredSamples(self._connect(), series.labels, self._patience)

    def _writer(self, series: WrittenSeries) -> ParcelWriter:
        return ParcelWriter(
            self._connect(), self._asker(series), series, self._patience,
            readable_s=self._setup.readable_s,
        )  # fmt: skip
