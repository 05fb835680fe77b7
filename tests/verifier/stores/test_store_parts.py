"""Each part of a store's file read whole: URLs, headers, who writes, certificates."""

from __future__ import annotations

import base64

import pytest

from documents.mistakes import InputError
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
