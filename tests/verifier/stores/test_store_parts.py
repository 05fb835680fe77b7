"""Each part of a store's file, and each URL, read whole; and what is sent of a scenario."""

from __future__ import annotations

import base64
from math import inf

import pytest

from documents.mistakes import InputError
from exporter.history.retention import COARSE_S
from tests.verifier.simulations import scenario_of
from verifier.stores.address import StoreUrl, asked_at, read_url
from verifier.stores.scenario_sending import EverySeries, SentHistory
from verifier.stores.store_file import SECRET_BYTES_MAX, is_header, read_store

URL = "url: http://a/api/v1/write\n"


def store(folder, text, *args, beside="own secret\n"):
    """Read a store's file, beside which a secret lies."""
    (folder / "secret").write_text(beside)
    (folder / "store.yaml").write_text(text)
    return read_store(str(folder / "store.yaml"), *args)


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("", ()),
        ("headers: {A: b, C-d: e f}\n", (("A", "b"), ("C-d", "e f"))),
        ("authorization: {credentials: x}\n", (("Authorization", "Bearer x"),)),
        ("authorization: {type: Own, credentials: ' x '}\n", (("Authorization", "Own x"),)),
        ("authorization: {credentials_file: secret}\n", (("Authorization", "Bearer own secret"),)),
        ("authorization: null\n", ()),
        ("basic_auth: {username: u, password: p}\n", (("Authorization", "Basic dTpw"),)),
        ("basic_auth: {username: u, password_file: secret}\nauthorization: null\n",
         (("Authorization", "Basic " + base64.b64encode(b"u:own secret").decode()),)),
        ("headers: {AUTHORIZATION: x}\n", (("AUTHORIZATION", "x"),)),
        ("headers: {A: b}\nauthorization: {credentials: x}\n",
         (("A", "b"), ("Authorization", "Bearer x"))),
    ],
)  # fmt: skip
def test_headers_come_from_all_parts_and_those_of_the_command_last(tmp_path, text, headers):
    """Secrets without the spaces around them."""
    assert store(tmp_path, URL + text).headers == headers
    extra = store(tmp_path, URL + text, None, [("X", "y")]).headers
    assert extra == (*headers, ("X", "y"))


@pytest.mark.parametrize(
    ("text", "ask", "asked"),
    [
        (URL, None, "http://a"),
        (URL, "http://c/", "http://c"),
        (URL + "ask_url: http://b/x/\n", None, "http://b/x"),
        (URL + "ask_url: http://b/x/\n", "http://c", "http://c"),
        ("url: http://a/other\nask_url: http://b\n", None, "http://b"),
        ("url: http://a/other\n", "http://c", "http://c"),
    ],
)
def test_it_is_asked_where_the_command_says_else_the_file_else_where_that_follows(
    tmp_path, text, ask, asked
):  # fmt: skip
    """Without the slash at the end."""
    assert store(tmp_path, text, ask).ask.text == asked


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("http://a/x",), ("--to does not say where the store is asked, which must find all that"
         " was sent: it follows from a URL that ends in /api/v1/write, /api/v1/push;"
         " else name it, --ask URL")),
        (("ftp://a",), "--to must be an HTTP URL"),
        (("http://a/api/v1/write", "ftp://b"), "--ask must be an HTTP URL"),
        (("http://a/api/v1/write", None, [("Host", "b")]), ("--header must be a header of printable"
         " ASCII that is not one of remote write's own")),
    ],
)  # fmt: skip
def test_a_wrong_command_is_refused_in_a_sentence(args, sentence):
    """By the name of the option."""
    with pytest.raises(InputError) as raised:
        read_store(*args)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("headers: {A: b}\n", ["1:1: the key 'url' is missing"]),
        ("url: 3\n", ["1:6: url must be text"]),
        (URL + "ask_url: ftp://b\n", ["2:10: ask_url must be an HTTP URL"]),
        (URL + "headers: {A: 3, Content-Type: x}\n",
         ["2:14: headers.A must be a header", "2:31: headers.Content-Type must be a header"]),
        (URL + "headers: {authorization: x}\nauthorization: {credentials: x}\n",
         ["3:1: authorization must be the only one of"]),
        (URL + "headers: {authorization: x}\nbasic_auth: {username: u, password: p}\n",
         ["3:1: basic_auth must be the only one of"]),
        (URL + "authorization: {}\n", ["2:16: credentials or credentials_file must be there"]),
        (URL + "authorization: {credentials: x, credentials_file: secret}\n",
         ["2:16: credentials or credentials_file must be there"]),
        (URL + "authorization: {credentials: ' '}\n", ["2:30: credentials must be text"]),
        (URL + 'authorization: {credentials: "a\\nb"}\n', ["2:16: authorization must be a header"]),
        (URL + "authorization: {user: x}\n", ["2:16: credentials or", "2:17: unknown key"]),
        (URL + "basic_auth: {password: p}\n", ["2:13: username must be text"]),
        (URL + "basic_auth: {username: u, password: é, password_file: x}\n",
         ["2:13: password or password_file must be there"]),
        (URL + "tls_config: {cert_file: secret}\n",
         [("2:25: cert_file must be a file of certificates in PEM, and key_file its key, without a"
          " password (does not fit)")]),
        (URL + "tls_config: {ca_file: gone}\n", [("2:23: ca_file must be a file of certificates in"
         " PEM, and key_file its key, without a password (cannot be read)")]),
        (URL + "tls_config: {ca_file: 3}\n", ["2:23: ca_file must be text"]),
    ],
)  # fmt: skip
def test_mistakes_of_a_file_are_all_said_where_they_are(tmp_path, text, sentences):
    """In the order of the file's parts, none of them twice."""
    with pytest.raises(InputError) as raised:
        store(tmp_path, text)
    said = str(raised.value).splitlines()
    start = f"{tmp_path / 'store.yaml'}:"
    assert [line.startswith(start + text) for line, text in zip(said, sentences, strict=False)] == [
        True for _ in sentences
    ], said
    assert len(raised.value.mistakes) == len(sentences)


def test_a_secret_in_a_file_is_bounded(tmp_path):
    """Nobody meant to name a file of a gigabyte."""
    text = URL + "authorization: {credentials_file: secret}\n"
    at_most = store(tmp_path, text, beside="x" * SECRET_BYTES_MAX)
    assert len(at_most.headers[0][1]) == SECRET_BYTES_MAX + len("Bearer ")
    with pytest.raises(InputError, match=r":2:35: "):
        store(tmp_path, text, beside="x" * (SECRET_BYTES_MAX + 1))


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("X-Scope.OrgID!#$%&'*+^_`|~9", "a b", True),
        ("X", "", False),
        ("X", " ", False),
        ("X", "ä", False),
        ("X", "a\tb", False),
        ("", "a", False),
        ("X Y", "a", False),
        ("X:", "a", False),
        *[(name, "a", False) for name in ("Connection", "Content-Encoding", "content-length")],
        *[(name, "a", False) for name in ("Content-Type", "HOST", "Transfer-Encoding")],
        ("X-Prometheus-Remote-Write-Version", "a", False),
        ("User-Agent", "a", True),
    ],
)
def test_a_header_is_one_that_can_be_sent_and_is_not_there_anyway(name, value, fits):
    """By its name, in letters of either case, and its value."""
    assert is_header(name, value) == fits


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("http://a", ("http://a", "http", "a", None, "")),
        ("https://a:8443/", ("https://a:8443", "https", "a", 8443, "")),
        ("http://A.b/c/d//", ("http://A.b/c/d", "http", "a.b", None, "/c/d")),
        ("http://[::1]:9/w", ("http://[::1]:9/w", "http", "::1", 9, "/w")),
    ],
)
def test_a_url_is_read_in_parts(text, parts):
    """Without the slash at its end."""
    assert read_url(text) == StoreUrl(*parts)


WITHOUT = "be an HTTP URL without user name, password, query or fragment"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("http://me@a", WITHOUT),
        ("http://a/b@c", WITHOUT),
        ("http://a?b=c", WITHOUT),
        ("http://a#b", WITHOUT),
        ("ftp://a", "be an HTTP URL"),
        ("http:///a", "be an HTTP URL"),
        ("a", "be an HTTP URL"),
        ("http://a:b", "be an HTTP URL"),
        ("http://a:99999", "be an HTTP URL"),
        ("http://[a", "be an HTTP URL"),
        ("http://a/\u200b", "be an HTTP URL"),
    ],
)
def test_anything_else_is_refused_by_its_rule(text, rule):
    """What may be a secret has a rule of its own."""
    with pytest.raises(ValueError, match=f"^{rule}$"):
        read_url(text)


@pytest.mark.parametrize(
    ("write", "ask"),
    [
        ("http://a/api/v1/write/", "http://a"),
        ("http://a/prometheus/api/v1/write", "http://a/prometheus"),
        ("http://a/x/api/v1/push", "http://a/x/prometheus"),
        ("http://a/api/v1/write/x", None),
    ],
)
def test_where_it_is_asked_follows_from_the_end_of_the_url(write, ask):
    """Whatever stands before it."""
    assert asked_at(write) == ask


def test_a_history_is_sent_from_before_its_past_to_its_end():
    """One coarse step earlier: where that begins is not known before."""
    scenario = scenario_of("duration: 10m\n")
    sent = SentHistory(scenario, 10_000.5)
    assert sent.span_ms == (round((10_000.5 - 3600 - COARSE_S) * 1000), 10_600_500)
    assert SentHistory(scenario, 10_000.0, past_s=60.0).span_ms == (
        round((9_940 - COARSE_S) * 1000), 10_600_000,
    )  # fmt: skip


def test_every_series_is_needed_as_deep_and_at_every_scrape():
    """Whatever the metric, and however long the scenario."""
    need = EverySeries(3600.0).need("any", 600.0)
    assert (need.depth_s, need.fine) == (3585.0, ((-3600.0 - COARSE_S, inf),))
