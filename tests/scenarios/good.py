"""The good scenario of the tests in this folder, and the mistakes that a mutation of it has."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from scenarios.loader import parse_scenario

GOOD = """\
name: good
story: Two faults and an incident long ago.
seed: 42
duration: 20m
topology:
  tiers: {micro: {agents: 700}}
  sandboxes: {A: {slots: 300}}
  hosts: 4
  watchdog: 10s
load:
  rate: 10300
  stages: [{duration: 2m, target: 12000}]
  burst: {factor: 2, every: 10m, last: 5s}
  daily: {amplitude: 0.1, peak: 14h}
faults:
  - name: gone
    fault: traffic_drop
    start: 3m
    duration: 9m
    ramp: 30s
    parameters: {share: 0.4}
  - name: loop
    fault: crash_loop
    start: 1m
    duration: 2m
    targets: {tiers: [micro], hosts: [0], fraction: 0.2}
    parameters: {alive: 200ms}
history:
  depth: 6h
  incidents:
    - name: old
      fault: task_failure
      ago: 2h
      duration: 20m
      parameters: {share: 0.5}
pending: forbidden
expectations:
  - alert: Quiet
    labels: {severity: warning}
    cause: gone
    fires_within: 8m
    resolves_within: 8m
  - {alert: Never, silent: true}
  - {alert: Maybe, explained: why not, cause: old}
"""


def mistakes_of(text):
    """Return a line for each mistake of a scenario."""
    with pytest.raises(InputError) as caught:
        parse_scenario(text, "good.yaml")
    return str(caught.value).splitlines()
