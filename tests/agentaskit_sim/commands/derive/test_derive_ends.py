"""How `derive` ends when something goes wrong in the middle: an error of its own, a signal."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.agentaskit_sim.processes import Running
from tests.schemas.validation import validate
from verifier.derive import solving
from verifier.derive.result import SCHEMA
from verifier.derive.search import WorldSearch
from verifier.errors import JudgeError

RULES = """\
groups:
  - name: shop
    rules:
      - {alert: First, expr: 'queue_depth > 100'}
      - {alert: Broken, expr: 'load > 4'}
      - {alert: Last, expr: 'free_bytes < 7'}
"""


def search_that_breaks(error, after):
    """Return a search that asks `after` questions of Broken and then raises."""
    search = WorldSearch.run

    def run(self):
        asking = search(self)
        if self.problem.rule.alert != "Broken":
            return (yield from asking)
        answers = None
        for _ in range(after):
            answers = yield asking.send(answers)
        raise error

    return run


@pytest.mark.ci
@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("error", "after"),
    [
        (ZeroDivisionError("planted"), 0),
        (ZeroDivisionError("planted"), 2),
        (JudgeError("the engine is gone"), 1),
    ],
)
def test_an_error_in_the_search_for_one_alert_is_said_of_it_alone(
    command, tmp_path, monkeypatch, error, after
):
    """Status 3, whatever the share; the others have their tests."""
    monkeypatch.setattr(WorldSearch, "run", search_that_breaks(error, after))
    rules = tmp_path / "a.yaml"
    rules.write_text(RULES)
    done = command("derive", "--rules", rules, "--json")
    document = json.loads(done.out)
    validate(document, json.loads(SCHEMA.read_text()))
    internal = "internal error: ZeroDivisionError: " if after != 1 else ""
    assert done.status == 3
    assert f"{rules}:5: Broken is not solved: {internal}{error}" in done.err
    assert [each["solved"] for each in document["alerts"]] == [True, False, True]
    assert [bool(each["error"]) for each in document["alerts"]] == [False, True, False]
    assert document["suite"].count("- name: ") == 6


@pytest.mark.ci
def test_an_error_before_the_search_is_said_of_its_alert_too(command, tmp_path, monkeypatch):
    """While its expression is taken apart."""
    take_apart = solving.problem_leaves

    def broken(tree, recordings):
        if "load" in str(tree):
            raise KeyError("planted")
        return take_apart(tree, recordings)

    monkeypatch.setattr(solving, "problem_leaves", broken)
    (tmp_path / "a.yaml").write_text(RULES)
    done = command("derive", "--rules", "a.yaml", "--out", "a.test.yaml")
    assert done.status == 3
    assert "a.yaml:5: Broken is not solved: internal error: KeyError: 'planted'" in done.out
    assert (tmp_path / "a.test.yaml").read_text().count("- name: ") == 6


def at_work_in(directory):
    """Return the pids of the processes whose working directory is below this one."""
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = str((process / "cwd").readlink())
        except OSError:
            continue
        pids += [process.name] if where.startswith(f"{directory}/") else []
    return pids


def until(condition, timeout_s=30.0):
    """Wait until it is so; fail when it never is."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.mark.sampled(1)
@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_nothing_written_and_nothing_left(tmp_path, number, status):
    """While promtool is at work on a window of months."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    expr = "sum(rate(hits_total[30d])) > 5 or max_over_time(load[30d:1m]) > 4"
    (tmp_path / "a.yaml").write_text(
        f"groups: [{{name: g, rules: [{{alert: Long, expr: '{expr}', for: 12h}}]}}]\n"
    )
    running = Running(
        "derive", "--rules", "a.yaml", "--out", "a.test.yaml", cwd=tmp_path, TMPDIR=str(temporary)
    )
    try:
        until(lambda: at_work_in(temporary))
        assert running.end(number) == status
    finally:
        running.kill()
    assert "Traceback" not in "".join(running.lines)
    assert not (tmp_path / "a.test.yaml").exists()
    until(lambda: not at_work_in(temporary), 5)
    assert list(temporary.iterdir()) == []
