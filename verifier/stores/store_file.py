"""The file that describes a store: an entry of Prometheus's own `remote_write`, and where to ask.

Read before anything runs, every mistake with its place. Names of files in it are relative to its
folder, as Prometheus has them. Nothing that may be a secret is repeated in a mistake.
"""

from __future__ import annotations

import base64
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.files import read_text
from documents.mistake_kinds import BrokenRule, MissingKey
from documents.mistakes import InputError
from documents.walker import Walker
from documents.yaml_reader import load
from verifier.stores.address import PUSHED, StoreAddress, StoreUrl, asked_at, read_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from documents.document import Document, Steps, Value

KEYS: Final = ("url", "ask_url", "headers", "authorization", "basic_auth", "tls_config")
SECRET_BYTES_MAX: Final = 16_384
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS: Final = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
        "x-prometheus-remote-write-version",
    }
)
"""Headers that a request has anyway."""
HEADER_RULE: Final = "be a header of printable ASCII that is not one of remote write's own"


def read_store(
    to: str, ask: str | None = None, headers: Iterable[tuple[str, str]] = ()
) -> StoreAddress:
    """Return the store that a URL or a file names; raise `InputError` with every mistake.

    `ask` is the URL that it is asked at, where that does not follow; `headers` come on top.
    """
    extra = tuple(headers)
    for name, value in extra:
        if not is_header(name, value):
            raise InputError(f"--header must {HEADER_RULE}")
    if "://" in to:
        return _addressed(_url("--to", to), "--to", ask, extra)
    reader = _StoreReader(load(to))
    written = reader.read()
    address = _addressed(written, "url", ask or reader.ask, (*reader.headers, *extra))
    return StoreAddress(address.write, address.ask, address.headers, reader.tls)


def is_header(name: str, value: str) -> bool:
    """Whether a header can be sent, and does not stand in for one that there is anyway."""
    plain = value.isascii() and value.isprintable() and bool(value.strip())
    return bool(_NAME.fullmatch(name)) and name.lower() not in _OURS and plain


def _addressed(
    write: StoreUrl, key: str, ask: str | None, headers: tuple[tuple[str, str], ...]
) -> StoreAddress:
    asked = ask or asked_at(write.text)
    if asked is None:
        ends = ", ".join(end for end, _ in PUSHED if end.count("/") == 3)
        raise InputError(
            f"{key} does not say where the store is asked, which must find all that was sent: it"
            f" follows from a URL that ends in {ends}; else name it, --ask URL"
        )
    return StoreAddress(write, _url("--ask", asked), headers)


def _url(option: str, text: str) -> StoreUrl:
    try:
        return read_url(text)
    except ValueError as error:
        raise InputError(f"{option} must {error}") from None


class _StoreReader(Walker):
    """One walk over a store's file."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._folder = Path(document.path).parent
        self.ask: str | None = None
        self.headers: list[tuple[str, str]] = []
        self.tls: ssl.SSLContext | None = None

    def read(self) -> StoreUrl:
        """Return where it is written to; raise its mistakes."""
        raw = self.mapping(self.document.data, (), KEYS)
        if "url" not in raw:
            self.reject(MissingKey("url"), ())
            self.raise_mistakes()
        write = self._url(raw, "url")
        self.ask = self._url(raw, "ask_url").text if "ask_url" in raw else None
        self._read_headers(self.mapping(raw.get("headers"), ("headers",)))
        self._read_authorization(raw)
        self._read_tls(raw)
        self.raise_mistakes()
        return write

    def _url(self, raw: dict[str, Value], key: str) -> StoreUrl:
        try:
            return read_url(self.text(raw, key, ()))
        except ValueError as error:
            if not self.mistakes:
                self.reject(BrokenRule(key, str(error)), (key,))
        return read_url("http://none")

    def _read_headers(self, raw: dict[str, Value]) -> None:
        for name, value in raw.items():
            if isinstance(value, str) and is_header(name, value):
                self.headers.append((name, value))
            else:
                self.reject(BrokenRule(f"headers.{name}", HEADER_RULE), ("headers", name))

    def _read_authorization(self, raw: dict[str, Value]) -> None:
        kinds = [key for key in ("authorization", "basic_auth") if raw.get(key) is not None]
        named = any(name.lower() == "authorization" for name, _ in self.headers)
        if len(kinds) + named > 1:
            rule = "be the only one of authorization, basic_auth and a header Authorization"
            self.reject(BrokenRule(kinds[-1], rule), (kinds[-1],), at_key=True)
            return
        if "authorization" in kinds:
            steps = ("authorization",)
            own = self.mapping(
                raw["authorization"], steps, ("type", "credentials", "credentials_file")
            )
            kind = self.text(own, "type", steps) if "type" in own else "Bearer"
            self._add("Authorization", f"{kind} {self._secret(own, 'credentials', steps)}", steps)
        if "basic_auth" in kinds:
            steps = ("basic_auth",)
            own = self.mapping(raw["basic_auth"], steps, ("username", "password", "password_file"))
            pair = f"{self.text(own, 'username', steps)}:{self._secret(own, 'password', steps)}"
            encoded = base64.b64encode(pair.encode()).decode()
            self._add("Authorization", f"Basic {encoded}", steps)

    def _add(self, name: str, value: str, steps: Steps) -> None:
        if is_header(name, value):
            self.headers.append((name, value))
        elif not self.mistakes:
            self.reject(BrokenRule(str(steps[0]), HEADER_RULE), steps)

    def _secret(self, own: dict[str, Value], key: str, steps: Steps) -> str:
        """Return what stands at a key, or in the file that `KEY_file` names: one of both."""
        in_file = f"{key}_file"
        if (key in own) == (in_file in own):
            self.reject(BrokenRule(f"{key} or {in_file}", "be there, one of both"), steps)
            return ""
        if key in own:
            value = own[key]
            if not isinstance(value, str) or not value.strip():
                self.reject(BrokenRule(key, "be text that is not empty"), (*steps, key))
            return str(value).strip()
        path = self._file(own, in_file, steps)
        if path is None:
            return ""
        text = self.attempt(lambda: read_text(path, bytes_max=SECRET_BYTES_MAX), (*steps, in_file))
        return (text or "").strip()

    def _read_tls(self, raw: dict[str, Value]) -> None:
        if raw.get("tls_config") is None:
            return
        steps = ("tls_config",)
        own = self.mapping(raw["tls_config"], steps, ("ca_file", "cert_file", "key_file"))
        ca, cert, key = (
            self._file(own, name, steps) for name in ("ca_file", "cert_file", "key_file")
        )
        if key is not None and cert is None:
            self.reject(BrokenRule("key_file", "stand beside a cert_file"), (*steps, "key_file"))
        if self.mistakes:
            return
        at = "ca_file"
        try:
            self.tls = ssl.create_default_context(cafile=None if ca is None else str(ca))
            if cert is not None:
                at = "cert_file"
                # An encrypted key would ask for its password on the terminal.
                self.tls.load_cert_chain(cert, key, password="")
        except OSError as error:
            reason = "cannot be read" if not isinstance(error, ssl.SSLError) else "does not fit"
            rule = "be a file of certificates in PEM, and key_file its key, without a password"
            self.reject(BrokenRule(at, f"{rule} ({reason})"), (*steps, at))

    def _file(self, own: dict[str, Value], key: str, steps: Steps) -> Path | None:
        if key not in own:
            return None
        text = self.text(own, key, (*steps,))
        return self._folder / text if text else None
