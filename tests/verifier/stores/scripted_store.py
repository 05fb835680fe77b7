"""A store in this process that takes remote write, answers two kinds of queries, and misbehaves.

What it does with each write is scripted: take it, refuse it, take it and break off, lose what it
has. It keeps duplicates, as VictoriaMetrics does: nothing is forgiven.
"""

from __future__ import annotations

import json
import re
import struct
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from cramjam import snappy

from exporter.history.samples import STALE_BITS
from verifier.stores.address import StoreAddress, read_url

QUERY = re.compile(r"(count_over_time\()?(\{.*\})\[(\d+)ms\]\)?")
PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def varint(data, at):
    """Return a varint and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def fields(data):
    """Yield (number, value) of the fields of a protobuf message."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 1:
            yield tag >> 3, data[at : at + 8]
            at += 8
        elif tag & 7 == 0:
            value, at = varint(data, at)
            yield tag >> 3, value
        else:
            size, at = varint(data, at)
            yield tag >> 3, data[at : at + size]
            at += size


def read_request(body):
    """Yield (labels, [(ms, value bits)]) of a remote-write request."""
    for _, series in fields(bytes(snappy.decompress_raw(body))):
        labels, samples = [], []
        for number, message in fields(series):
            if number == 1:
                labels.append(tuple(bytes(text).decode() for _, text in fields(message)))
            else:
                parts = dict(fields(message))
                samples.append((parts[2], struct.unpack("<Q", parts[1])[0]))
        yield tuple(labels), samples


@dataclass
class ScriptedStore:
    """`script` has what is done with the next writes, `take` when it is empty.

    `refuse:503`, `refuse:429:2` (Retry-After), `take-and-break`, `break`, `lose` (answers 200 and
    keeps nothing), `forget` (loses all that it has, then breaks off).
    """

    script: deque = field(default_factory=deque)
    refusal: bytes = b"not now"
    bodies: list = field(default_factory=list)
    headers: list = field(default_factory=list)
    held: dict = field(default_factory=lambda: defaultdict(list))
    arrived: dict = field(default_factory=lambda: defaultdict(list))
    gate: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    change: object = None

    def __enter__(self):
        """Listen on loopback."""
        self.gate.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # whoever hangs up is expected to
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.address = StoreAddress(read_url(f"{self.url}/api/v1/write"), read_url(self.url))
        return self

    def __exit__(self, *exception):
        """Close, and let whoever waits go."""
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def samples(self):
        """How many samples it holds, doubled ones twice."""
        return sum(map(len, self.held.values()))

    def take(self, body):
        """Keep the samples of a request."""
        self.bodies.append(body)
        for labels, samples in read_request(body):
            kept = samples if self.change is None else self.change(labels, samples)
            self.arrived[labels] += [ms for ms, _ in samples]
            self.held[labels] += kept

    def answer(self, query, at_s):
        """Return the result of a query."""
        counts, selector, range_ms = QUERY.fullmatch(query).groups()
        matchers = dict(PAIR.findall(selector))
        last_ms = round(float(at_s) * 1000)
        result = []
        for labels, samples in self.held.items():
            pairs = dict(labels)
            if any(pairs.get(name) != value for name, value in matchers.items()):
                continue
            inside = [
                (ms / 1000, str(struct.unpack("<d", struct.pack("<Q", bits))[0]))
                for ms, bits in samples
                if last_ms - int(range_ms) < ms <= last_ms and bits != STALE_BITS
            ]
            if counts and inside:
                pairs.pop("__name__")
                result.append({"metric": pairs, "value": [last_ms / 1000, str(len(inside))]})
            elif inside:
                result.append({"metric": pairs, "values": inside})
        return {"status": "success", "data": {"resultType": "vector", "result": result}}

    def answer_form(self, form):
        """Return the answer to a form: of an instant, or of a range."""
        first = {name: values[0] for name, values in form.items()}
        if "time" in first:
            return self.answer(first["query"], first["time"])
        return self.answer_range(first)

    def answer_range(self, form):
        """Return the result of a query over a range: instant by instant."""
        start_s, end_s, step_s = (float(form[name]) for name in ("start", "end", "step"))
        series = {}
        for number in range(int((end_s - start_s) / step_s + 1e-9) + 1):
            at_s = start_s + number * step_s
            for item in self.answer(form["query"], at_s)["data"]["result"]:
                own = series.setdefault(tuple(item["metric"].items()), [])
                own.append((at_s, item["value"][1]))
        result = [{"metric": dict(labels), "values": own} for labels, own in series.items()]
        return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def handler_of(store):
    """Return the class that answers for a store."""

    class StoreHandler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            store.headers.append(dict(self.headers))
            if "/query" in self.path:
                with store.lock:
                    answer = store.answer_form(parse_qs(body.decode()))
                return self.reply(200, json.dumps(answer).encode())
            store.gate.wait(20)
            with store.lock:
                act, *rest = (store.script.popleft() if store.script else "take").split(":")
                if act in {"take", "take-and-break"}:
                    store.take(body)
                if act == "forget":
                    store.held.clear()
            if act in {"take-and-break", "break", "forget"}:
                self.close_connection = True
                return None
            if act == "refuse":
                return self.reply(int(rest[0]), store.refusal, *rest[1:])
            return self.reply(204, b"")

        def reply(self, status, body, after=None):
            self.send_response(status)
            if after:
                self.send_header("Retry-After", after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    return StoreHandler
