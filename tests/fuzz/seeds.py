"""The good documents that are mutated: of the bundled library, the pack, and the tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.yaml_reader import parse, parse_json

if TYPE_CHECKING:
    from documents.document import Value

ROOT: Final = Path(__file__).parents[2]
FILES: Final = {
    "scenario": ("scenarios/library/*.yaml", "tests/field/routing/leak.yaml"),
    "rules": ("observability/alerts/*.yaml", "tests/agentaskit_sim/commands/older/*.yaml"),
    "dashboard": ("observability/dashboards/*.json", "tests/agentaskit_sim/commands/older/*/*"),
    "routing": ("observability/alertmanager/*.yml", "tests/field/routing/*.yml"),
    "policy": ("observability/slo/*.yaml",),
    "overlay": ("observability/overlays/*.yaml",),
}
TOPOLOGY: Final = """\
hosts: 4
startup_mean: 5s
max_retries: 2
tiers:
  micro: {agents: 700, speed: 1.5}
  extra: {agents: 5, takes: [work]}
classes:
  work: {share: 0.85}
  coordination: {share: 0.15}
priorities:
  critical: {queue_limit: 100}
sandboxes:
  A: {slots: 50}
"""
FULL_SCENARIO: Final = """\
name: full
story: Every key at once.
seed: 7
duration: 2h
starts_at: 2026-03-02T09:00
pending: forbidden
topology: {hosts: 4, tiers: {micro: {agents: 700}}}
load:
  rate: 5000
  stages: [{duration: 1m, target: 6000}, {duration: 0s, target: 5000}]
  burst: {factor: 2, every: 10m, last: 10s}
  daily: {amplitude: 0.2, peak: 14h}
history:
  depth: 2d
  incidents:
    - {name: old, fault: task_failure, ago: 1d, duration: 10m, parameters: {share: 0.1}}
faults:
  - {name: drop, fault: traffic_drop, start: 5m, duration: 10m, ramp: 1m, parameters: {share: 0.5}}
  - name: leak
    fault: memory_leak
    start: 20m
    duration: 10m
    targets: {tiers: [micro], hosts: [0], fraction: 0.5}
    parameters: {bytes_per_s: 1048576}
expectations:
  - {alert: A, labels: {severity: warning}, cause: drop, fires_within: 5m, resolves_within: 5m}
  - {alert: B, silent: true}
  - {alert: C, explained: because, receivers: [x]}
"""
INJECTION: Final = (
    '{"fault": "traffic_drop", "name": "mine", "duration": "5m", "ramp": "10s",\n'
    ' "targets": {"tiers": ["micro"], "hosts": [0], "fraction": 0.5},\n'
    ' "parameters": {"share": 0.5}}\n'
)
TRACE: Final = "# arrivals\n0\n0.5\n1.25\n\n2\n3e0\n10\n"


@dataclass(frozen=True, slots=True)
class Seed:
    """A good document: its kind, the ending of its file, its text and what the text holds."""

    kind: str
    suffix: str
    text: str
    value: Value


@cache
def seeds() -> dict[str, tuple[Seed, ...]]:
    """Return the good documents by their kind."""
    read_seeds: dict[str, list[Seed]] = {}
    for kind, patterns in FILES.items():
        for pattern in patterns:
            for path in sorted(ROOT.glob(pattern)):
                text = path.read_text(encoding="utf-8")
                read_seeds.setdefault(kind, []).append(_seed(kind, path.suffix, text))
    read_seeds["scenario"].append(_seed("scenario", ".yaml", FULL_SCENARIO))
    read_seeds["topology"] = [_seed("topology", ".yaml", TOPOLOGY)]
    read_seeds["injection"] = [_seed("injection", ".json", INJECTION)]
    read_seeds["trace"] = [Seed("trace", ".txt", TRACE, None)]
    read_seeds["dashboard"].append(_seed("dashboard", ".json", json.dumps(_BOARD, indent=1)))
    return {kind: tuple(entries) for kind, entries in read_seeds.items()}


def _seed(kind: str, suffix: str, text: str) -> Seed:
    read = parse_json if suffix == ".json" else parse
    return Seed(kind, suffix, text, read(text, kind).data)


_BOARD: Final = {
    "apiVersion": "dashboard.grafana.app/v2beta1",
    "kind": "Dashboard",
    "spec": {
        "title": "newer",
        "timeSettings": {"from": "now-6h", "to": "now"},
        "variables": [
            {"kind": "QueryVariable", "spec": {"name": "tier", "query": "label_values(up, tier)"}},
            {"kind": "IntervalVariable", "spec": {"name": "every", "query": "1m,5m,auto"}},
            {"kind": "CustomVariable", "spec": {"name": "c", "query": "a,b : c", "multi": True}},
        ],
        "elements": {
            "one": {
                "kind": "Panel",
                "spec": {
                    "id": 1,
                    "title": "p",
                    "vizConfig": {"group": "timeseries", "spec": {"fieldConfig": {}}},
                    "data": {
                        "spec": {
                            "queries": [
                                {
                                    "spec": {
                                        "query": {
                                            "kind": "DataQuery",
                                            "group": "prometheus",
                                            "spec": {"expr": 'rate(up{tier=~"$tier"}[$every])'},
                                        }
                                    }
                                }
                            ],
                            "queryOptions": {"maxDataPoints": 100, "interval": "15s"},
                        }
                    },
                },
            }
        },
        "layout": {"kind": "GridLayout", "spec": {"items": []}},
    },
}
