"""Asks a Prometheus of the user for its history, politely: one request at a time, with pauses.

Used by the replay alone. A server that is busy (429, 502, 503, 504) or does not answer is asked
again a few times, ever later; any other refusal ends the run, in one sentence. Only that URL is
requested, and nothing is ever written. All times are Unix seconds.
"""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from verifier.errors import JudgeError
from verifier.servers.foreign_server import AnswerTooLong, ForeignServer, ServerUnreachable
from verifier.servers.ledger import parse_time_s
from verifier.servers.prometheus.client import QueryError, RefusedQueryError, read_series

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from verifier.servers.foreign_server import ForeignAnswer
    from verifier.servers.prometheus import RangeQuery, Series

TIMEOUT_S: Final = 130.0
"""More than the two minutes after which Prometheus itself gives up a query."""
ATTEMPTS: Final = 5
BACK_OFF_S: Final = 1.0
"""Before the second attempt; twice as long before each further one."""
BACK_OFF_MAX_S: Final = 60.0
ANSWER_CHARS_MAX: Final = 300
_BUSY: Final = (429, 502, 503, 504)
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
_REASONS: Final = {
    401: "it asks who you are: --token-file FILE, or --header NAME=VALUE",
    403: "it refuses this token: check --token-file and --header",
    404: "no API of a Prometheus is below this URL: check its path",
}


class HistoryUnavailable(JudgeError):  # noqa: N818 - "unavailable" says that it is an error
    """A server that does not answer, or is busy, however often it is asked."""


class SliceTooLong(Exception):  # noqa: N818 - not an error yet: a shorter slice is asked for
    """The server cannot answer for so many evaluations at once, or its answer is too long."""


@dataclass(frozen=True, slots=True)
class Politeness:
    """How gently a server is asked: `pause_s` between two requests, and what a failure costs."""

    pause_s: float = 0.0
    attempts: int = ATTEMPTS
    back_off_s: float = BACK_OFF_S


class HistoryServer:
    """A Prometheus of the user; `say` hears of every attempt that failed."""

    def __init__(
        self,
        server: ForeignServer,
        *,
        headers: Mapping[str, str] | None = None,
        pace: Politeness | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Ask nothing yet."""
        self._server, self._headers = server, dict(headers or {})
        self._pace, self._say = pace or Politeness(), say
        self._asked = False
        self.requests = 0
        """How many requests were made so far."""

    @property
    def url(self) -> str:
        """The server's URL."""
        return self._server.url

    def query_range(self, query: RangeQuery) -> list[Series]:
        """Return the series of a range query of at most 10,000 points.

        Raises SliceTooLong where fewer points may succeed, RefusedQueryError for an expression that
        the engine refuses as such, QueryError where it fails, JudgeError for anything else.
        """
        form = {"query": query.expr, "step": f"{query.step_s:.3f}"}
        form |= {"start": f"{query.start_s:.3f}", "end": f"{query.end_s:.3f}"}
        try:
            items = self._ask("/api/v1/query_range", form)["result"]
            return [read_series(item["metric"], item["values"]) for item in items]
        except (KeyError, TypeError, AttributeError):
            raise self._odd("it does not answer as a Prometheus does") from None

    def has_series(self, selector: str, start_s: float, end_s: float) -> bool:
        """Return whether any series of `selector` is stored between two Unix times."""
        form = {"match[]": selector, "start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "limit": "1"}
        try:
            return bool(self._ask("/api/v1/series", form))
        except SliceTooLong:
            return True  # an older server, which knows no limit: so many that they are too long

    def group_instants(self) -> dict[str, tuple[float, float]]:
        """Return, by the name of each group that the server evaluates, its interval and an instant.

        The instant is Unix time, of an evaluation. A name that several groups have is left out.
        """
        groups: dict[str, tuple[float, float] | None] = {}
        try:
            for group in self._ask("/api/v1/rules", None)["groups"]:
                at_s = parse_time_s(str(group.get("lastEvaluation")))
                name = str(group["name"])
                known = None if at_s is None or name in groups else (float(group["interval"]), at_s)
                groups[name] = known
        except HistoryUnavailable:
            raise
        except (JudgeError, QueryError, SliceTooLong, KeyError, TypeError, ValueError):
            return {}  # a server that evaluates nothing; whatever else is wrong, a query will meet
        return {name: known for name, known in groups.items() if known is not None}

    # Any: the `data` of an answer has another shape for each path; callers name it.
    def _ask(self, path: str, form: Mapping[str, str] | None) -> Any:
        method, body, headers = "GET", None, self._headers
        if form is not None:
            method, body, headers = "POST", urlencode(form).encode(), _FORM | self._headers
        for attempt in range(1, self._pace.attempts + 1):
            if self._asked and self._pace.pause_s:
                time.sleep(self._pace.pause_s)
            self._asked = True
            self.requests += 1
            after_s = min(self._pace.back_off_s * 2 ** (attempt - 1), BACK_OFF_MAX_S)
            try:
                answer = self._server.request(method, path, body, headers)
            except AnswerTooLong:
                raise SliceTooLong from None
            except ServerUnreachable as error:
                reason = str(error)
            else:
                if answer.status not in _BUSY:
                    return self._read(answer)
                if _kind(answer) == "timeout":
                    raise SliceTooLong
                after_s = max(after_s, min(answer.retry_after_s, BACK_OFF_MAX_S))
                reason = f"{self._server.name} at {self.url} is busy (status {answer.status})"
            if attempt < self._pace.attempts:
                self._say(f"{reason}: trying again in {after_s:g} s")
                time.sleep(after_s)
        times = f"{self._pace.attempts} times in a row"
        raise HistoryUnavailable(f"{reason}, {times}: try again later")

    def _read(self, answer: ForeignAnswer) -> Any:
        """Return `data` of an answer; raise for one that is none."""
        if answer.status == http.client.OK:
            try:
                return json.loads(answer.body)["data"]
            except (ValueError, TypeError, KeyError):
                raise self._odd("it does not answer as a Prometheus does") from None
        words = _words(answer)
        if answer.status == http.client.BAD_REQUEST and words:
            raise RefusedQueryError(words)
        if answer.status == http.client.UNPROCESSABLE_ENTITY and words:
            raise QueryError(words)
        said = words or answer.body.decode(errors="replace").strip()[:ANSWER_CHARS_MAX]
        way_out = _REASONS.get(answer.status, said or "check the URL")
        raise self._odd(f"status {answer.status}: {way_out}")

    def _odd(self, reason: str) -> JudgeError:
        return JudgeError(f"{self._server.name} at {self.url} gives no history ({reason})")


def _words(answer: ForeignAnswer) -> str:
    """Return the error that the API gives, nothing where this is no answer of the API."""
    return _field(answer, "error")[:ANSWER_CHARS_MAX]


def _kind(answer: ForeignAnswer) -> str:
    return _field(answer, "errorType")


def _field(answer: ForeignAnswer, name: str) -> str:
    try:
        return str(json.loads(answer.body)[name])
    except (ValueError, TypeError, KeyError):
        return ""
