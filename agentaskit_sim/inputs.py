"""What a run reads: scenarios, rules and dashboards, the pack's own where nothing else is named.

Everything is read before anything runs; the mistakes of all files are told at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from documents.mistakes import InputError, gather
from scenarios.loader import library, load_for_verify, resolve
from verifier.judge.judgement import check_alerts_exist
from verifier.pack.dashboards import load_dashboards
from verifier.pack.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scenarios.scenario import Scenario
    from verifier.pack.dashboards import Dashboards
    from verifier.pack.rules import RuleFiles

PACK = Path(__file__).resolve().parent.parent / "observability"
PACK_RULES = tuple(
    PACK / "alerts" / name for name in ("slo.yaml", "performance.yaml", "backpressure.yaml")
)
PACK_ROUTING = PACK / "alertmanager" / "alertmanager.yml"


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run reads, read."""

    scenarios: tuple[Scenario, ...]
    rules: RuleFiles
    dashboards: Dashboards


def read_inputs(
    names: Sequence[str], rules: Sequence[Path] | None, dashboards: Sequence[Path] | None
) -> Inputs:
    """Read all files of a run; raise one `InputError` with the mistakes of them all."""
    mistakes: list[InputError] = []

    def attempt(read: Callable[..., Any], argument: object) -> Any:
        try:
            return read(argument)
        except InputError as error:
            mistakes.append(error)
            return None

    paths = [attempt(resolve, name) for name in names] if names else list(library())
    scenarios = [attempt(load_for_verify, path) for path in dict.fromkeys(paths) if path]
    rule_files = attempt(load_rules, list(expand(rules or PACK_RULES, "*.yaml", "*.yml")))
    boards = attempt(load_dashboards, list(expand(dashboards or [PACK / "dashboards"], "*.json")))
    if rule_files:
        alerts = [rule.alert for _, rule in rule_files.alerts]
        for scenario in filter(None, scenarios):
            attempt(lambda one: check_alerts_exist(one, alerts), scenario)
    mistakes += _same_names([one for one in scenarios if one])
    if mistakes:
        raise gather(mistakes)
    return Inputs(tuple(scenarios), rule_files, boards)


def expand(paths: Iterable[Path], *patterns: str) -> Iterable[Path]:
    """Yield the files, and what matches in the folders; raises `InputError` for an empty one."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for pattern in patterns for file in path.glob(pattern))
        if not inside:
            raise InputError(f"the folder holds no {' or '.join(patterns)}", path=str(path))
        yield from inside


def _same_names(scenarios: Sequence[Scenario]) -> list[InputError]:
    first: dict[str, Scenario] = {}
    return [
        InputError(
            f"another scenario of the same name is {first[one.name].path}: give one a new name",
            path=one.path,
        )
        for one in scenarios
        if first.setdefault(one.name, one) is not one
    ]
