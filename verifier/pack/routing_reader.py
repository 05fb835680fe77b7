"""Reads an alertmanager.yml into its routes, refusing what Alertmanager would refuse.

Every mistake is an `InputError` with its place; what can be run though not quite as written is a
`Finding`. The settings of integrations are looked at no further than whether there are any.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from documents.mistakes import gather
from documents.problems import UnknownKey
from documents.sentences import did_you_mean
from documents.walker import Walker
from verifier.errors import Finding
from verifier.pack.routes import Matcher, Route, parse_matchers
from verifier.pack.rules import parse_duration_s

if TYPE_CHECKING:
    from documents.document import Document, Step

DEFAULTS_S: Final = {"group_wait": 30.0, "group_interval": 300.0, "repeat_interval": 14400.0}
"""Alertmanager's own, for a root route that names none."""

TIMES: Final = ("mute_time_intervals", "active_time_intervals")
_TOP_KEYS: Final = (
    "global", "route", "receivers", "inhibit_rules", "templates", "mute_time_intervals",
    "time_intervals", "tracing",
)  # fmt: skip
_ROUTE_KEYS: Final = (
    "receiver", "group_by", "matchers", "match", "match_re", "continue", "routes",
    *DEFAULTS_S, *TIMES,
)  # fmt: skip
_INHIBIT_KEYS: Final = (
    "source_match", "source_match_re", "source_matchers", "target_match", "target_match_re",
    "target_matchers", "equal", "name",
)  # fmt: skip
_UNSENT: Final = ("email_configs", "slack_configs", "wechat_configs", "rocketchat_configs")
"""Integrations that, unless told otherwise, say nothing when an alert is resolved."""

_TRUE: Final = ("true", "yes", "on", "y")
_FALSE: Final = ("false", "no", "off", "n")
_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def read_routes(document: Document) -> tuple[tuple[str, ...], Route, tuple[Finding, ...]]:
    """Return the receivers that tell somebody, the root route and what is to be said of the file.

    Raises one InputError telling every mistake found.
    """
    reader = _RoutingReader(document)
    routes = reader.routes()
    if reader.mistakes:
        raise gather(reader.mistakes)
    return routes


def is_true(raw: object) -> bool:
    """Return whether a value that stands for yes or no, as YAML 1.1 has them, stands for yes."""
    return str(raw).lower() in _TRUE


class _RoutingReader(Walker):
    """One walk over an alertmanager.yml."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.findings: list[Finding] = []
        self.names: list[str] = []
        self.intervals: set[str] = set()

    def routes(self) -> tuple[tuple[str, ...], Route, tuple[Finding, ...]]:
        top = self.mapping(self.document.data, (), _TOP_KEYS)
        self.resolve_timeout(top)
        receivers = self.receivers(top)
        self.interval_names(top)
        for index, raw in enumerate(self.sequence(top.get("inhibit_rules"), ("inhibit_rules",))):
            self.inhibition(raw, ("inhibit_rules", index))
        if top.get("route") is None:
            self.reject("route must be given: it says who is told", ("route",))
        root = self.route(top.get("route"), ("route",), None)
        return receivers, root, tuple(self.findings)

    def resolve_timeout(self, top: dict[str, Any]) -> None:
        steps = ("global", "resolve_timeout")
        self.duration(self.mapping(top.get("global"), ("global",), None).get(steps[1]), steps)

    def receivers(self, top: dict[str, Any]) -> tuple[str, ...]:
        """Return the names of the receivers that tell somebody."""
        telling = []
        for index, raw in enumerate(self.sequence(top.get("receivers"), ("receivers",))):
            steps = ("receivers", index)
            receiver = self.mapping(raw, steps, None)
            name = self.text(receiver, (*steps, "name"))
            if name in self.names:
                self.reject(f"receiver {name!r} is defined twice", (*steps, "name"))
            self.names.append(name)
            if self.integrations(receiver, steps):
                telling.append(name)
            else:
                self.note(f"receiver {name!r} has no integration: it tells nobody", steps)
        return tuple(telling)

    def integrations(self, receiver: dict[str, Any], steps: tuple[Step, ...]) -> int:
        """Return how many ways of telling a receiver has; note those that tell of starts alone."""
        count = 0
        for key, raw in receiver.items():
            if key == "name":
                continue
            if not key.endswith("_configs"):
                known = ("name", "webhook_configs")
                self.reject(UnknownKey(key, known), (*steps, key), at_key=True)
                continue
            for index, entry in enumerate(self.sequence(raw, (*steps, key))):
                count += 1
                settings = self.mapping(entry, (*steps, key, index), None)
                if not is_true(settings.get("send_resolved", key not in _UNSENT)):
                    message = (
                        f"{key} does not send resolved notifications here (send_resolved);"
                        " judged as if it did"
                    )
                    self.note(message, (*steps, key, index))
        return count

    def interval_names(self, top: dict[str, Any]) -> None:
        for key in ("mute_time_intervals", "time_intervals"):
            for index, raw in enumerate(self.sequence(top.get(key), (key,))):
                steps = (key, index, "name")
                name = self.text(self.mapping(raw, (key, index), None), steps)
                if name in self.intervals:
                    self.reject(f"time interval {name!r} is defined twice", steps)
                self.intervals.add(name)

    def inhibition(self, raw: Any, steps: tuple[Step, ...]) -> None:
        rule = self.mapping(raw, steps, _INHIBIT_KEYS)
        for side in ("source", "target"):
            self.matchers(rule, steps, f"{side}_")
        for index, name in enumerate(self.sequence(rule.get("equal"), (*steps, "equal"))):
            self.label_name(name, (*steps, "equal", index))

    def route(self, raw: Any, steps: tuple[Step, ...], parent: Route | None) -> Route:
        keys = self.mapping(raw, steps, _ROUTE_KEYS)
        if raw is None and parent:
            self.reject("a route must be a mapping, got nothing", steps)
        matchers = self.matchers(keys, steps, "")
        self.grouping(keys, steps)
        self.time_intervals(keys, steps)
        self.positive(keys, (*steps, "repeat_interval"), DEFAULTS_S["repeat_interval"])
        wait_s = parent.group_wait_s if parent else DEFAULTS_S["group_wait"]
        interval_s = parent.group_interval_s if parent else DEFAULTS_S["group_interval"]
        route = Route(
            receiver=self.receiver(keys, steps, parent),
            matchers=matchers,
            goes_on=self.truth(keys, (*steps, "continue")),
            group_wait_s=self.duration(keys.get("group_wait"), (*steps, "group_wait"), wait_s),
            group_interval_s=self.positive(keys, (*steps, "group_interval"), interval_s),
            routes=(),
        )
        if parent is None and (matchers or route.goes_on or any(keys.get(key) for key in TIMES)):
            message = "the root route takes every alert: no matchers, continue or time intervals"
            self.reject(message, steps)
        below = self.sequence(keys.get("routes"), (*steps, "routes"))
        routes = [self.route(one, (*steps, "routes", i), route) for i, one in enumerate(below)]
        return replace(route, routes=tuple(routes))

    def receiver(self, keys: dict[str, Any], steps: tuple[Step, ...], parent: Route | None) -> str:
        if parent and not keys.get("receiver"):
            return parent.receiver
        name = self.text(keys, (*steps, "receiver"))
        if name and name not in self.names:
            hint = did_you_mean(name, self.names)
            self.reject(f"receiver {name!r} is not defined{hint}", (*steps, "receiver"))
        return name

    def grouping(self, keys: dict[str, Any], steps: tuple[Step, ...]) -> None:
        names = self.sequence(keys.get("group_by"), (*steps, "group_by"))
        if names == ["..."]:
            return
        for index, name in enumerate(names):
            if name == "...":
                message = "'...' is every label, it must stand alone"
                self.reject(message, (*steps, "group_by", index))
            else:
                self.label_name(name, (*steps, "group_by", index))
            if name in names[:index]:
                self.reject(f"label {name!r} is named twice", (*steps, "group_by", index))

    def time_intervals(self, keys: dict[str, Any], steps: tuple[Step, ...]) -> None:
        for key in TIMES:
            for index, name in enumerate(self.sequence(keys.get(key), (*steps, key))):
                if name not in self.intervals:
                    hint = did_you_mean(str(name), self.intervals)
                    message = f"time interval {name!r} is not defined{hint}"
                    self.reject(message, (*steps, key, index))
            if keys.get(key):
                self.note(f"{key} is left out: a run is judged at any time of day", (*steps, key))

    def matchers(
        self, keys: dict[str, Any], steps: tuple[Step, ...], prefix: str
    ) -> tuple[Matcher, ...]:
        found: list[Matcher] = []
        for key, operator in ((f"{prefix}match", "="), (f"{prefix}match_re", "=~")):
            pairs = self.mapping(keys.get(key), (*steps, key), None)
            for name in pairs:
                self.label_name(name, (*steps, key, name))
                value = self.text(pairs, (*steps, key, name), empty=True)
                try:
                    found.append(Matcher(name, operator, value))
                except ValueError as error:
                    self.reject(str(error), (*steps, key, name))
        key = f"{prefix}matchers"
        for index, text in enumerate(self.sequence(keys.get(key), (*steps, key))):
            try:
                found += parse_matchers(str(text))
            except ValueError as error:
                self.reject(str(error), (*steps, key, index))
        return tuple(found)

    def label_name(self, name: object, steps: tuple[Step, ...]) -> None:
        if not _LABEL_NAME.fullmatch(str(name)):
            self.reject(f"label name must be letters, digits, _, got {name!r}", steps)

    def positive(self, keys: dict[str, Any], steps: tuple[Step, ...], inherited_s: float) -> float:
        found_s = self.duration(keys.get(str(steps[-1])), steps, inherited_s)
        if found_s == 0:
            self.reject(f"{steps[-1]} must be longer than 0s", steps)
        return found_s

    def duration(self, raw: Any, steps: tuple[Step, ...], default_s: float = 0.0) -> float:
        if raw is not None:
            try:
                return parse_duration_s(str(raw))
            except ValueError as error:
                self.reject(str(error), steps)
        return default_s

    def truth(self, keys: dict[str, Any], steps: tuple[Step, ...]) -> bool:
        raw = keys.get(str(steps[-1]))
        if raw is not None and str(raw).lower() not in _TRUE + _FALSE:
            self.reject(f"{steps[-1]} must be true or false, got {raw!r}", steps)
        return is_true(raw)

    def text(self, keys: dict[str, Any], steps: tuple[Step, ...], *, empty: bool = False) -> str:
        value = keys.get(str(steps[-1]))
        if isinstance(value, str) and (value or empty):
            return value
        self.reject(f"{steps[-1]} must be given, a text in quotes, got {value!r:.40}", steps)
        return ""

    def note(self, message: str, steps: tuple[Step, ...]) -> None:
        self.findings.append(Finding(self.place(steps), message))
