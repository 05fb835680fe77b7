"""What a run reads: scenarios, rules and dashboards, the pack's own where none are named.

Called by the commands before anything runs. All files are read and checked first, and the mistakes
of all of them are reported at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar

from documents.mistakes import InputError, gather
from scenarios.loader import library, load_for_verify, resolve
from verifier.judge.alert_verdicts import check_alerts_exist
from verifier.pack.dashboards import load_dashboards
from verifier.pack.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scenarios.scenario import Scenario
    from verifier.pack.dashboards import Dashboards
    from verifier.pack.rules import RuleFiles
    from verifier.time_compression import TimeCompression

PACK = Path(__file__).resolve().parent.parent / "observability"
PACK_RULES = tuple(
    PACK / "alerts" / name for name in ("slo.yaml", "performance.yaml", "backpressure.yaml")
)
PACK_ROUTING = PACK / "alertmanager" / "alertmanager.yml"

_Value = TypeVar("_Value")
_Arguments = ParamSpec("_Arguments")


@dataclass(frozen=True, slots=True)
class Reading(Generic[_Value]):
    """What a reader returned, or the mistake that it raised."""

    result: _Value | InputError

    @property
    def value(self) -> _Value:
        """What was read; raises the mistake where there is one."""
        if isinstance(self.result, InputError):
            raise self.result
        return self.result

    @property
    def is_read(self) -> bool:
        """Whether there is a value."""
        return not isinstance(self.result, InputError)


class MistakeCollector:
    """Calls readers and checks one after another and keeps their mistakes until `finish`."""

    def __init__(self) -> None:
        """Know of no mistake yet."""
        self._mistakes: list[InputError] = []

    def read(
        self,
        reader: Callable[_Arguments, _Value],
        *arguments: _Arguments.args,
        **named: _Arguments.kwargs,
    ) -> Reading[_Value]:
        """Call `reader`; its value is there after `finish`."""
        try:
            return Reading(reader(*arguments, **named))
        except InputError as error:
            self._mistakes.append(error)
            return Reading(error)

    def check(self, reading: Reading[_Value], rule: Callable[[_Value], None]) -> None:
        """Call `rule` with what was read; do nothing where nothing was."""
        if reading.is_read:
            self.read(rule, reading.value)

    def finish(self) -> None:
        """Raise one `InputError` with all mistakes, if there are any."""
        if self._mistakes:
            raise gather(self._mistakes)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All files of a run, read."""

    scenarios: tuple[Scenario, ...]
    rules: RuleFiles
    dashboards: Dashboards


def read_inputs(
    names: Sequence[str], rules: Sequence[Path] | None, dashboards: Sequence[Path] | None
) -> Inputs:
    """Read all files of a run; raise one `InputError` with the mistakes of them all."""
    collector = MistakeCollector()
    scenarios = _read_scenarios(collector, names)
    rule_files = collector.read(read_rules, rules)
    boards = collector.read(
        lambda: load_dashboards(list(expand(dashboards or [PACK / "dashboards"], "*.json")))
    )
    if rule_files.is_read:
        alerts = [rule.alert for _, rule in rule_files.value.alerts]
        for scenario in scenarios:
            collector.read(check_alerts_exist, scenario, alerts)
    collector.finish()
    return Inputs(tuple(scenarios), rule_files.value, boards.value)


def read_rules(paths: Sequence[Path] | None) -> RuleFiles:
    """Read rule files and folders, the bundled ones without any; raise `InputError`."""
    return load_rules(list(expand(paths or PACK_RULES, "*.yaml", "*.yml")))


def expand(paths: Iterable[Path], *patterns: str) -> Iterable[Path]:
    """Yield the files, and what matches in the folders; raises `InputError` for an empty folder."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for pattern in patterns for file in path.glob(pattern))
        if not inside:
            raise InputError(f"the folder holds no {' or '.join(patterns)}", path=str(path))
        yield from inside


def check_plan(scenario: Scenario, compression: TimeCompression) -> None:
    """Raise `InputError` for a plan that cannot run in real time, or not so compressed."""
    try:
        compression.plan(scenario.plan, lead_s=1.0)
    except ValueError as error:
        raise InputError(str(error), path=scenario.path) from None


def _read_scenarios(collector: MistakeCollector, names: Sequence[str]) -> list[Scenario]:
    """Return the scenarios that could be read; every bundled scenario without `names`."""
    if names:
        resolved = [collector.read(resolve, name) for name in names]
        paths = [reading.value for reading in resolved if reading.is_read]
    else:
        paths = list(library())
    readings = [collector.read(load_for_verify, path) for path in dict.fromkeys(paths)]
    scenarios = [reading.value for reading in readings if reading.is_read]
    first: dict[str, Scenario] = {}
    for scenario in scenarios:
        collector.read(_check_name, scenario, first.setdefault(scenario.name, scenario))
    return scenarios


def _check_name(scenario: Scenario, first: Scenario) -> None:
    if first is not scenario:
        raise InputError(
            f"another scenario of the same name is {first.path}: give one a new name",
            path=scenario.path,
        )
