"""Sixty rules that nobody chose, on the real stack and replayed: the same states in both clocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from agentaskit_sim.front.pack_files import PACK_ROUTING
from scenarios.loader import load_scenario
from tests.machine_lag import needs_quiet_machine
from tests.trials.generated_pack import COUNT, write_pack
from verifier.evaluation.engine import evaluate
from verifier.pack.routes.routing import load_routing
from verifier.pack.rules import load_rules
from verifier.real_time.run import RealTimeSetup, run_in_real_time
from verifier.real_time.validity import RunValidity
from verifier.servers.prometheus import Prometheus
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from pathlib import Path


def test_the_rules_are_sixty_and_read_the_world(tmp_path: Path) -> None:
    """None names a metric of the drawing."""
    path, _ = write_pack(tmp_path)
    rules = load_rules([path])
    assert len(rules.alerts) == COUNT
    text = "\n".join(rule.expr for group in rules.groups for rule in group.rules)
    assert not re.search(r"\b(level|depth|done_total|failed_total|wait_bucket)\b", text)


@pytest.mark.long
def test_the_engine_takes_each_of_the_sixty(tmp_path: Path) -> None:
    """Without any data none of their evaluations fails."""
    path, _ = write_pack(tmp_path)
    rules = load_rules([path])
    with Prometheus() as server:
        not_judged = evaluate(server, rules, start_s=0.0, end_s=60.0).not_judged
        renamed = server.version.startswith("3.")  # and there the new name is an experiment
    lost = {f"alert {rule.alert}" for _, rule in rules.alerts if "holt_winters" in rule.expr}
    assert {item.subject for item in not_judged} == (lost if renamed else set())


@pytest.mark.long
@needs_quiet_machine
@pytest.mark.usefixtures("machine_lag")
def test_sixty_generated_rules_agree_in_both_clocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four minutes in real time, uncompressed: every transition at the same evaluation.

    Some of these rules always fire, which a scenario's start would refuse.
    """
    monkeypatch.setattr(RunValidity, "check_start", lambda *_args, **_more: None)
    rules, scenario = write_pack(tmp_path)
    setup = RealTimeSetup(
        load_rules([rules]), (), load_routing(PACK_ROUTING), TimeCompression(1), both=True
    )
    outcome = run_in_real_time(load_scenario(scenario), setup, lambda _: None)
    assert outcome.clocks
    assert len({difference.alert for difference in outcome.clocks}) > COUNT / 4
    assert [difference for difference in outcome.clocks if not difference.ok] == []
