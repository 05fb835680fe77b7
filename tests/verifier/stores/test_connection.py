"""How long one goes on trying, and what every answer of a store means, on a clock of the test."""

from __future__ import annotations

import http.client
import ssl
from types import SimpleNamespace

import pytest

from verifier.errors import JudgeError
from verifier.stores import connection
from verifier.stores.address import StoreAddress, read_url
from verifier.stores.connection import (
    ANSWER_CHARS_MAX,
    Abandoned,
    Patience,
    StoreConnection,
    TryAgain,
    _said,
)

HEADERS = (("X-Tenant", "t"), ("Content-Type", "own"))
ADDRESS = StoreAddress(read_url("http://w:1/write"), read_url("http://a/base"), HEADERS)


class Clock:
    """A monotonic clock that moves when it is waited on; it ends a run after so many waits."""

    def __init__(self, ends_after=99):
        """Begin at 100 s."""
        self.now_s, self.waits, self.ends_after = 100.0, [], ends_after

    def monotonic(self):
        """Return the time."""
        return self.now_s

    def time(self):
        """Return the Unix time: 2026-03-02 09:00."""
        return 1_772_442_000.0

    def wait(self, seconds):
        """Wait; return whether the run has ended."""
        self.waits.append(seconds)
        self.now_s += seconds
        return len(self.waits) > self.ends_after


@pytest.fixture
def clock(monkeypatch):
    """Let connections go by a clock of the test."""
    own = Clock()
    monkeypatch.setattr(connection, "time", own)
    monkeypatch.setattr(connection, "BACK_OFF_S", 1.0)
    return own


def attempts(*failures):
    """Return what fails so often, and then returns its number of calls."""
    left = list(failures)

    def attempt():
        if left:
            raise left.pop(0)
        return "done"

    return attempt


def test_waits_grow_up_to_the_longest_and_the_first_failure_is_said(clock):
    """Each further attempt is counted."""
    said, again = [], []
    patience = Patience(clock, 60.0, said.append, draw=lambda: 1.0)
    failures = [TryAgain(f"no {number}") for number in range(6)]
    persisted = patience.persist(attempts(*failures), retried=lambda: again.append(1))
    assert persisted == "done"
    assert clock.waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert said == ["no 0; trying again ..."]
    assert len(again) == 6


def test_waits_are_spread_and_never_shorter_than_the_store_asks_for(clock):
    """By half at the most; the longest wait does not bound what the store says."""
    patience = Patience(clock, 60.0, draw=lambda: 0.0)
    patience.persist(attempts(TryAgain("a"), TryAgain("b", after_s=11.0), TryAgain("c", after_s=1)))
    assert clock.waits == [0.5, 11.0, 2.0]


@pytest.mark.parametrize(("give_up_s", "waits"), [(7.0, [1, 2, 4]), (6.9, [1, 2]), (0.5, [])])
def test_it_gives_up_before_a_wait_that_would_be_too_long(clock, give_up_s, waits):
    """With the last failure, and what to do."""
    patience = Patience(clock, give_up_s, draw=lambda: 1.0)
    failures = [TryAgain(f"no {number}") for number in range(9)]
    with pytest.raises(JudgeError, match=f"^no {len(waits)}; tried again for .*--retry-for$"):
        patience.persist(attempts(*failures))
    assert clock.waits == waits


def test_a_run_that_ended_is_abandoned(clock):
    """While something is tried again, or waited for; not before."""
    clock.ends_after = 1
    patience = Patience(clock, 60.0, draw=lambda: 1.0)
    patience.pause(3.0)
    with pytest.raises(Abandoned):
        patience.pause(3.0)
    with pytest.raises(Abandoned):
        patience.persist(attempts(TryAgain("no")))


class ScriptedConnection:
    """A connection that answers once with what it is told, or fails."""

    def __init__(self, status=200, body=b"answer", after=None, failure=None):
        """Not connected yet."""
        self.answer, self.failure, self.after = (status, body), failure, after
        self.sock, self.asked, self.closed = None, [], 0

    def connect(self):
        """Connect, or fail."""
        if isinstance(self.failure, (ssl.SSLError, ConnectionError)):
            raise self.failure
        self.sock = SimpleNamespace(shutdown=lambda _: None)

    def request(self, method, path, *, body, headers):
        """Note the request."""
        self.asked.append((method, path, body, headers))
        if self.failure is not None:
            raise self.failure

    def getresponse(self):
        """Return the answer."""
        status, body = self.answer
        return SimpleNamespace(
            status=status,
            read=lambda: body,
            getheader=lambda name: {"Retry-After": self.after}[name],
        )

    def close(self):
        """Count it."""
        self.closed += 1


@pytest.fixture
def connected(monkeypatch, clock):
    """Return what makes connections to a store, which are opened one after another."""

    def connect(*made, address=ADDRESS):
        left = list(made)
        monkeypatch.setattr(StoreConnection, "_new", lambda *_: left.pop(0))
        assert clock.waits == []
        return StoreConnection(address)

    return connect


def test_requests_have_their_path_form_and_headers(connected):
    """Those of the user come on top; a query's path follows that of the store."""
    first, second = ScriptedConnection(), ScriptedConnection(299)
    store = connected(first, second)
    store.write(b"body")
    assert store.ask("/api/v1/query", b"form") == b"answer"
    assert first.asked == [
        ("POST", "/write", b"body", {
            "Content-Type": "own", "Content-Encoding": "snappy", "X-Tenant": "t",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        })
    ]  # fmt: skip
    form = {"Content-Type": "own", "X-Tenant": "t"}
    assert second.asked == [("POST", "/base/api/v1/query", b"form", form)]
    plain = StoreAddress(read_url("http://w"), read_url("http://a"))
    both = ScriptedConnection(), ScriptedConnection()
    bare = connected(*both, address=plain)
    bare.write(b"")
    bare.ask("", b"")
    assert [each.asked[0][1] for each in both] == ["/", "/"]
    assert [each.asked[0][3]["Content-Type"] for each in both] == [
        "application/x-protobuf", "application/x-www-form-urlencoded",
    ]  # fmt: skip


def test_a_connection_is_used_again_until_it_was_idle_for_too_long(connected, clock):
    """Or was closed by the other side."""
    made = [ScriptedConnection() for _ in range(4)]
    store = connected(*made)
    store.write(b"1")
    clock.now_s += 19.9
    store.write(b"2")
    clock.now_s += 20.0
    store.write(b"3")
    made[1].sock = None
    store.write(b"4")
    assert [len(each.asked) for each in made] == [2, 1, 1, 0]
    assert [each.closed for each in made] == [1, 0, 0, 0]
    store.close()
    store.write(b"5")
    assert [each.closed for each in made] == [1, 0, 1, 0]
    assert len(made[3].asked) == 1


@pytest.mark.parametrize(
    ("answer", "after_s", "taken", "said"),
    [
        ((429, "7"), 7.0, False, "http://w:1/write is busy (429: no room)"),
        ((529, None), 0.0, False, "http://w:1/write is busy (529: no room)"),
        ((500, None), 0.0, True, "http://w:1/write fails (500: no room)"),
        (
            (503, "Mon, 02 Mar 2026 09:00:30 GMT"),
            30.0,
            True,
            "http://w:1/write fails (503: no room)",
        ),
        (
            (503, "Mon, 02 Mar 2026 08:00:00 GMT"),
            0.0,
            True,
            "http://w:1/write fails (503: no room)",
        ),
        ((503, "soon"), 0.0, True, "http://w:1/write fails (503: no room)"),
        ((503, "-5"), 0.0, True, "http://w:1/write fails (503: no room)"),
        ((503, "1.5"), 0.0, True, "http://w:1/write fails (503: no room)"),
    ],
)
def test_what_may_succeed_later_says_whether_it_was_taken(
    connected, answer, after_s, taken, said
):  # fmt: skip
    """And how long the store asks to wait, by a number or a date."""
    store = connected(ScriptedConnection(answer[0], b" no\n room ", answer[1]))
    with pytest.raises(TryAgain) as raised:
        store.write(b"")
    failure = raised.value
    assert (str(failure), failure.after_s, failure.taken) == (said, after_s, taken)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (300, b"", "(300)"),
        (400, b"out of\x00 order", "(400: out of order)"),
        (400, b"x" * 301, f"(400: {'x' * 300})"),
        (401, b"", "(401); it asks who you are: see `headers` and `authorization` in docs/send.md"),
        (403, b"", "(403); it refuses who you are: check headers and authorization"),
        (404, b"no", "(404: no); nothing is at this path: check the URL"),
        (413, b"", "(413); it takes no request of 4 MB: raise its limit"),
        (499, b"<HTML><TITLE> A b </TITLE>", "(499: a web page, 'A b')"),
    ],
)
def test_what_is_refused_for_good_says_why(connected, status, body, said):
    """In one short line, with what to do where that is known."""
    store = connected(ScriptedConnection(status, body))
    with pytest.raises(JudgeError) as raised:
        store.write(b"")
    assert str(raised.value) == f"http://w:1/write refused a request {said}"


@pytest.mark.parametrize(
    ("failure", "taken", "said"),
    [
        (ConnectionRefusedError(111, "refused"), False, "cannot be reached (refused)"),
        (ConnectionError(), False, "cannot be reached (ConnectionError)"),
        (ssl.SSLError("bad"), False, "cannot be reached"),
        (TimeoutError("timed out"), True, "broke off (timed out)"),
        (http.client.IncompleteRead(b""), True, "broke off (IncompleteRead(0 bytes read))"),
        (ValueError(), True, "broke off (ValueError)"),
    ],
)
def test_what_broke_off_may_have_been_taken_and_what_never_began_was_not(
    connected, failure, taken, said
):  # fmt: skip
    """The connection is made anew."""
    made = ScriptedConnection(failure=failure), ScriptedConnection()
    store = connected(*made)
    with pytest.raises(TryAgain) as raised:
        store.write(b"")
    assert raised.value.taken == taken
    assert str(raised.value).startswith(f"http://w:1/write {said}")
    store.write(b"")
    assert len(made[1].asked) == 1


def test_connections_are_made_as_the_url_says():
    """With TLS or without, by its port, and with a limit of time."""
    context = ssl.create_default_context()
    secure = StoreAddress(read_url("https://s:7/w"), read_url("http://a"), tls=context)
    store = StoreConnection(secure, timeout_s=9.0)
    first, second = store._new(secure.write), store._new(secure.ask)
    assert isinstance(first, http.client.HTTPSConnection)
    assert not isinstance(second, http.client.HTTPSConnection)
    assert [(each.host, each.port, each.timeout) for each in (first, second)] == [
        ("s", 7, 9.0), ("a", 80, 9.0),
    ]  # fmt: skip
    assert first._context is context


@pytest.mark.parametrize("has_ended", [False, True])
def test_a_pause_is_as_long_as_is_asked_for_and_ends_with_the_run(has_ended):
    """Whoever waits is woken by the end."""
    waited = []
    ended = SimpleNamespace(wait=lambda seconds: waited.append(seconds) or has_ended)
    patience = Patience(ended)
    if has_ended:
        with pytest.raises(Abandoned):
            patience.pause(2.5)
    else:
        patience.pause(2.5)
    assert waited == [2.5]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"", ""),
        (b" \n ", ""),
        (b" why \n not ", ": why not"),
        (b" " * 3 * ANSWER_CHARS_MAX + b"why", ": why"),
        (b"x" * ANSWER_CHARS_MAX, f": {'x' * ANSWER_CHARS_MAX}"),
        (b"x" * (ANSWER_CHARS_MAX + 1), f": {'x' * ANSWER_CHARS_MAX}"),
        ("ä".encode() * 2 * ANSWER_CHARS_MAX, f": {'ä' * ANSWER_CHARS_MAX}"),
        (b"a\x00b", ": ab"),
        (b"<html><title> Own </title>", ": a web page, 'Own'"),
        (b"<!DOCTYPE html><body>", ": a web page"),
    ],
)
def test_what_a_store_says_is_one_short_line(answer, text):
    """Of a web page its title."""
    assert _said(answer) == text
