"""`agentaskit-sim verify`: scenarios, rules and dashboards in; a verdict, a table and files out.

In virtual time, or with `--live` on a real stack in real time. Reads everything before anything
runs, so that a mistake in a file is reported at once. Standard output carries the report, or with
`--json` the verdict document alone; progress goes to standard error.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import typer

from agentaskit_sim.engines.reading import read_engines, refuse_files, refuse_live_engines
from agentaskit_sim.front.pack_files import PACK_ROUTING
from agentaskit_sim.inputs import InputPaths, read_inputs, read_scenarios
from agentaskit_sim.judges import (
    LANES_PER_CORE,
    RealTimeJudge,
    VirtualTimeJudge,
    build_real_time_judge,
)
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    Accept,
    AsJson,
    BothClocks,
    Cluster,
    DashboardPaths,
    EngineHeaders,
    EngineNames,
    EverySeed,
    Exact,
    Jobs,
    JunitFile,
    Limit,
    Live,
    MappingFile,
    OverlayFiles,
    PanelTruthFile,
    RealTimeCompress,
    RealTimeRouting,
    RemoteWrite,
    ReportFile,
    ResultsFolder,
    RulePaths,
    ScenarioArguments,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.seeds.seed_runs import (
    SparingJudge,
    finished,
    refuse_seeds,
    replay_options,
    with_seeds,
)
from agentaskit_sim.seeds.seeds_option import ManySeeds  # noqa: TC001 - typer reads it
from agentaskit_sim.suite_runs import (
    UNCOMPRESSED,
    judge_all,
    opened,
    watcher_of,
    with_seed,
)
from agentaskit_sim.verdict_output import STATUSES, VerdictOutput, check_places, print_json
from documents.durations import format_duration, parse_duration
from documents.mistakes import InputError, gather
from verifier.errors import JudgeError
from verifier.judge.verdict import overall
from verifier.real_time.time_limit import first_due_s
from verifier.report.saved.results import Results
from verifier.servers.binaries import require
from verifier.servers.child import require_room
from verifier.suite import cores, invalid_outcome, with_interrupted
from verifier.suite_order import real_time_s
from verifier.time_compression import TimeCompression, allow_for_inertia

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from agentaskit_sim.inputs import Inputs
    from verifier.engines.choice import EngineChoice
    from verifier.run_record import RunRecord

LIBRARY_LIMIT_S: Final = 13 * 60.0
"""Limit of each scenario in real time over the whole library: the longest last a day."""
EXAMPLES: Final = """\b
Examples:
  agentaskit-sim verify
  agentaskit-sim verify traffic-drop my-outage.yaml --seed 7
  agentaskit-sim verify traffic-drop --seeds 1..200
  agentaskit-sim verify --rules slo.yaml performance.yaml --dashboards boards/
  agentaskit-sim verify --rules mine/ --overlay mine.overlay.yaml
  agentaskit-sim verify --json --junit report.xml > verdict.json
  agentaskit-sim verify --cluster tcp://scheduler:8786
  agentaskit-sim verify --live --compress 30
  agentaskit-sim verify --both --compress 30 traffic-drop
  agentaskit-sim verify --engine prometheus --engine victoria-metrics
"""


def verify(  # noqa: PLR0913 - typer declares options as parameters
    scenario: ScenarioArguments = None,
    *,
    rules: RulePaths = None,
    dashboards: DashboardPaths = None,
    panel_truth: PanelTruthFile = None,
    overlay: OverlayFiles = None,
    accept: Accept = None,
    mapping: MappingFile = None,
    seed: EverySeed = None,
    seeds: ManySeeds = None,
    out: ResultsFolder = None,
    as_json: AsJson = False,
    junit_file: JunitFile = None,
    report_file: ReportFile = None,
    exact: Exact = False,
    jobs: Jobs = None,
    cluster: Cluster = None,
    live: Live = False,
    compress: RealTimeCompress = None,
    both: BothClocks = False,
    limit: Limit = None,
    routing: RealTimeRouting = None,
    engine: EngineNames = None,
    remote_write: RemoteWrite = None,
    engine_header: EngineHeaders = None,
) -> None:
    """Run scenarios and judge every alert and panel with a real Prometheus."""
    live = live or both
    _refuse_odd_options(live=live, virtual=(exact, panel_truth), real=(compress, limit, routing))
    refuse_live_engines(engine, live=live, cluster=cluster)
    refuse_seeds(seeds, seed=seed, live=live, engines=engine)
    check_places(junit_file, report_file)
    named = (scenario or (), rules, dashboards, overlay or (), accept or (), mapping, panel_truth)
    paths = opened(InputPaths(*named))
    inputs = with_seeds(with_seed(_read(paths, as_json=as_json), seed), seeds)
    engines = read_engines(engine, remote_write, engine_header, scenarios=len(inputs.scenarios))
    if len(engines) > 1:
        refuse_files(junit_file, out)
        to = report_file, record(paths)
        raise typer.Exit(_compared(inputs, engines, to, exact=exact, jobs=jobs, as_json=as_json))
    judge: VirtualTimeJudge | RealTimeJudge = VirtualTimeJudge(inputs, exact, *engines)
    if live:
        setting = routing or PACK_ROUTING, compress or 1.0, limit
        judge = _real_time_judge(inputs, *setting, both=both, whole_library=not scenario)
    _check_machine(inputs, engines, live=live, as_json=as_json)
    output = VerdictOutput(Results(out), junit_file, as_json, report_file, record(paths, routing))
    options = replay_options(paths, exact=exact, engine=engine)
    raise typer.Exit(_published(judge, output, options, jobs=jobs, cluster=cluster))


def _compared(  # noqa: PLR0913 - what to compare, how, and where it is said
    inputs: Inputs,
    engines: Sequence[EngineChoice],
    page_to: tuple[Path | None, RunRecord],
    *,
    exact: bool,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Compare two engines, and return the exit status."""
    from agentaskit_sim.engines.comparing import compare  # noqa: PLC0415 - seldom needed

    return compare(inputs, engines, page_to, exact=exact, jobs=jobs, as_json=as_json)


def _published(
    judge: VirtualTimeJudge | RealTimeJudge,
    output: VerdictOutput,
    options: Sequence[str],
    *,
    jobs: int | None,
    cluster: str | None,
) -> int:
    """Judge every scenario, publish the verdict, and return the exit status.

    A run on one of many seeds is judged again with these `options`.
    """
    scenarios = judge.inputs.scenarios
    sparing = SparingJudge.of(judge, scenarios)
    watcher = watcher_of(scenarios)
    compression, cost_s = UNCOMPRESSED, None
    if isinstance(judge, RealTimeJudge):
        compression, cost_s = TimeCompression(judge.factor), real_time_s
        jobs = jobs or LANES_PER_CORE * cores()
    try:
        outcomes = judge_all(
            scenarios, sparing, watcher, jobs=jobs, compression=compression, cluster=cluster,
            cost_s=cost_s,
        )  # fmt: skip
    except (KeyboardInterrupt, SystemExit, JudgeError) as end:
        # A signal, whose status it stays, or a cluster that can judge no more: what was judged is
        # kept, marked as partial.
        if watcher.outcomes or not isinstance(end, JudgeError):
            partial = with_interrupted(scenarios, watcher.outcomes)
            output.publish(finished(partial, scenarios, options))
        raise
    output.publish(finished(outcomes, scenarios, options))
    return STATUSES[overall(outcomes)]


def _real_time_judge(  # noqa: PLR0913 - what to judge, and how
    inputs: Inputs,
    routing: Path,
    factor: float,
    limit: str | None,
    *,
    both: bool,
    whole_library: bool,
) -> RealTimeJudge:
    """Return the judge of real time; raise `InputError` for what it could not judge."""
    limit_s = _limit_s(limit, whole_library=whole_library)
    judge = build_real_time_judge(inputs, routing, factor, limit_s, both=both)
    if limit is not None and not whole_library:
        _check_limit(judge, limit)
    return judge


def _read(paths: InputPaths, *, as_json: bool) -> Inputs:
    """Read the files of a run; without an engine to check them, the verdict is invalid."""
    try:
        return read_inputs(paths)
    except JudgeError as error:
        if as_json:
            print_json([invalid_outcome(s, str(error)) for s in read_scenarios(paths.scenarios)])
        raise


def _limit_s(limit: str | None, *, whole_library: bool) -> float:
    if limit is None:
        return LIBRARY_LIMIT_S if whole_library else math.inf
    seconds = parse_duration(limit, field="--limit")
    if seconds <= 0:
        raise InputError(f"--limit must be above 0s, got {limit}")
    return seconds


def _check_limit(judge: RealTimeJudge, limit: str) -> None:
    """Raise `InputError` for scenarios that end before the first alert that must fire is due.

    Their verdict would be a pass of which nothing was judged but silence.
    """
    compression, mistakes = TimeCompression(judge.factor), []
    for scenario in judge.inputs.scenarios:
        due_s = first_due_s(allow_for_inertia(scenario, compression))
        if due_s is None or due_s <= judge.limit_s * judge.factor:
            continue
        needed_s = math.ceil(due_s / judge.factor)
        mistakes.append(
            InputError(
                f"--limit {limit} ends {scenario.name} before anything that it expects is due;"
                f" the first alert is due after {format_duration(needed_s)} of real time"
            )
        )
    if mistakes:
        raise gather(mistakes)


def _refuse_odd_options(
    *, live: bool, virtual: tuple[bool, Path | None], real: Sequence[object]
) -> None:
    """Raise `InputError` for an option that has no meaning in the clock that was chosen."""
    exact, panel_truth = virtual
    if live and exact:
        raise InputError("--exact cannot be used with --live: real time resamples nothing")
    if live and panel_truth is not None:
        raise InputError("--panel-truth cannot be used with --live: virtual time alone compares")
    for name, value in zip(("compress", "limit", "routing"), real, strict=True):
        if not live and value is not None:
            raise InputError(f"--{name} needs --live: virtual time has no such thing")


def _check_machine(
    inputs: Inputs, engines: Sequence[EngineChoice], *, live: bool, as_json: bool
) -> None:
    """Raise `JudgeError` when something is missing without which nothing could be judged."""
    try:
        require("prometheus")
        for choice in engines:
            choice.check()
        if live:
            require("alertmanager")
        require_room()
    except JudgeError as error:
        if as_json:
            print_json([invalid_outcome(s, str(error)) for s in inputs.scenarios])
        raise
