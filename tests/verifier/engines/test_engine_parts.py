"""Engines at a URL and VictoriaMetrics, without either: what is asked, waited for and refused."""

from __future__ import annotations

import http.client
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from documents.mistakes import InputError
from exporter.history.samples import EPOCH_S, STALE, Block, History
from tests.verifier.histories import labels
from verifier.engines import choice, remote, victoria_metrics
from verifier.engines.choice import PROMETHEUS, EngineChoice, choose_engine
from verifier.engines.remote import RemoteAddress, RemoteEndpoint, RemoteEngine
from verifier.engines.victoria_metrics import VictoriaMetrics
from verifier.errors import JudgeError
from verifier.servers.prometheus import Prometheus, Series

ADDRESS = RemoteAddress("http://q/a", "http://w/b", (("X", "y"),))
TENANTS = RemoteAddress(
    "http://{scenario}/{scenario}", "http://w/{scenario}", (("X", "t-{scenario}"), ("Y", "z"))
)


@pytest.mark.parametrize(
    ("address", "is_per_scenario"),
    [
        (ADDRESS, False),
        (TENANTS, True),
        (RemoteAddress("http://{scenario}", "http://w"), True),
        (RemoteAddress("http://q", "http://w/{scenario}"), True),
        (RemoteAddress("http://q", "http://w", (("X", "{scenario}"),)), True),
        (RemoteAddress("http://q", "http://w", (("{scenario}", "x"),)), False),
    ],
)
def test_each_scenario_may_have_a_place_of_its_own(address, is_per_scenario):
    """By either URL or by the value of a header."""
    assert address.is_per_scenario == is_per_scenario
    assert TENANTS.of("s") == RemoteAddress("http://s/s", "http://w/s", (("X", "t-s"), ("Y", "z")))


@pytest.mark.parametrize(
    ("written", "kind"), [("prometheus", "prometheus"), ("victoria-metrics", "victoria-metrics")]
)
def test_a_name_chooses_a_program_that_is_searched_for(written, kind):
    """With neither a path nor a URL."""
    chosen = choose_engine(written, write_url="http://w", headers=(("a", "b"),), scenarios=9)
    assert chosen == EngineChoice(written, kind)


def test_a_url_chooses_an_engine_that_is_written_to_elsewhere():
    """For one scenario anywhere, for several with a place for each."""
    headers = (("X", "y"),)
    assert choose_engine("http://q", write_url="http://w", headers=headers, scenarios=1) == (
        EngineChoice("http://q", "remote", address=RemoteAddress("http://q", "http://w", headers))
    )
    own = (("X", "{scenario}"),)
    chosen = choose_engine("http://q", write_url="http://w", headers=own, scenarios=2)
    assert chosen.address == RemoteAddress("http://q", "http://w", own)
    server = chosen.server("drop")
    assert isinstance(server, RemoteEngine)
    assert server._address.headers == (("X", "drop"),)


@pytest.mark.parametrize(
    ("written", "write_url", "scenarios", "sentence"),
    [
        ("http://q", None, 1, "--engine http://q needs --remote-write URL, where samples are"),
        ("ftp://q", "http://w", 1, "--engine and --remote-write must be like http://"),
        ("http://q", "ftp://w", 1, "--engine and --remote-write must be like http://"),
        ("http://q", "http://w", 2, "--engine http://q: 2 scenarios would be stored on top of"),
        ("/nowhere", None, 1, ("--engine must be prometheus, victoria-metrics, the path of such a"
         " program, or a URL, got /nowhere")),
        ("/", None, 1, "--engine must be prometheus"),
    ],
)  # fmt: skip
def test_any_other_engine_is_refused(written, write_url, scenarios, sentence):
    """In a sentence with the way out."""
    with pytest.raises(InputError) as raised:
        choose_engine(written, write_url=write_url, headers=(), scenarios=scenarios)
    assert str(raised.value).startswith(sentence)


def test_a_program_is_one_that_can_be_run(tmp_path):
    """By its name it is one or the other; the folder it is in says nothing."""
    folder = tmp_path / "victoria"
    folder.mkdir()
    for name, mode in (("prom", 0o755), ("vm-victoria", 0o755), ("text", 0o644)):
        (folder / name).touch(mode=mode)
    chosen = [
        choose_engine(str(folder / name), write_url=None, headers=(), scenarios=2)
        for name in ("prom", "vm-victoria")
    ]
    assert [(each.kind, each.binary) for each in chosen] == [
        ("prometheus", folder / "prom"),
        ("victoria-metrics", folder / "vm-victoria"),
    ]
    servers = [each.server("s") for each in chosen]
    assert [type(each) for each in servers] == [Prometheus, VictoriaMetrics]
    prometheus, victoria = servers
    assert prometheus._binary == folder / "prom"
    assert victoria._program == victoria.fresh()._program == folder / "vm-victoria"
    with pytest.raises(InputError, match=r"got .*text$"):
        choose_engine(str(folder / "text"), write_url=None, headers=(), scenarios=1)


def test_only_a_program_that_must_be_searched_for_is(monkeypatch):
    """Before anything runs."""
    searched = []
    monkeypatch.setattr(choice, "require", searched.append)
    monkeypatch.setattr(choice, "require_victoria_metrics", lambda: searched.append("vm"))
    PROMETHEUS.check()
    EngineChoice("victoria-metrics", "victoria-metrics").check()
    for kind in ("prometheus", "victoria-metrics"):
        EngineChoice("x", kind, Path("/x")).check()
    EngineChoice("x", "remote", address=ADDRESS).check()
    assert searched == ["prometheus", "vm"]


def test_an_endpoint_connects_by_its_url_and_says_what_failed():
    """The reason once, without the spaces around it."""
    plain, secure = RemoteEndpoint("http://a:1/p/"), RemoteEndpoint("https://b")
    assert (plain.path_prefix, secure.path_prefix) == ("/p", "")
    assert isinstance(secure.connect(3.0), http.client.HTTPSConnection)
    connection = plain.connect(3.0)
    assert not isinstance(connection, http.client.HTTPSConnection)
    assert (connection.host, connection.port, connection.timeout) == ("a", 1, 3.0)
    said = [str(plain.failure(" it broke ", reason=reason)) for reason in ("", "why", "broke")]
    assert said == [
        "it broke at http://a:1/p: check --engine",
        "it broke at http://a:1/p: why: check --engine",
        "it broke at http://a:1/p: check --engine",
    ]


class AnsweringClient:
    """Holds so many samples, ever more of them, and notes what it is asked."""

    def __init__(self, *held, labels_held=()):
        """Begin with nothing asked."""
        self.held, self.labels_held, self.asked, self.closed = list(held), labels_held, [], False

    def query(self, expr, at_s):
        """Return how many samples there are."""
        self.asked.append((expr, at_s))
        held = self.held.pop(0) if self.held else None
        return [] if held is None else [Series({}, np.array([at_s]), np.array([float(held)]))]

    def label_sets(self, selector, start_s, end_s):
        """Return what is held of these names and times."""
        self.asked.append((selector, start_s, end_s))
        return self.labels_held

    def write(self, histories):
        """Take samples."""
        self.asked.append(histories)
        return 7

    def version(self):
        """Refuse to say."""
        raise KeyError("version")

    def close(self):
        """Note it."""
        self.closed = True


class SleepingClock:
    """A clock that moves by sleeping."""

    def __init__(self):
        """Begin at 0."""
        self.now_s = 0.0

    def monotonic(self):
        """Return the time."""
        return self.now_s

    time = monotonic

    def sleep(self, seconds):
        """Move."""
        self.now_s += seconds


@pytest.fixture
def clock(monkeypatch):
    """Let engines go by a clock of the test."""
    own = SleepingClock()
    monkeypatch.setattr(remote, "time", own)
    monkeypatch.setattr(victoria_metrics, "time", own)
    return own


def history():
    """Return two series in two blocks, with a gap and an end: five samples and one mark."""
    blocks = [
        Block(np.round(1000 * (EPOCH_S + np.array(at))).astype(np.int64), np.arange(2), np.array(v))
        for at, v in (
            ([0.0, 15.0], [[1.0, 2.0], [3.0, np.nan]]),
            ([30.0, 45.5], [[1.0, STALE], [np.nan, 4.0]]),
        )
    ]
    return History([labels("b", job="x"), labels("a")], blocks)


def engine(client, writer=None):
    """Return an engine with clients of the test."""
    own = RemoteEngine(ADDRESS)
    own._client, own._writer = client, writer or AnsweringClient()
    return own


SELECTOR = '{__name__=~"a|b"}'


def test_an_engine_must_hold_every_sample_before_it_is_judged(clock):
    """Of just these names and times; the mark of an end is none that counts."""
    client, writer = AnsweringClient(None, 4, 5), AnsweringClient()
    own, pushed = engine(client, writer), history()
    assert own.push(pushed) == 7
    expr = f"sum(count_over_time({SELECTOR}[45501ms]))"
    assert client.asked == [(SELECTOR, EPOCH_S, EPOCH_S + 45.5), *[(expr, EPOCH_S + 45.5)] * 3]
    assert (writer.asked, clock.now_s) == ([(pushed,)], 1.0)
    assert list(own.histories) == [pushed]
    own.push(History([labels("a")], []))
    assert len(client.asked) == 4


def test_an_engine_that_holds_too_little_is_waited_for_for_a_minute(clock):
    """Or too much: either is no verdict."""
    for held in (4, 6):
        clock.now_s = 0.0
        with pytest.raises(JudgeError, match=rf"holds {held} of 5 samples at http://q/a: check"):
            engine(AnsweringClient(*[held] * 200)).push(history())
        assert clock.now_s == 60.5


def test_an_engine_that_holds_the_same_names_and_times_is_refused(clock):
    """Nothing is written."""
    writer = AnsweringClient()
    own = engine(AnsweringClient(labels_held=({"a": "b"},)), writer)
    with pytest.raises(JudgeError, match=r"^http://q/a holds series of the same names and times"):
        own.push(history())
    assert (writer.asked, clock.now_s) == ([], 0.0)


def test_an_engine_that_states_no_version_is_judged_all_the_same(clock):
    """It is closed at the end, and has its URL for a name."""
    client, writer = AnsweringClient(), AnsweringClient()
    with engine(client, writer) as own:
        assert (own.version, own.name, own.url) == ("unknown", "http://q/a", "http://q/a")
        assert client.asked == [("1", clock.now_s)]
    assert client.closed
    assert writer.closed


@pytest.mark.parametrize(
    ("page", "version"),
    [
        ('vm_app_version{short_version="v1.93.1"} 1\n', "1.93.1"),
        ('vm_app_version{version="x", short_version="1.2"} 1\n', "1.2"),
        ('vm_app_version{version="v1.2.3"} 1\n', "unknown"),
        ("", "unknown"),
    ],
)
def test_victoria_metrics_stores_what_it_was_sent_before_it_is_asked(clock, page, version):
    """Its page is a few seconds old at most; its version is on it."""
    own = VictoriaMetrics()
    pages = [
        f'vm_rows_inserted_total{{type="{kind}"}} {rows}\n' for kind, rows in (("a", 3), ("b", 4))
    ]
    flushed = []
    shown = [page + pages[0], page + "".join(pages)]
    own._client = SimpleNamespace(metrics_page=lambda: shown.pop(0))
    own._server.get = lambda path, **_: (flushed.append(path) or 200, b"")
    own._pushed = 7
    own.check_stored()
    assert (own.version, flushed, clock.now_s) == (version, ["/internal/force_flush"], 0.1)


def test_victoria_metrics_that_stored_another_number_is_no_verdict(clock):
    """After as long as its page may be old."""
    own = VictoriaMetrics()
    own._server.get = lambda *_, **__: (200, b"")
    own._server.failure = JudgeError
    own._pushed = 7
    for stored in (6, 8):
        clock.now_s = 0.0
        page = f"vm_rows_inserted_total {stored}\n"
        own._client = SimpleNamespace(metrics_page=lambda page=page: page)
        with pytest.raises(JudgeError, match=rf"^VictoriaMetrics stored {stored} of 7 samples$"):
            own.check_stored()
        assert clock.now_s == pytest.approx(8.1)
    own._server.get = lambda *_, **__: (300, b"")
    with pytest.raises(JudgeError, match=r"does not store its samples \(300\)"):
        own.check_stored()


@pytest.mark.parametrize(
    ("output", "version"),
    [("victoria-metrics-20240126-tags-v1.97.1-0-gabc", "1.97.1"), ("victoria-metrics", "")],
)
def test_what_the_program_says_of_itself(monkeypatch, output, version):
    """Nothing, in Debian's; without the program there is nothing to say."""
    monkeypatch.setattr(victoria_metrics, "find", lambda _: Path("/vm"))
    monkeypatch.setattr(victoria_metrics, "version_output", lambda _: output)
    described = victoria_metrics.describe_victoria_metrics()
    assert described is not None
    assert (described.name, described.path, described.version) == (
        "victoria-metrics", Path("/vm"), version,
    )  # fmt: skip
    assert victoria_metrics.require_victoria_metrics() == Path("/vm")
    monkeypatch.setattr(victoria_metrics, "find", lambda _: None)
    assert victoria_metrics.describe_victoria_metrics() is None
    with pytest.raises(JudgeError, match=r"^victoria-metrics was not found on PATH.*apt-get"):
        victoria_metrics.require_victoria_metrics()


@pytest.mark.parametrize("question", ["query", "query_range"])
def test_victoria_metrics_makes_what_is_new_readable_before_it_is_asked(question):
    """Once after each time that something was stored, and not where nothing was."""
    own, done = VictoriaMetrics(), []
    own._client = SimpleNamespace(
        append=lambda _: done.append("stored") or 3,
        query=lambda *_: done.append("asked") or [],
        query_range=lambda _: done.append("asked") or [],
    )
    own._server.get = lambda *_, **__: (done.append("made readable") or 200, b"")

    def ask():
        return own.query("up", 0.0) if question == "query" else own.query_range(None)

    assert ask() == []
    for _ in range(2):
        own.append(history())
        ask()
        ask()
    assert done == ["asked", *["stored", "made readable", "asked", "asked"] * 2]
    assert own._pushed == 6
