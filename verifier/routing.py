"""Reads an Alertmanager configuration: who is told of which alert, and how long that is held back.

Called before a live run. The route tree, its grouping and its inhibitions stay as they are; every
receiver is replaced by a webhook of our own and every interval is divided by the compression. No
secret, template or address of the file is used.
"""

from __future__ import annotations

import copy
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from scenarios.errors import did_you_mean, gather
from scenarios.yaml import load
from verifier.errors import Finding
from verifier.matchers import Matcher, parse_matchers
from verifier.reading import Reader
from verifier.rules import parse_duration_s

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scenarios.yaml import Document, Step

DEFAULTS_S: Final = {"group_wait": 30.0, "group_interval": 300.0, "repeat_interval": 14400.0}
"""Alertmanager's own, for a root route that names none."""

RESOLVE_TIMEOUT_S: Final = 300.0

_TIMES: Final = ("mute_time_intervals", "active_time_intervals")
_TOP_KEYS: Final = (
    "global", "route", "receivers", "inhibit_rules", "templates", "mute_time_intervals",
    "time_intervals", "tracing",
)  # fmt: skip
_ROUTE_KEYS: Final = (
    "receiver", "group_by", "matchers", "match", "match_re", "continue", "routes",
    *DEFAULTS_S, *_TIMES,
)  # fmt: skip
_INHIBIT_KEYS: Final = (
    "source_match", "source_match_re", "source_matchers", "target_match", "target_match_re",
    "target_matchers", "equal", "name",
)  # fmt: skip
_UNSENT: Final = ("email_configs", "slack_configs", "wechat_configs", "rocketchat_configs")
"""Integrations that, unless told otherwise, say nothing when an alert is resolved."""

_TRUTHS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the route tree; what it did not say itself, it has from its parent. Seconds."""

    receiver: str
    matchers: tuple[Matcher, ...]
    goes_on: bool
    group_wait_s: float
    group_interval_s: float
    routes: tuple[Route, ...]

    def takers(self, labels: Mapping[str, str]) -> Iterator[Route]:
        """Yield the routes that take an alert, as Alertmanager walks its tree."""
        if not all(matcher.takes(labels) for matcher in self.matchers):
            return
        taken = False
        for child in self.routes:
            found = list(child.takers(labels))
            yield from found
            taken = taken or bool(found)
            if found and not child.goes_on:
                return
        if not taken:
            yield self


@dataclass(frozen=True, slots=True)
class Routing:
    """A configuration that was read; `receivers` are those that tell somebody, in file order."""

    receivers: tuple[str, ...]
    root: Route
    findings: tuple[Finding, ...]
    _data: Mapping[str, Any]

    def receivers_of(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return who is told of an alert with these labels, unless it is inhibited or silenced.

        Each once, in the order of the routes; receivers without any integration tell nobody.
        """
        names = dict.fromkeys(route.receiver for route in self.root.takers(labels))
        return tuple(name for name in names if name in self.receivers)

    def group_wait_s(self, labels: Mapping[str, str]) -> float:
        """Return how long the first notification of a group is held back, at most; seconds."""
        return max(route.group_wait_s for route in self.root.takers(labels))

    def hold_s(self, labels: Mapping[str, str]) -> float:
        """Return how long any change of an alert may be held back on its way out; seconds.

        The first of a group waits for `group_wait`, what follows for the next `group_interval`.
        """
        takers = self.root.takers(labels)
        return max(max(route.group_wait_s, route.group_interval_s) for route in takers)

    def config(self, receiver_url: str, factor: float) -> str:
        """Return the configuration to run: webhooks below `receiver_url`, time divided by `factor`.

        JSON, which is YAML too. Intervals are rounded up to milliseconds.
        """
        resolve_s = _resolve_timeout_s(self._data) or RESOLVE_TIMEOUT_S
        config: dict[str, Any] = {"global": {"resolve_timeout": _scaled(resolve_s, factor)}}
        defaults = {key: f"{value_s:g}s" for key, value_s in DEFAULTS_S.items()}
        config["route"] = _scaled_route({**defaults, **self._data["route"]}, factor)
        if self._data.get("inhibit_rules"):
            config["inhibit_rules"] = self._data["inhibit_rules"]
        config["receivers"] = [
            {"name": name, "webhook_configs": [_webhook(receiver_url, name)]}
            if name in self.receivers
            else {"name": name}
            for name in (receiver["name"] for receiver in self._data["receivers"])
        ]
        return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def load_routing(path: str | Path) -> Routing:
    """Read an alertmanager.yml; raise one InputError telling every mistake found in it."""
    reader = _Reader(load(path))
    routing = reader.routing()
    if reader.mistakes or routing is None:
        raise gather(reader.mistakes)
    return routing


def _webhook(receiver_url: str, name: str) -> dict[str, Any]:
    return {"url": f"{receiver_url}/{quote(name, safe='')}", "send_resolved": True}


def _scaled_route(raw: Mapping[str, Any], factor: float) -> dict[str, Any]:
    route = {key: copy.deepcopy(value) for key, value in raw.items() if key not in _TIMES}
    for key in DEFAULTS_S:
        if route.get(key) is not None:
            route[key] = _scaled(parse_duration_s(str(route[key])), factor)
    if "continue" in route:
        route["continue"] = _TRUTHS[str(route["continue"]).lower()]
    if route.get("routes"):
        route["routes"] = [_scaled_route(child, factor) for child in route["routes"]]
    return route


def _scaled(duration_s: float, factor: float) -> str:
    return f"{math.ceil(round(duration_s * 1000 / factor, 6))}ms"


def _resolve_timeout_s(data: Mapping[str, Any]) -> float:
    raw = (data.get("global") or {}).get("resolve_timeout")
    return 0.0 if raw is None else parse_duration_s(str(raw))


class _Reader(Reader):
    """One walk over an alertmanager.yml."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.findings: list[Finding] = []
        self.names: list[str] = []
        self.intervals: set[str] = set()

    def routing(self) -> Routing | None:
        top = self.mapping(self.document.data, (), _TOP_KEYS)
        self.resolve_timeout(top)
        receivers = self.receivers(top)
        self.intervals = set(self.interval_names(top))
        for index, raw in enumerate(self.sequence(top.get("inhibit_rules"), ("inhibit_rules",))):
            self.inhibition(raw, ("inhibit_rules", index))
        if not isinstance(top.get("route"), dict):
            self.mistake("route must be given: who is told when nothing else says so", ("route",))
            return None
        root = self.route(top["route"], ("route",), None)
        return Routing(receivers, root, tuple(self.findings), top)

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
                self.mistake(f"receiver {name!r} is defined twice", (*steps, "name"))
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
                self.unknown(key, steps, ("name", "webhook_configs"))
                continue
            for index, entry in enumerate(self.sequence(raw, (*steps, key))):
                count += 1
                settings = self.mapping(entry, (*steps, key, index), None)
                sends = settings.get("send_resolved", key not in _UNSENT)
                if not _TRUTHS.get(str(sends).lower(), True):
                    message = (
                        f"{key} does not send resolved notifications here (send_resolved);"
                        " judged as if it did"
                    )
                    self.note(message, (*steps, key, index))
        return count

    def interval_names(self, top: dict[str, Any]) -> Iterator[str]:
        for key in ("time_intervals", "mute_time_intervals"):
            for index, raw in enumerate(self.sequence(top.get(key), (key,))):
                interval = self.mapping(raw, (key, index), None)
                yield self.text(interval, (key, index, "name"))

    def inhibition(self, raw: Any, steps: tuple[Step, ...]) -> None:
        rule = self.mapping(raw, steps, _INHIBIT_KEYS)
        for side in ("source", "target"):
            self.matchers(rule, steps, f"{side}_")
        self.label_names(rule, (*steps, "equal"))

    def route(self, raw: Any, steps: tuple[Step, ...], parent: Route | None) -> Route:
        keys = self.mapping(raw, steps, _ROUTE_KEYS)
        receiver = parent.receiver if parent else ""
        if keys.get("receiver") is not None or parent is None:
            receiver = self.text(keys, (*steps, "receiver"))
        if receiver and receiver not in self.names:
            hint = did_you_mean(receiver, self.names)
            self.mistake(f"receiver {receiver!r} is not defined{hint}", (*steps, "receiver"))
        self.label_names(keys, (*steps, "group_by"))
        self.time_intervals(keys, steps)
        matchers = self.matchers(keys, steps, "")
        if parent is None and matchers:
            self.mistake("the root route takes every alert, it must not have matchers", steps)
        waits_s = {
            "group_wait": parent.group_wait_s if parent else DEFAULTS_S["group_wait"],
            "group_interval": parent.group_interval_s if parent else DEFAULTS_S["group_interval"],
            "repeat_interval": DEFAULTS_S["repeat_interval"],
        }
        for key, inherited_s in waits_s.items():
            waits_s[key] = self.duration(keys.get(key), (*steps, key), inherited_s)
            if waits_s[key] == 0 and key != "group_wait":
                self.mistake(f"{key} must be longer than 0s", (*steps, key))
        own = Route(
            receiver=receiver,
            matchers=matchers,
            goes_on=self.truth(keys, (*steps, "continue")),
            group_wait_s=waits_s["group_wait"],
            group_interval_s=waits_s["group_interval"],
            routes=(),
        )
        children = self.sequence(keys.get("routes"), (*steps, "routes"))
        routes = [self.route(one, (*steps, "routes", i), own) for i, one in enumerate(children)]
        return Route(
            receiver, matchers, own.goes_on, own.group_wait_s, own.group_interval_s, tuple(routes)
        )

    def time_intervals(self, keys: dict[str, Any], steps: tuple[Step, ...]) -> None:
        for key in _TIMES:
            for index, name in enumerate(self.sequence(keys.get(key), (*steps, key))):
                if name not in self.intervals:
                    hint = did_you_mean(str(name), self.intervals)
                    message = f"time interval {name!r} is not defined{hint}"
                    self.mistake(message, (*steps, key, index))
            if keys.get(key):
                self.note(f"{key} is left out: a run is judged at any time of day", (*steps, key))

    def matchers(
        self, keys: dict[str, Any], steps: tuple[Step, ...], prefix: str
    ) -> tuple[Matcher, ...]:
        found: list[Matcher] = []
        for key, operator in ((f"{prefix}match", "="), (f"{prefix}match_re", "=~")):
            pairs = self.mapping(keys.get(key), (*steps, key), None)
            for name in pairs:
                value = self.text(pairs, (*steps, key, name), empty=True)
                try:
                    found.append(Matcher(name, operator, value))
                except ValueError as error:
                    self.mistake(str(error), (*steps, key, name))
        key = f"{prefix}matchers"
        for index, text in enumerate(self.sequence(keys.get(key), (*steps, key))):
            try:
                found += parse_matchers(str(text))
            except ValueError as error:
                self.mistake(str(error), (*steps, key, index))
        return tuple(found)

    def label_names(self, keys: dict[str, Any], steps: tuple[Step, ...]) -> None:
        names = self.sequence(keys.get(str(steps[-1])), steps)
        for index, name in enumerate(names):
            every = name == "..." and steps[-1] == "group_by"
            if every and len(names) > 1:
                self.mistake("'...' must stand alone, it is every label", (*steps, index))
            elif not every and not _LABEL_NAME.fullmatch(str(name)):
                message = f"a label name must be letters, digits, _, got {name!r}"
                self.mistake(message, (*steps, index))
            elif name in names[:index]:
                self.mistake(f"label {name!r} is named twice", (*steps, index))

    def truth(self, keys: dict[str, Any], steps: tuple[Step, ...]) -> bool:
        raw = keys.get(str(steps[-1]))
        known = _TRUTHS.get(str(raw).lower()) if raw is not None else False
        if known is None:
            self.mistake(f"{steps[-1]} must be true or false, got {raw!r}", steps)
        return bool(known)

    def text(self, keys: dict[str, Any], steps: tuple[Step, ...], *, empty: bool = False) -> str:
        value = keys.get(str(steps[-1]))
        if isinstance(value, str) and (value or empty):
            return value
        self.mistake(f"{steps[-1]} must be given, a text in quotes, got {value!r:.40}", steps)
        return ""

    def note(self, message: str, steps: tuple[Step, ...]) -> None:
        self.findings.append(Finding(self.position(steps), message))
