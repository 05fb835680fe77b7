"""Checks the judge: the same history through `promtool test rules`, compared state by state.

Called by the tests only. promtool evaluates the rules with Prometheus's own rule engine, recording
rules and alert states included, so every difference is a bug of our state machine, of the pushed
history or of the engine's grid. promtool's clock starts at 0: expressions that read the clock
itself (`time()`, `hour()`) cannot be compared.
"""

from __future__ import annotations

import ast
import json
import math
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from exporter.history.samples import EPOCH_S, STALE_BITS, sample_mask
from verifier.errors import JudgeError
from verifier.evaluation.engine import evaluate_rules
from verifier.evaluation.timeline import Grid, Timeline
from verifier.pack.durations import parse_duration_s
from verifier.pack.history_depth import depths
from verifier.pack.rule_writer import as_yaml, rule_document
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles
from verifier.servers.binaries import require
from verifier.servers.child_environment import child_environment
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from exporter.history.samples import History, LabelSet
    from verifier.evaluation.timeline import State
    from verifier.labels import Labels
    from verifier.pack.history_depth import HistoryDepths
    from verifier.pack.rules import RuleGroup

Side: TypeAlias = Literal["the judge", "promtool"]

PROMTOOL_TIMEOUT_S: Final = 900.0
"""A day's history takes minutes; promtool itself knows no limit."""
_HEADLINES: Final = ("Unit Testing:  test.json", "FAILED:", "SUCCESS")
"""Lines around promtool's results that add nothing."""
_GOT: Final = re.compile(r'expr: "ALERTS", time: (\S+),\n\s*exp: ?nil\n\s*got: ?(.*)\n?')
"""What promtool prints for a moment: the samples it computed where the test expects none."""
_FIXED_TIME: Final = re.compile(r"@\s*(\d+(?:\.\d+)?)")
_SAMPLE: Final = re.compile(r'\{((?:[\w:]+="(?:[^"\\]|\\.)*"(?:, )?)*)\} \S+')
_LABEL: Final = re.compile(r'([\w:]+)=("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True, order=True)
class AlertState:
    """An alert with these labels is `state` at a time of the scenario."""

    time_s: float
    alert: str
    labels: Labels
    state: State


@dataclass(frozen=True, slots=True)
class Difference:
    """A state that only one side computed."""

    state: AlertState
    side: Side

    def __str__(self) -> str:
        """Say which side saw which state when."""
        state = self.state
        return (
            f"{state.time_s:g} s: only {self.side} sees {state.alert} {state.state} {state.labels}"
        )


def crosscheck(
    history: History, rules: RuleFiles, start_s: float, end_s: float
) -> list[Difference]:
    """Return every alert state from `start_s` to `end_s`, scenario seconds, on which they differ.

    promtool evaluates all groups at the same instants, one after another, so a rule must not read
    what a later group records. Both sides evaluate from the first sample on, at moments aligned
    with `start_s`. Raises JudgeError when promtool cannot run the rules.
    """
    ours: set[AlertState] = set()
    theirs: set[AlertState] = set()
    with Prometheus() as server:
        server.push(history)
        for interval_s, group_rules in by_interval(rules).items():
            grid = Grid(start_s, end_s, interval_s)
            origin_s = origin(history, grid)
            schedule = PlainSchedule(origin_s, end_s, depths(group_rules))
            timelines = evaluate_rules(server, group_rules, schedule).timelines
            ours |= timeline_states(timelines, grid)
            theirs |= promtool_states(history, group_rules, grid)
    return differences(ours, theirs)


@dataclass(frozen=True, slots=True)
class PlainSchedule:
    """All groups evaluated from `start_s` on, and never before, as by promtool."""

    start_s: float
    end_s: float
    needed: HistoryDepths
    epoch_s: float = EPOCH_S

    def grid(self, group: RuleGroup, _rule: AlertRule | RecordingRule, /) -> Grid:
        """Return the evaluations of a rule."""
        return Grid(self.start_s, self.end_s, group.interval_s)


def differences(ours: set[AlertState], theirs: set[AlertState]) -> list[Difference]:
    """Return what only one of two sets holds, in order of time."""
    unmatched = [Difference(state, "the judge") for state in ours - theirs]
    unmatched += [Difference(state, "promtool") for state in theirs - ours]
    return sorted(unmatched, key=lambda difference: difference.state)


def by_interval(rules: RuleFiles) -> dict[float, RuleFiles]:
    """Split rules by the interval of their group: promtool has one interval for all.

    Raises JudgeError when recording rules are among groups of several intervals.
    """
    intervals_s = sorted({group.interval_s for group in rules.groups})
    if len(intervals_s) > 1 and rules.recordings:
        raise JudgeError(
            "recording rules can only be crosschecked when all groups share one interval, got"
            f" {intervals_s} s: give them the same"
        )
    return {
        interval_s: RuleFiles(tuple(g for g in rules.groups if g.interval_s == interval_s))
        for interval_s in intervals_s
    }


def origin(history: History, grid: Grid) -> float:
    """Return the last moment aligned with `grid` that is not after the first sample."""
    first_ms = min(
        (int(block.timestamps_ms[0]) for block in history.blocks if len(block.timestamps_ms)),
        default=EPOCH_S * 1000,
    )
    before_s = max(0.0, grid.start_s - (first_ms / 1000 - EPOCH_S))
    return grid.start_s - math.ceil(before_s / grid.interval_s - 1e-9) * grid.interval_s


def timeline_states(timelines: Iterable[Timeline], grid: Grid) -> set[AlertState]:
    """Return the states of `timelines` at every moment of `grid`."""
    times_s = grid.times_s.tolist()
    return {
        AlertState(time_s, timeline.alert, timeline.labels, state)
        for timeline in timelines
        for time_s, state in timeline.states(times_s)
    }


def promtool_states(history: History, rules: RuleFiles, grid: Grid) -> set[AlertState]:
    """Return promtool's states at every moment of `grid`, whose interval is that of all rules."""
    origin_s = origin(history, grid)
    with tempfile.TemporaryDirectory(prefix="agentaskit-promtool-") as directory:
        folder = Path(directory)
        document = _rule_document(rules, origin_s)
        (folder / "rules.json").write_text(as_yaml(document), encoding="utf-8")
        document = _test_document(history, grid, origin_s)
        (folder / "test.json").write_text(json.dumps(document), encoding="utf-8")
        run = subprocess.run(
            [require("promtool"), "test", "rules", "test.json"],
            cwd=folder,
            env=child_environment(TMPDIR=directory),
            capture_output=True,
            text=True,
            timeout=PROMTOOL_TIMEOUT_S,
            check=False,
        )
    return _parse(run.stdout + run.stderr, run.returncode, origin_s)


def _rule_document(rules: RuleFiles, origin_s: float) -> dict[str, Any]:
    """Return the rules as a rule file without annotations; JSON is YAML.

    An instant that an expression fixes is moved to promtool's clock, whose 0 is at `origin_s`.
    """
    groups = []
    for number, group in enumerate(rules.groups):
        name = f"{number} {group.name}"  # groups of the same name may come from several files
        groups.append({"name": name, "rules": [_rule(rule, origin_s) for rule in group.rules]})
    return {"groups": groups}


def _rule(rule: AlertRule | RecordingRule, origin_s: float) -> dict[str, Any]:
    """Return a rule without its annotations, templates that promtool would have to render."""
    document = rule_document(rule)
    document.pop("annotations", None)

    def moved(match: re.Match[str]) -> str:
        return f"@ {float(match.group(1)) - EPOCH_S - origin_s:.3f}"

    document["expr"] = _FIXED_TIME.sub(moved, rule.expr)
    return document


def _test_document(history: History, grid: Grid, origin_s: float) -> dict[str, Any]:
    """Return the test file: every series written out, ALERTS queried at every moment."""
    origin_ms = round((EPOCH_S + origin_s) * 1000)
    offsets_ms = [block.timestamps_ms - origin_ms for block in history.blocks]
    interval_ms = math.gcd(*(int(np.gcd.reduce(o)) for o in offsets_ms if len(o))) or 1000
    steps: list[list[NDArray[np.int64]]] = [[] for _ in history.series]
    values: list[list[NDArray[np.float64]]] = [[] for _ in history.series]
    for block, offset_ms in zip(history.blocks, offsets_ms, strict=True):
        mask = sample_mask(block.values)
        for row, series in enumerate(block.series.tolist()):
            steps[series].append((offset_ms // interval_ms)[mask[row]])
            values[series].append(block.values[row, mask[row]])
    return {
        "rule_files": ["rules.json"],
        "evaluation_interval": f"{round(grid.interval_s * 1000)}ms",
        "tests": [
            {
                "interval": f"{interval_ms}ms",
                "input_series": [
                    {"series": _selector(labels), "values": _values(sample_steps, samples)}
                    for labels, sample_steps, samples in zip(
                        history.series, steps, values, strict=True
                    )
                    if any(map(len, sample_steps))
                ],
                "promql_expr_test": [
                    {
                        "expr": "ALERTS",
                        "eval_time": f"{round((time_s - origin_s) * 1000)}ms",
                        "exp_samples": [],
                    }
                    for time_s in grid.times_s.tolist()
                ],
            }
        ],
    }


def _selector(labels: LabelSet) -> str:
    named = dict(labels)
    rest = ",".join(f"{key}={json.dumps(named[key])}" for key in named if key != "__name__")
    return f"{named['__name__']}{{{rest}}}"


def _values(steps: Sequence[NDArray[np.int64]], values: Sequence[NDArray[np.float64]]) -> str:
    """Write samples at `steps` in promtool's notation, `_xN` for N moments without one."""
    words: list[str] = []
    last = -1
    all_values = np.concatenate(values)
    stale = all_values.view(np.uint64) == STALE_BITS
    columns = (np.concatenate(steps).tolist(), all_values.tolist(), stale.tolist())
    for step, value, ended in zip(*columns, strict=True):
        if step - last > 1:
            words.append(f"_x{step - last - 1}")
        last = step
        words.append("stale" if ended else repr(value).replace("inf", "Inf").replace("nan", "NaN"))
    return " ".join(words)


def _parse(output: str, status: int, origin_s: float) -> set[AlertState]:
    """Return the states in promtool's output; raise JudgeError for anything else in it."""
    states: set[AlertState] = set()
    for time_text, got in _GOT.findall(output):
        time_s = origin_s + parse_duration_s(time_text)
        for sample in _SAMPLE.findall(got):
            labels = {name: ast.literal_eval(text) for name, text in _LABEL.findall(sample)}
            del labels["__name__"]
            alert, state = labels.pop("alertname"), labels.pop("alertstate")
            if state not in ("pending", "firing"):
                raise JudgeError(f"promtool's answer cannot be read: {sample[:500]!r}")
            states.add(AlertState(time_s, alert, tuple(sorted(labels.items())), state))
        if _SAMPLE.sub("", got).strip(", "):
            raise JudgeError(f"promtool's answer cannot be read: {got[:500]!r}")
    rest = _GOT.sub("", output)
    for headline in _HEADLINES:
        rest = rest.replace(headline, "")
    # Status 1 is a failed expectation: every state is one, for the test expects none.
    if rest.strip() or status not in (0, 1) or (status == 1) != bool(states):
        raise JudgeError(
            f"promtool cannot run these rules (status {status}): {rest.strip()[:1000]}"
        )
    return states
