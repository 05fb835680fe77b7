"""Rule files as programs write them: ten thousand rules, each judged, or named with its reason."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUIET = "name: quiet\nstory: x\nseed: 42\nduration: 20m\n"
MANY = 10_000
FEW, TIMES = 10, 4
GROWTH_MAX = 8.0
"""By what the processor time of four times as many rules may grow: by 4 when each costs the same,
by 16 when each is held against all. Both are measured in one run, so on a machine as slow."""


def recording(number: int) -> str:
    """Return a recording, every other of a metric that nothing has."""
    metric = ("up", f"http_requests_{number % 700}_total")[number // 2 % 2]
    expr = f'sum without (instance) (rate({metric}{{job=~"agent.*"}}[5m])) + {number}'
    return f"  - record: job:rec_{number}:rate5m\n    expr: {expr}\n"


def alert(number: int, name: str, expr: str) -> str:
    """Return an alert."""
    return (
        f"  - alert: {name}{number}\n    expr: {expr}\n    for: 5m\n"
        "    labels: {severity: page}\n"
        f'    annotations:\n      summary: "{{{{ $labels.instance }}}} {number}"\n'
    )


def foreign(number: int) -> str:
    """Return an alert on what another exporter shows."""
    metric = f"node_cpu_{number % 900}_seconds_total"
    return alert(number, "Foreign", f'rate({metric}{{mode="idle"}}[5m]) > {number % 10}')


def own(number: int) -> str:
    """Return an alert that has values and stays silent."""
    return alert(number, "Own", f'up{{job="agentaskit"}} < {number % 2} - 1')


def each(number: int) -> str:
    """Return a rule of any kind."""
    return (recording, foreign, recording, own)[number % 4](number)


SHAPES = {
    "one group": (each, MANY),
    "groups of ten": (each, 10),
    "groups of one": (each, 1),
    "recordings": (recording, 10),
    "foreign": (foreign, 10),
    "own": (own, 10),
}


def lines(shape: str, count: int) -> Iterator[str]:
    """Yield the text of a rule file."""
    rule, size = SHAPES[shape]
    yield "groups:\n"
    for number in range(count):
        if number % size == 0:
            yield f"- name: group_{number // size}\n  rules:\n"
        yield rule(number)


COMMAND = ("-m", "agentaskit_sim")
QUADRATIC = """
from pathlib import Path

from agentaskit_sim.__main__ import main

count = Path("many.yml").read_text().count("expr:")
for _ in range(count):
    sum(range(3_000 * count))
main()
"""
"""The command with a step that goes through all rules for each rule."""


def verify(
    folder: Path, text: str, program: tuple[str, ...] = COMMAND
) -> tuple[dict[str, Any], float]:
    """Return the verdict on a quiet scenario, and the processor time that it took.

    Of the command, its engine and its tool together.
    """
    (folder / "quiet.yaml").write_text(QUIET)
    (folder / "many.yml").write_text(text)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = ["verify", "--json", "--rules", "many.yml", "quiet.yaml"]
    run = subprocess.run(
        [sys.executable, *program, *command],
        cwd=folder, capture_output=True, check=False, timeout=550,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run.returncode in (0, 1), run.stderr[-500:]
    document: dict[str, Any] = json.loads(run.stdout)
    return document, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def check(document: dict[str, Any], shape: str, count: int) -> None:
    """Check that every alert has its verdict: the own ones stay silent, the foreign are dead."""
    (scenario,) = document["scenarios"]
    assert scenario["verdict"] in ("pass", "fail"), scenario["reasons"]
    verdicts = {verdict["alert"]: verdict for verdict in scenario["alerts"]}
    rule = SHAPES[shape][0]
    texts = [rule(number) for number in range(count)]
    names = {text.split()[2] for text in texts if "alert:" in text}
    assert set(verdicts) == names
    for name, verdict in verdicts.items():
        assert verdict["ok"] == name.startswith("Own"), verdict
        if name.startswith("Foreign"):
            metric = f"node_cpu_{int(name.removeprefix('Foreign')) % 900}_seconds_total"
            assert f"no metric {metric} exists" in verdict["vacuous"]


@pytest.mark.long
def test_more_than_a_hundred_groups_are_judged(tmp_path: Path) -> None:
    """Each recording of them was a call of its own to the engine, with connections of its own."""
    document, _ = verify(tmp_path, "".join(lines("groups of one", 120)))
    check(document, "groups of one", 120)


def growth(folder: Path, shape: str, count: int, program: tuple[str, ...] = COMMAND) -> float:
    """Judge `count` rules and a quarter of them; return how processor time grew from the quarter.

    What a command takes with hardly any rule is left out of both. Prints the figures.
    """
    took_s = []
    for size in (FEW, count // TIMES, count):
        document, processor_s = verify(folder, "".join(lines(shape, size)), program)
        check(document, shape, size)
        took_s.append(processor_s)
    least_s, quarter_s, whole_s = took_s
    by = (whole_s - least_s) / (quarter_s - least_s)
    print(f"{shape}: {whole_s:.1f} s of processor time, grown by {by:.1f}")  # noqa: T201 - the figure
    return by


@pytest.mark.long
@pytest.mark.parametrize("shape", SHAPES)
def test_the_time_for_ten_thousand_rules_grows_no_faster_than_they_do(
    tmp_path: Path, shape: str
) -> None:
    """Whatever their kind and their groups."""
    assert growth(tmp_path, shape, MANY) < GROWTH_MAX


@pytest.mark.long
def test_a_step_that_goes_through_all_rules_for_each_is_noticed(tmp_path: Path) -> None:
    """Planted into the command: of eight hundred rules already."""
    assert growth(tmp_path, "own", 800, ("-c", QUADRATIC)) > GROWTH_MAX
