"""Reads a document as the command line does, with everything that is done to it before a run.

The engine is not asked: one that takes everything, or refuses everything, stands in for it, so that
what is done with either answer is done here. Whether it is asked in the right way, others test.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from documents.files import read_text
from documents.mistakes import InputError, Mistake
from documents.yaml_reader import YAML_BYTES_MAX, load
from scenarios.build import read_trace
from scenarios.injection_form import FaultForm
from scenarios.library.files import LIBRARY
from scenarios.loader import load_scenario
from scenarios.overlay import apply_overlays, check_scenario_names, load_overlay
from scenarios.topology_overlay import load_topology
from simulator.topology import Topology
from tests.fuzz.seeds import ROOT
from verifier.dashboards.reader import load_dashboards
from verifier.evaluation.rule_graph import rule_units
from verifier.evidence.relaxed import relax
from verifier.judge.expectations.impossible import check_expectations
from verifier.pack.history_depth import depths
from verifier.pack.routes.engine_check import EngineOpinion
from verifier.pack.routes.routing import load_routing
from verifier.pack.spread import spread
from verifier.promql.parsing import parse
from verifier.promql.printing import text_of
from verifier.real_time.rule_compression import check_compression, compress_query, compress_rules
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.prometheus.rule_check import EngineAnswer
from verifier.slo.alignment import budget_differences, differences, request_differences
from verifier.slo.objectives import objectives, objectives_without_alert
from verifier.slo.policy import foreign_form, read_policy
from verifier.slo.traps import rule_traps
from verifier.time_compression import TimeCompression

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from scenarios.scenario import Scenario
    from verifier.pack.rules import RuleFiles

REFUSAL: Final = 'group "g", rule 1, "x": could not parse expression: 1:1: parse error: unexpected'
"""What an engine says that refuses a rule."""
FACTOR: Final = 10.0
"""How much time is compressed, in the checks of a run in real time."""


def read_document(kind: str, path: Path, *, engine_takes: bool = True) -> None:
    """Read a file as a document of its kind; raise `InputError` for what is refused."""
    said = () if engine_takes else (REFUSAL,)

    def answer(files: Sequence[bytes]) -> EngineAnswer:
        return EngineAnswer("2.42.0", (said,) * len(files))

    def opinion(_: Path) -> EngineOpinion:
        return EngineOpinion("0.25.0", "\n".join(said))

    with (
        patch("verifier.rule_files.loading.ask_engine", answer),
        patch("verifier.pack.routes.routing.ask_alertmanager", opinion),
    ):
        READERS[kind](path)


def _scenario(path: Path) -> None:
    scenario = load_scenario(path)
    try:
        TimeCompression(FACTOR).plan(scenario.plan, lead_s=1.0)
    except ValueError as error:
        raise InputError(str(error), path=str(path)) from None


def _trace(path: Path) -> None:
    read_trace(path)


def _rules(path: Path) -> None:
    rules = load_checked_rules([path])
    depths(rules)
    rule_units(rules)
    spread(7, rules)
    rule_traps(rules)
    check_expectations(_example().expectations, rules)
    for group in rules.groups:
        for rule in group.rules:
            _examine(rule.expr)
    check_compression(rules, FACTOR, 1.0)
    compress_rules(rules, FACTOR)


def _dashboards(path: Path) -> None:
    boards = load_dashboards([path])
    depths(_pack_rules(), boards.panels)
    for panel in boards.panels:
        for query in panel.queries:
            _examine(query.expr)
            compress_query(query, FACTOR)


def _examine(expr: str) -> None:
    """Do with an expression what the judge does with one that it cannot explain otherwise."""
    try:
        tree = parse(expr)
    except ValueError:
        return
    relax(tree)
    text_of(tree)


def _policy(path: Path) -> None:
    foreign_form(read_text(path, bytes_max=YAML_BYTES_MAX))
    reading = read_policy(load(path))
    policy, rules = reading.policy, _pack_rules()
    for objective in objectives(policy):
        differences(policy, rules, objective)
        objective.alerts(rules)
    objectives_without_alert(policy, rules)
    budget_differences(policy, rules)
    request_differences(policy, rules)
    if mistakes := (*reading.invalid, *reading.missing):
        raise InputError(*mistakes)


def _overlay(path: Path) -> None:
    overlay = load_overlay(path)
    mistakes: list[Mistake] = []
    apply_overlays(_example(), [overlay], mistakes.append)
    check_scenario_names(overlay, [_example().name])
    if mistakes:
        raise InputError(*mistakes)


def _injection(path: Path) -> None:
    FaultForm(Topology()).read_injection(path.read_bytes(), 10.0)


@cache
def _pack_rules() -> RuleFiles:
    return load_checked_rules(sorted((ROOT / "observability/alerts").glob("*.yaml")))


@cache
def _example() -> Scenario:
    return load_scenario(LIBRARY / "slow-burn.yaml")


def warm_up() -> None:
    """Read what is read once for all documents."""
    with patch("verifier.rule_files.loading.ask_engine", _taken):
        _pack_rules()
    _example()


def _taken(files: Sequence[bytes]) -> EngineAnswer:
    return EngineAnswer("2.42.0", ((),) * len(files))


READERS: Final[dict[str, Callable[[Path], object]]] = {
    "scenario": _scenario,
    "topology": load_topology,
    "trace": _trace,
    "rules": _rules,
    "dashboard": _dashboards,
    "routing": load_routing,
    "policy": _policy,
    "overlay": _overlay,
    "injection": _injection,
}
"""What reads each kind of document."""
