"""In real time the texts are those that the receiver was sent."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from agentaskit_sim.front.pack_files import PACK_ROUTING
from tests.verifier.histories import rules
from tests.verifier.judge.ledgers import CLOCK, notification
from tests.verifier.simulations import scenario_of
from verifier.pack.routes.routing import load_routing
from verifier.real_time.observation import RunObserver
from verifier.time_compression import TimeCompression


def test_a_broken_annotation_that_was_sent_is_a_finding_of_the_run(tmp_path):
    """Beside those on the routing."""
    rule = {"alert": "A", "expr": "up == 0", "annotations": {"runbook": "{{ query `x` | first }}"}}
    sent = replace(
        notification("firing", 30.0, alert="A"),
        annotations=(("runbook", "<error expanding template: x>"),),
    )
    written = rules(tmp_path, rule)
    observer = RunObserver(
        stack=SimpleNamespace(notifications=lambda: (sent,)),
        rules=written,
        compressed=written,
        routing=load_routing(PACK_ROUTING),
        compression=TimeCompression(30),
        clock=CLOCK,
        lead_s=0.0,
    )
    last = observer.findings(scenario_of("duration: 2m\n"))[-1]
    assert "alert A: its annotation runbook is sent as '<error expanding template: x>'" in last
