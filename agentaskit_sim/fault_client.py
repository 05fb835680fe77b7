"""The client of a world's fault API: one request, one document, or one error.

The `fault` command calls it. No proxy, no redirect: the token is sent only to the server that
was named. It checks nothing that the world checks, and prints nothing.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, NotRequired, TypedDict, cast
from urllib.parse import urlsplit

from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, Mistake
from exporter.server.landing import API
from verifier.errors import JudgeError

DEFAULT_URL: Final = "http://127.0.0.1:9464"
TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 8 << 20
"""More than any answer of a world: a server that sends without end is cut off."""


class MagnitudeDocument(TypedDict):
    """A fault's strength: as declared, and in effect now (less while it ramps up)."""

    declared: float
    effective: float


class EffectDocument(TypedDict):
    """A fault's measured effect so far, and the effect expected of it by now."""

    value: float
    expected: float
    unit: str


class FaultDocument(TypedDict):
    """A fault in effect, as the API returns it: what is printed of it."""

    name: str
    fault: str
    targets: dict[str, object]
    ends_in_s: float
    magnitude: MagnitudeDocument
    effect: EffectDocument


class FaultListDocument(TypedDict):
    """The faults in effect."""

    faults: list[FaultDocument]


class ParameterSchema(TypedDict):
    """The JSON Schema of one parameter; a duration is a string with a pattern."""

    type: str
    pattern: NotRequired[str]
    description: NotRequired[str]


class ParametersSchema(TypedDict):
    """The JSON Schema of a kind's parameters."""

    properties: dict[str, ParameterSchema]
    required: NotRequired[list[str]]


class FaultKindDocument(TypedDict):
    """A kind of fault: what happens, what it can target, which parameters it takes."""

    fault: str
    what: str
    targets: list[str]
    parameters: ParametersSchema


class FaultCatalogueDocument(TypedDict):
    """Every kind of fault."""

    faults: list[FaultKindDocument]


class FaultClient:
    """The fault API at a URL.

    Every request raises `InputError` when the world refuses it, `JudgeError` when none answers.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        """Send `token` with every request; raises `InputError` for anything but an HTTP URL."""
        if "@" in url:  # with a password in it, perhaps: it is not repeated
            raise InputError(Mistake(BrokenRule("--url", "be without a user name or password")))
        self._url, self._token = url, token
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or not self._host or parts.path.strip("/"):
            raise InputError(Mistake(BrokenRule("--url", f"be like {DEFAULT_URL}", url)))
        self._connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection

    def catalogue(self) -> FaultCatalogueDocument:
        """Return every kind of fault."""
        return cast("FaultCatalogueDocument", self._call("GET", "/faults/catalogue"))

    def list_all(self) -> FaultListDocument:
        """Return the faults in effect."""
        return cast("FaultListDocument", self._call("GET", "/faults"))

    def inject(self, injection: dict[str, object]) -> FaultDocument:
        """Begin a fault; return it as it is in effect."""
        return cast("FaultDocument", self._call("POST", "/faults", injection))

    def change(self, name: str, change: dict[str, object]) -> FaultDocument:
        """Change a fault in effect; return it as it is now."""
        return cast("FaultDocument", self._call("PATCH", _path(name), change))

    def end(self, name: str) -> FaultDocument:
        """End a fault; return its last status."""
        return cast("FaultDocument", self._call("DELETE", _path(name)))

    def end_all(self) -> FaultListDocument:
        """End every fault; return their last statuses."""
        return cast("FaultListDocument", self._call("DELETE", "/faults"))

    def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> object:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        sent = None if body is None else json.dumps(body).encode()
        connection = self._connection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request(method, API + path, sent, headers)
            answer = connection.getresponse()
            status, raw = answer.status, answer.read(ANSWER_BYTES_MAX)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            way_out = "start `agentaskit-sim serve` or `up`, or pass --url"
            raise JudgeError(
                f"nothing answers at {self._url} ({reason.lower()}): {way_out}"
            ) from None
        finally:
            connection.close()
        return self._read(status, raw)

    def _read(self, status: int, raw: bytes) -> dict[str, object]:
        """Return the document of an answer; raise the error that it is."""
        try:
            document = json.loads(raw)
        except ValueError:
            document = None
        reason = document.get("error") if isinstance(document, dict) else None
        if not isinstance(document, dict) or (status >= 400 and not isinstance(reason, str)):
            raise JudgeError(
                f"the server at {self._url} is no world of this program (status {status})"
            )
        if status >= 500:
            raise JudgeError(f"the world at {self._url} could not answer: {reason}")
        if status == HTTPStatus.UNAUTHORIZED:
            raise InputError("the world asks for its token: --token-file or AGENTASKIT_SIM_TOKEN")
        if status >= 400:
            raise InputError(str(reason))
        return document


def _path(name: str) -> str:
    """Return the path of a fault; raise `InputError` for a name that would lead elsewhere."""
    if not name.replace("-", "").isalnum() or not name.isascii():
        rule = "be lower-case words joined by '-'"
        raise InputError(Mistake(BrokenRule("a fault's name", rule, name)))
    return f"/faults/{name}"
