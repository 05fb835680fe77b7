"""An Alertmanager configuration: who is notified of which alert, and how long that is held back.

Read before a run in real time. The route tree, its grouping and its inhibitions stay as they are;
every receiver is replaced by a webhook of our own and every interval is divided by the time
compression. No secret, template or address of the file is used.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from documents.yaml_reader import load
from verifier.pack.durations import parse_duration_s
from verifier.pack.routing_reader import DEFAULTS_S, TIMES, is_true, read_routes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from documents.document import Value
    from verifier.errors import Finding
    from verifier.pack.routes import Route

RESOLVE_TIMEOUT: Final = "5m"
"""Alertmanager's own, for alerts that do not say when they end."""


@dataclass(frozen=True, slots=True)
class Routing:
    """A configuration that was read; `receivers` are those with an integration, in file order.

    `_data` is the file as it was read; the reader has checked its shape.
    """

    receivers: tuple[str, ...]
    root: Route
    findings: tuple[Finding, ...]
    _data: Mapping[str, Value]

    def receivers_of(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return who is notified of an alert with these labels, unless it is inhibited or silenced.

        Each once, in the order of the routes; receivers without any integration notify nobody.
        """
        names = dict.fromkeys(route.receiver for route in self.root.matching(labels))
        return tuple(name for name in names if name in self.receivers)

    def group_wait_s(self, labels: Mapping[str, str]) -> float:
        """Return how long the first notification of a group is held back, at most; seconds."""
        return max(route.group_wait_s for route in self.root.matching(labels))

    def hold_s(self, labels: Mapping[str, str]) -> float:
        """Return how long any change of an alert may be held back on its way out; seconds.

        The first of a group waits for `group_wait`, what follows for the next `group_interval`.
        """
        routes = self.root.matching(labels)
        return max(max(route.group_wait_s, route.group_interval_s) for route in routes)

    def config(self, receiver_url: str, factor: float) -> str:
        """Return the configuration to run: webhooks below `receiver_url`, time divided by `factor`.

        JSON, which is YAML too. Intervals are rounded up to milliseconds.
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
        config["receivers"] = [
            {"name": name, "webhook_configs": [_webhook(receiver_url, name)]}
            if name in self.receivers
            else {"name": name}
            for name in (str(receiver["name"]) for receiver in _mappings(self._data["receivers"]))
        ]
        return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def load_routing(path: str | Path) -> Routing:
    """Read an alertmanager.yml; raise one `InputError` with every mistake in it."""
    document = load(path)
    receivers, root, findings = read_routes(document)
    return Routing(receivers, root, findings, _mapping(document.data))


def _webhook(receiver_url: str, name: str) -> dict[str, str | bool]:
    return {"url": f"{receiver_url}/{quote(name, safe='')}", "send_resolved": True}


def _scaled_route(raw: Mapping[str, Value], factor: float) -> dict[str, object]:
    """Return a route and all below it with its times divided by `factor`, without times of day."""
    route: dict[str, object] = {
        key: value for key, value in raw.items() if key not in TIMES and value is not None
    }
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
