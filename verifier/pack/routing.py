"""An Alertmanager configuration: who is told of which alert, and how long that is held back.

Read before a live run. The route tree, its grouping and its inhibitions stay as they are; every
receiver is replaced by a webhook of our own and every interval is divided by the compression. No
secret, template or address of the file is used.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from documents.yaml_reader import load
from verifier.pack.routing_reader import DEFAULTS_S, TIMES, is_true, read_routes
from verifier.pack.rules import parse_duration_s

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from verifier.errors import Finding
    from verifier.pack.routes import Route

RESOLVE_TIMEOUT: Final = "5m"
"""Alertmanager's own, for alerts that do not say when they end."""


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
        timeout = (self._data.get("global") or {}).get("resolve_timeout") or RESOLVE_TIMEOUT
        config: dict[str, Any] = {"global": {"resolve_timeout": _scaled(timeout, factor)}}
        root = _scaled_route(self._data["route"], factor)
        defaults = {key: _scaled(f"{value_s:g}s", factor) for key, value_s in DEFAULTS_S.items()}
        config["route"] = {**defaults, **root}
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
    document = load(path)
    routes = read_routes(document)
    assert isinstance(document.data, dict)  # noqa: S101 - or it would have been refused
    return Routing(*routes, document.data)


def _webhook(receiver_url: str, name: str) -> dict[str, Any]:
    return {"url": f"{receiver_url}/{quote(name, safe='')}", "send_resolved": True}


def _scaled_route(raw: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """Return a route and all below it at another tempo, without the times of day."""
    route = {key: raw[key] for key in raw if key not in TIMES and raw[key] is not None}
    for key in DEFAULTS_S.keys() & route:
        route[key] = _scaled(route[key], factor)
    if "continue" in route:
        route["continue"] = is_true(route["continue"])
    if "routes" in route:
        route["routes"] = [_scaled_route(child, factor) for child in route["routes"]]
    return route


def _scaled(duration: object, factor: float) -> str:
    """Write a duration divided by `factor`; what was not zero stays so."""
    return f"{math.ceil(round(parse_duration_s(str(duration)) * 1000 / factor, 6))}ms"
