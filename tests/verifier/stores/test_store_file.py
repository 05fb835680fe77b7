"""A store's file: an entry of Prometheus's `remote_write`, every mistake with its place."""

from __future__ import annotations

import http.server
import shutil
import ssl
import subprocess
import threading

import pytest

from documents.mistakes import InputError
from tests.agentaskit_sim.leaks import SECRETS
from verifier.errors import JudgeError
from verifier.stores.address import asked_at
from verifier.stores.connection import StoreConnection, TryAgain
from verifier.stores.store_file import read_store

SECRET = SECRETS["password"]
GOOD = """url: https://mimir.example.org/api/v1/push
headers: {X-Scope-OrgID: team}
authorization: {credentials_file: token}
"""


def written(folder, text):
    """Write a store's file, and a token beside it; return its path as text."""
    (folder / "token").write_text(SECRET + "\n")
    (folder / "store.yaml").write_text(text)
    return str(folder / "store.yaml")


def test_a_file_says_where_and_who(tmp_path):
    """The token comes from a file beside it; nothing secret is in what would be printed."""
    store = read_store(written(tmp_path, GOOD))
    assert store.write.text == "https://mimir.example.org/api/v1/push"
    assert store.ask.text == "https://mimir.example.org/prometheus"
    assert store.headers == (("X-Scope-OrgID", "team"), ("Authorization", f"Bearer {SECRET}"))
    assert SECRET not in repr(store)
    basic = GOOD.replace("authorization:", "basic_auth:").replace(
        "{credentials_file", "{username: me, password_file"
    )
    headers = dict(read_store(written(tmp_path, basic)).headers)
    assert headers["Authorization"].startswith("Basic ")
    assert read_store("http://a/api/v1/write", headers=[("X", "y")]).headers == (("X", "y"),)


@pytest.mark.parametrize(
    ("write", "ask"),
    [
        ("http://127.0.0.1:9090/api/v1/write", "http://127.0.0.1:9090"),
        ("http://vm:8428/insert/0/prometheus/api/v1/write", "http://vm:8428/insert/0/prometheus"),
        ("https://mimir/api/v1/push", "https://mimir/prometheus"),
        ("http://thanos:19291/api/v1/receive", None),
    ],
)
def test_where_a_store_is_asked_follows_where_it_can(write, ask):
    """Thanos receives at one address and answers at another."""
    assert asked_at(write) == ask


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("url:", "ulr:"), "1:1: unknown key"),
        (GOOD.replace("https", "ftp"), "1:6: url must be an HTTP URL"),
        (GOOD.replace("//mimir", f"//me:{SECRET}@mimir"), "1:6: url must be an HTTP URL without"),
        (GOOD.replace("team", '"a\\nb"'), "2:26: headers.X-Scope-OrgID must be a header of"),
        (GOOD.replace("X-Scope-OrgID", "Host"), "2:17: headers.Host must be a header of"),
        (GOOD.replace("token", "nowhere"), "3:35: no such file"),
        (GOOD.replace("credentials_file: token", "type: Bearer"),
         "3:16: credentials or credentials_file must be there, one of both"),
        (GOOD.replace("credentials_file: token", f"credentials: [{SECRET}]"),
         "credentials must be text that is not empty"),
        (GOOD + f"basic_auth: {{username: a, password: {SECRET}}}\n",
         "4:1: basic_auth must be the only one of"),
        (GOOD + "tls_config: {ca_file: token}\n",
         "4:23: ca_file must be a file of certificates in PEM"),
        (GOOD + "tls_config: {key_file: token}\n", "4:24: key_file must stand beside a cert_file"),
        ("url: http://thanos:19291/api/v1/receive\n", "url does not say where the store is asked"),
        ("[]\n", "must be a mapping"),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_mistake_has_its_place_and_repeats_no_secret(tmp_path, text, message):
    """One good file, one mistake each."""
    with pytest.raises(InputError) as caught:
        read_store(written(tmp_path, text))
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="NO OPENSSL: no certificate is made")
def test_a_certificate_is_checked_against_the_file(tmp_path):
    """Trusted if the file names who signed it, else the run ends with what to do.

    The store asks who writes: whoever has no certificate of his own gets nowhere.
    """
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cert)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.RequestHandlerClass.do_POST = lambda self: self.send_error(418)
        server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"url: https://127.0.0.1:{server.server_port}/api/v1/write\n"
        both = "tls_config: {ca_file: cert.pem, cert_file: cert.pem, key_file: key.pem}\n"
        trusting = read_store(written(tmp_path, url + both))
        with pytest.raises(JudgeError, match=r"refused a request \(418"):
            StoreConnection(trusting).write(b"")
        silent = read_store(written(tmp_path, url + "tls_config: {ca_file: cert.pem}\n"))
        with pytest.raises(TryAgain):
            StoreConnection(silent).write(b"")
        doubting = read_store(written(tmp_path, url))
        with pytest.raises(JudgeError, match="a certificate that is not trusted"):
            StoreConnection(doubting).write(b"")
        server.shutdown()
