"""An Alertmanager configuration: who is notified of which alert, and how long that is held back.

Read before a run in real time. The route tree, its grouping, its inhibitions and its time intervals
stay as they are; every receiver is replaced by a webhook of our own and every interval is divided
by the time compression. No secret, template or address of the file is used.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from documents.mistake_kinds import UnknownKey
from documents.mistakes import gather
from documents.yaml_reader import load
from verifier.errors import Finding
from verifier.pack.durations import parse_duration_s
from verifier.pack.routes.engine_check import ask_alertmanager
from verifier.pack.routes.interval_reader import INTERVAL_KEYS
from verifier.pack.routes.reader import DEFAULTS_S, is_true, read_config
from verifier.pack.routes.route_findings import all_routes, quoted, route_findings, unmet_routes
from verifier.pack.routes.zone_files import write_zones, zone_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from documents.document import Document, Value
    from documents.mistakes import Mistake, Place
    from verifier.pack.routes.reader import ConfigReading, RoutedReceiver
    from verifier.pack.routes.route import Route
    from verifier.pack.routes.time_intervals import TimeInterval
    from verifier.pack.routes.zone_files import DateClock
    from verifier.pack.rules import RuleFiles

RESOLVE_TIMEOUT: Final = "5m"
"""Alertmanager's own, for alerts that do not say when they end."""


@dataclass(frozen=True, slots=True)
class Routing:
    """A configuration that was read; `receivers` are those with an integration, in file order.

    `unsent_ends` says, for each receiver that is not told of the end of an alert, why. `_data` is
    the file as it was read, all scalars as written.
    """

    receivers: tuple[str, ...]
    root: Route
    findings: tuple[Finding, ...]
    intervals: Mapping[str, TimeInterval]
    unsent_ends: Mapping[str, str]
    _data: Mapping[str, Value] = field(repr=False)

    @property
    def locations(self) -> tuple[str, ...]:
        """The time zones that the time intervals name, UTC as an empty text."""
        parts = (part for interval in self.intervals.values() for part in interval.parts)
        return tuple(dict.fromkeys(part.location for part in parts))

    @property
    def timed_routes(self) -> tuple[Place, ...]:
        """Where the routes stand that are muted, or active, in time intervals."""
        routes = all_routes(self.root)
        return tuple(
            route.place for route in routes if (route.muted_in or route.active_in) and route.place
        )

    def receivers_of(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return who is notified of an alert with these labels, unless it is inhibited or silenced.

        Each once, in the order of the routes; receivers without any integration notify nobody.
        Time intervals are left out: see `muting`.
        """
        names = dict.fromkeys(route.receiver for route in self.root.matching(labels))
        return tuple(name for name in names if name in self.receivers)

    def muting(self, labels: Mapping[str, str], receiver: str, date_s: float) -> str | None:
        """Return by what a receiver is muted for such an alert on a date, None when it is not.

        `date_s` is Unix seconds of the scenario's date: `muted by time interval 'nights'`.
        """
        reasons = [
            self._route_muting(route, date_s)
            for route in self.root.matching(labels)
            if route.receiver == receiver
        ]
        return None if None in reasons else next(iter(reasons), None)

    def group_wait_s(self, labels: Mapping[str, str]) -> float:
        """Return how long the first notification of a group is held back, at most; seconds."""
        return max(route.group_wait_s for route in self.root.matching(labels))

    def hold_s(self, labels: Mapping[str, str]) -> float:
        """Return how long any change of an alert may be held back on its way out; seconds.

        The first of a group waits for `group_wait`, what follows for the next `group_interval`.
        """
        routes = self.root.matching(labels)
        return max(max(route.group_wait_s, route.group_interval_s) for route in routes)

    def for_rules(self, rules: RuleFiles) -> Routing:
        """Return it with a finding for each route that no alert of `rules` can reach."""
        return replace(self, findings=(*self.findings, *unmet_routes(self.root, rules)))

    def write_zones(self, folder: Path, clock: DateClock) -> None:
        """Write the time zones that `config` names below `folder`; raises OSError."""
        write_zones(folder, tuple(self.intervals.values()), clock, self.locations)

    def config(self, receiver_url: str, factor: float) -> str:
        """Return the configuration to run: webhooks below `receiver_url`, time divided by `factor`.

        JSON, which is YAML too. Intervals are rounded up to milliseconds. Its time intervals are in
        zones that `write_zones` has written.
        """
        timeout = _mapping(self._data.get("global")).get("resolve_timeout") or RESOLVE_TIMEOUT
        root = _scaled_route(_mapping(self._data["route"]), factor)
        defaults = {key: _scaled(f"{value_s:g}s", factor) for key, value_s in DEFAULTS_S.items()}
        config: dict[str, object] = {
            "global": {"resolve_timeout": _scaled(timeout, factor)},
            "route": {**defaults, **root},
        }
        if self._data.get("inhibit_rules"):
            config["inhibit_rules"] = self._data["inhibit_rules"]
        for key in INTERVAL_KEYS:
            if self._data.get(key):
                config[key] = [self._in_our_zone(each) for each in _mappings(self._data[key])]
        config["receivers"] = [
            self._webhook_receiver(str(receiver["name"]), receiver_url)
            for receiver in _mappings(self._data["receivers"])
        ]
        return json.dumps(config, indent=2, ensure_ascii=False) + "\n"

    def _route_muting(self, route: Route, date_s: float) -> str | None:
        inside = [name for name in route.active_in if self.intervals[name].contains(date_s)]
        if route.active_in and not inside:
            return f"outside its active {quoted(route.active_in)}"
        muting = [name for name in route.muted_in if self.intervals[name].contains(date_s)]
        return f"muted by {quoted(muting)}" if muting else None

    def _in_our_zone(self, interval: Mapping[str, Value]) -> dict[str, object]:
        raw = interval.get("time_intervals")
        # An entry that is left empty holds always, to Alertmanager.
        parts = [_mapping(part) for part in raw] if isinstance(raw, list) else []
        return {
            **interval,
            "time_intervals": [
                {**part, "location": self._our_zone(str(part.get("location") or ""))}
                for part in parts
            ],
        }

    def _our_zone(self, location: str) -> str:
        """Return the zone for a location; one that is not known here is as if left out."""
        return zone_name(location if location in self.locations else "", self.locations)

    def _webhook_receiver(self, name: str, receiver_url: str) -> dict[str, object]:
        if name not in self.receivers:
            return {"name": name}
        # One for all integrations of a receiver: what is judged is whether it was notified at all.
        webhook: dict[str, str | bool] = {
            "url": f"{receiver_url}/{quote(name, safe='')}",
            "send_resolved": name not in self.unsent_ends,
        }
        return {"name": name, "webhook_configs": [webhook]}


def load_routing(path: str | Path) -> Routing:
    """Read an alertmanager.yml; raise one `InputError` with everything that is wrong with it.

    What Alertmanager itself takes is not refused: what is not understood of it is a finding.
    Without an Alertmanager our own reader decides. Raises JudgeError when Alertmanager does not
    run.
    """
    document = load(path, scalars="text")
    opinion, reading = ask_alertmanager(path), read_config(document)
    if opinion.words or (reading.mistakes and not opinion.is_taken):
        against = [_placed(mistake, reading) for mistake in opinion.mistakes(str(path))]
        raise gather([*reading.mistakes, *against])
    notifying = [receiver for receiver in reading.receivers if receiver.integrations]
    return Routing(
        receivers=tuple(receiver.name for receiver in notifying),
        root=reading.root,
        findings=(*_not_understood(document, reading.mistakes), *route_findings(reading)),
        intervals=reading.intervals,
        unsent_ends={each.name: _why_unsent(each) for each in notifying if not each.sends_resolved},
        _data=_mapping(document.data),
    )


def _placed(mistake: Mistake, reading: ConfigReading) -> Mistake:
    """Return what Alertmanager has against a file with a place, where its words name none.

    That of the integration that it speaks of, else of the first mistake that we see ourselves.
    """
    if mistake.place is not None and mistake.place.line is not None:
        return mistake
    words = mistake.sentence.lower().replace("smtp", "email")
    places = [
        integration.place
        for receiver in reading.receivers
        for integration in receiver.integrations
        if integration.kind.removesuffix("_configs") in words
    ]
    places += [own.place for own in reading.mistakes if own.place is not None]
    return replace(mistake, place=places[0]) if places else mistake


def _not_understood(document: Document, mistakes: tuple[Mistake, ...]) -> Iterator[Finding]:
    """Yield a finding for what Alertmanager takes and our reader does not; its keys are its own."""
    for mistake in mistakes:
        if not isinstance(mistake.problem, UnknownKey):
            place = mistake.place or document.place(())
            yield Finding(
                place, f"Alertmanager takes it, it is not understood here: {mistake.sentence}"
            )


def _why_unsent(receiver: RoutedReceiver) -> str:
    kinds = dict.fromkeys(integration.kind for integration in receiver.integrations)
    default = all(integration.is_default for integration in receiver.integrations)
    return f"send_resolved of its {' and '.join(kinds)} is false{' by default' if default else ''}"


def _scaled_route(raw: Mapping[str, Value], factor: float) -> dict[str, object]:
    """Return a route and all below it with its times divided by `factor`."""
    route: dict[str, object] = {key: value for key, value in raw.items() if value is not None}
    for key in DEFAULTS_S.keys() & route:
        route[key] = _scaled(raw[key], factor)
    if "continue" in route:
        route["continue"] = is_true(raw["continue"])
    if "routes" in route:
        route["routes"] = [_scaled_route(child, factor) for child in _mappings(raw["routes"])]
    return route


def _scaled(duration: Value, factor: float) -> str:
    """Write a duration divided by `factor`; what was not zero stays so."""
    return f"{math.ceil(round(parse_duration_s(str(duration)) * 1000 / factor, 6))}ms"


def _mapping(raw: Value) -> dict[str, Value]:
    return raw if isinstance(raw, dict) else {}


def _mappings(raw: Value) -> list[dict[str, Value]]:
    return [child for child in raw if isinstance(child, dict)] if isinstance(raw, list) else []
