"""Reads an alertmanager.yml into its routes, receivers and time intervals.

Scalars are read as written, as Alertmanager takes them. What is wrong is noted as a mistake with
its place; whether the file is wrong, Alertmanager says (`verifier.pack.routes.engine_check`). Of an
integration's settings only `send_resolved` is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule, MissingKey, RepeatedName, UnknownKey, UnknownName
from verifier.pack.routes.interval_reader import read_intervals
from verifier.pack.routes.matchers import Matcher, parse_matchers
from verifier.pack.routes.route import Route
from verifier.pack.walker import PackWalker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from documents.document import Document, Steps, Value
    from documents.mistakes import Mistake, Place
    from verifier.pack.routes.time_intervals import TimeInterval

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
"""Integrations that, unless they say otherwise, do not send that an alert has resolved."""

_TRUE: Final = ("true", "yes", "on", "y")
_FALSE: Final = ("false", "no", "off", "n")
"""Words of YAML 1.1, which Alertmanager reads."""


@dataclass(frozen=True, slots=True)
class Integration:
    """One way in which a receiver is notified, `slack_configs`, and whether of the end as well."""

    kind: str
    sends_resolved: bool
    is_default: bool
    place: Place


@dataclass(frozen=True, slots=True)
class RoutedReceiver:
    """A receiver of a configuration; without integrations it notifies nobody."""

    name: str
    integrations: tuple[Integration, ...]
    place: Place

    @property
    def sends_resolved(self) -> bool:
        """Whether any integration sends that an alert has resolved."""
        return any(integration.sends_resolved for integration in self.integrations)


@dataclass(frozen=True, slots=True)
class ConfigReading:
    """What was read of a file, as far as it could be understood, and what could not."""

    receivers: tuple[RoutedReceiver, ...]
    root: Route
    intervals: Mapping[str, TimeInterval]
    mistakes: tuple[Mistake, ...]


def read_config(document: Document) -> ConfigReading:
    """Read a document whose scalars are as written."""
    reader = _RoutingReader(document)
    receivers, root = reader.config()
    return ConfigReading(receivers, root, reader.intervals, tuple(reader.mistakes))


def is_true(raw: Value) -> bool:
    """Return whether a value that stands for yes or no, as YAML 1.1 has them, stands for yes."""
    return str(raw).lower() in _TRUE


class _RoutingReader(PackWalker):
    """One walk over an alertmanager.yml."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.names: list[str] = []
        self.intervals: dict[str, TimeInterval] = {}

    def config(self) -> tuple[tuple[RoutedReceiver, ...], Route]:
        top = self.mapping(self.document.data, (), _TOP_KEYS)
        global_keys = self.mapping(top.get("global"), ("global",))
        self.duration(global_keys.get("resolve_timeout"), ("global", "resolve_timeout"))
        receivers = tuple(
            self.routed_receiver(raw, ("receivers", index))
            for index, raw in enumerate(self.sequence(top.get("receivers"), ("receivers",)))
        )
        self.intervals = read_intervals(self, top)
        for index, raw in enumerate(self.sequence(top.get("inhibit_rules"), ("inhibit_rules",))):
            self.inhibition(raw, ("inhibit_rules", index))
        if top.get("route") is None:
            self.reject(MissingKey("route", hint=": it says who is notified"), ("route",))
        return receivers, self.route(top.get("route"), ("route",), None)

    def routed_receiver(self, raw: Value, steps: Steps) -> RoutedReceiver:
        receiver = self.mapping(raw, steps)
        name = self.text(receiver, "name", steps)
        if name in self.names:
            self.reject(RepeatedName("receiver", name), (*steps, "name"))
        self.names.append(name)
        return RoutedReceiver(name, tuple(self.integrations(receiver, steps)), self.place(steps))

    def integrations(self, receiver: dict[str, Value], steps: Steps) -> list[Integration]:
        integrations = []
        for key, raw in receiver.items():
            if key == "name":
                continue
            if not key.endswith("_configs"):
                known = ("name", "webhook_configs")
                self.reject(UnknownKey(key, known), (*steps, key), at_key=True)
                continue
            for index, entry in enumerate(self.sequence(raw, (*steps, key))):
                where = (*steps, key, index)
                said = self.mapping(entry, where).get("send_resolved")
                sends = key not in _UNSENT if said is None else is_true(said)
                integrations.append(Integration(key, sends, said is None, self.place(where)))
        return integrations

    def inhibition(self, raw: Value, steps: Steps) -> None:
        rule = self.mapping(raw, steps, _INHIBIT_KEYS)
        for side in ("source", "target"):
            self.matchers(rule, steps, f"{side}_")
        self.sequence(rule.get("equal"), (*steps, "equal"))

    def route(self, raw: Value, steps: Steps, parent: Route | None) -> Route:
        keys = self.mapping(raw, steps, _ROUTE_KEYS)
        if raw is None and parent:
            self.reject(BrokenRule("a route", "be a mapping", None), steps)
        matchers = self.matchers(keys, steps, "")
        self.grouping(keys, steps)
        self.positive(keys, "repeat_interval", steps, DEFAULTS_S["repeat_interval"])
        wait_s = parent.group_wait_s if parent else DEFAULTS_S["group_wait"]
        interval_s = parent.group_interval_s if parent else DEFAULTS_S["group_interval"]
        route = Route(
            receiver=self.receiver(keys, steps, parent),
            matchers=matchers,
            continues=self.truth(keys, "continue", steps),
            group_wait_s=self.duration(keys.get("group_wait"), (*steps, "group_wait"), wait_s),
            group_interval_s=self.positive(keys, "group_interval", steps, interval_s),
            routes=(),
            muted_in=self.interval_names(keys, TIMES[0], steps),
            active_in=self.interval_names(keys, TIMES[1], steps),
            place=self.place(steps),
        )
        if parent is None and (matchers or route.continues or any(keys.get(key) for key in TIMES)):
            rule = "take every alert: no matchers, no continue, no time intervals"
            self.reject(BrokenRule("the root route", rule), steps)
        below = self.sequence(keys.get("routes"), (*steps, "routes"))
        routes = [self.route(child, (*steps, "routes", i), route) for i, child in enumerate(below)]
        return replace(route, routes=tuple(routes))

    def receiver(self, keys: dict[str, Value], steps: Steps, parent: Route | None) -> str:
        if parent and not keys.get("receiver"):
            return parent.receiver
        name = self.text(keys, "receiver", steps)
        if name and name not in self.names:
            self.reject(UnknownName("receiver", name, _known(self.names)), (*steps, "receiver"))
        return name

    def grouping(self, keys: dict[str, Value], steps: Steps) -> None:
        names = self.sequence(keys.get("group_by"), (*steps, "group_by"))
        if names == ["..."]:
            return
        for index, name in enumerate(names):
            where = (*steps, "group_by", index)
            if name == "...":
                self.reject(BrokenRule("'...', which is every label,", "be alone"), where)
            if name in names[:index]:
                self.reject(RepeatedName("label", str(name)), where)

    def interval_names(self, keys: dict[str, Value], key: str, steps: Steps) -> tuple[str, ...]:
        names = []
        for index, name in enumerate(self.sequence(keys.get(key), (*steps, key))):
            if isinstance(name, str) and name in self.intervals:
                names.append(name)
            else:
                problem = UnknownName("time interval", str(name), _known(list(self.intervals)))
                self.reject(problem, (*steps, key, index))
        return tuple(names)

    def matchers(self, keys: dict[str, Value], steps: Steps, prefix: str) -> tuple[Matcher, ...]:
        """Return the matchers of all three forms, of which newer files have the last alone."""
        matchers: list[Matcher] = []
        for key, operator in ((f"{prefix}match", "="), (f"{prefix}match_re", "=~")):
            matchers += self.label_matchers(keys.get(key), operator, (*steps, key))
        key = f"{prefix}matchers"
        for index, raw in enumerate(self.sequence(keys.get(key), (*steps, key))):
            text = "" if raw is None else str(raw)
            matchers += self.attempt(partial(parse_matchers, text), (*steps, key, index)) or ()
        return tuple(matchers)

    def label_matchers(self, raw: Value, operator: str, steps: Steps) -> Sequence[Matcher]:
        """Return the matchers of a mapping from label to value."""
        matchers = []
        values = self.mapping(raw, steps)
        for name in values:
            where = (*steps, name)
            # A value that is left out is an empty text to Alertmanager.
            value = "" if values[name] is None else self.text(values, name, steps, empty=True)
            matcher = self.attempt(partial(Matcher, name, operator, value), where)
            if matcher is not None:
                matchers.append(matcher)
        return matchers

    def positive(self, keys: dict[str, Value], key: str, steps: Steps, inherited_s: float) -> float:
        duration_s = self.duration(keys.get(key), (*steps, key), inherited_s)
        if duration_s == 0:
            self.reject(BrokenRule(key, "be above 0s"), (*steps, key))
        return duration_s

    def truth(self, keys: dict[str, Value], key: str, steps: Steps) -> bool:
        raw = keys.get(key)
        if raw is not None and str(raw).lower() not in _TRUE + _FALSE:
            self.reject(BrokenRule(key, "be true or false", raw), (*steps, key))
        return is_true(raw)


def _known(names: list[str]) -> tuple[str, ...]:
    """Return the names that can be offered: each once, none that was a mistake itself."""
    return tuple(dict.fromkeys(name for name in names if name))
