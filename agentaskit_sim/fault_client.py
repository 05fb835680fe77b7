"""A world that runs elsewhere, as its API speaks: one request, one document or one sentence.

No proxy, no redirect: the token is shown to nobody but the server that was named.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from documents.mistakes import InputError
from exporter.server.landing import API
from verifier.errors import JudgeError

DEFAULT_URL = "http://127.0.0.1:9464"
TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 8 << 20


class FaultClient:
    """The API at `url`."""

    def __init__(self, url: str, token: str | None = None) -> None:
        """Show `token` with every request; raises `InputError` for what is no URL."""
        self._url, self._token = url, token
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or not self._host or parts.path.strip("/"):
            raise InputError(f"--url must be like {DEFAULT_URL}, got {url!r}")
        self._connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection

    def call(self, method: str, path: str, document: object = None) -> dict[str, Any]:
        """Return the answer's document.

        Raises `InputError` when the world refuses, `JudgeError` when none answers.
        """
        headers = {"Accept": "application/json"}
        body = None if document is None else json.dumps(document).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = self._connection(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request(method, API + path, body, headers)
            answer = connection.getresponse()
            status, raw = answer.status, answer.read(ANSWER_BYTES_MAX)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            way_out = "start one with `agentaskit-sim serve`, or say where with --url"
            raise JudgeError(
                f"no world answers at {self._url} ({reason.lower()}): {way_out}"
            ) from None
        finally:
            connection.close()
        return self._read(status, raw)

    def _read(self, status: int, raw: bytes) -> dict[str, Any]:
        try:
            told = json.loads(raw)
        except ValueError:
            told = None
        if not isinstance(told, dict) or (status >= 400 and not isinstance(told.get("error"), str)):
            raise JudgeError(
                f"what answers at {self._url} is no world of this program (status {status})"
            )
        if status >= 500:
            raise JudgeError(f"the world at {self._url} could not answer: {told['error']}")
        if status == HTTPStatus.UNAUTHORIZED:
            raise InputError("the world asks for its token: --token-file or AGENTASKIT_SIM_TOKEN")
        if status >= 400:
            raise InputError(told["error"])
        return told
