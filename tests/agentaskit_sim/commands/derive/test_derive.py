"""`derive`: the file that it writes, what promtool says of it, its exit status, how it refuses."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import pytest

from agentaskit_sim.commands import derive as derive_module
from tests.schemas.validation import validate
from verifier.derive.result import SCHEMA
from verifier.servers.binaries import require

RULES = """\
groups:
  - name: shop
    rules:
      - alert: QueueDeep
        expr: queue_depth{job="shop"} > 100
        for: 1m
        labels: {severity: page}
"""
ALERT = (("alertname", "QueueDeep"), ("alertstate", "firing"))
UNSOLVABLE = RULES + "      - {alert: Never, expr: 'queue_depth < 0 and queue_depth > 1'}\n"


def promtool(*arguments):
    """Run `promtool test rules`."""
    return subprocess.run(
        [require("promtool"), "test", "rules", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_is_written_that_promtool_confirms_and_that_notices_a_wrong_rule(command, tmp_path):
    """From another folder than that of the rules; with `>=` for `>` and with a longer `for`."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    rules, out = tmp_path / "rules" / "a.yaml", tmp_path / "tests" / "a.test.yaml"
    rules.write_text(RULES)
    done = command("derive", "--rules", rules, "--out", out)
    assert done.status == 0
    assert done.out == "DERIVED: 100.0%: 1 of 1 alert solved, 4 tests, promtool agrees with each\n"
    assert promtool(out).returncode == 0
    for old, new in [("> 100", ">= 100"), ("1m", "90s"), ('job="shop"', 'job=~".+"')]:
        rules.write_text(RULES.replace(old, new))
        assert promtool(out).returncode == 1, new


@pytest.mark.ci
def test_json_is_one_document_by_the_published_schema_and_the_share_decides_the_status(
    command, tmp_path
):
    """What is not solved has its reason; the suite is in the document."""
    rules = tmp_path / "a.yaml"
    rules.write_text(UNSOLVABLE)
    done = command("derive", "--rules", rules, "--json", "--fail-under", "51", "--report", "d.html")
    document = json.loads(done.out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert (done.status, document["solved"], document["share"]) == (1, 1, 0.5)
    assert f"{rules}:8: Never is not solved: " in done.err
    assert document["suite"].count("- name: ") == 4
    page = (tmp_path / "d.html").read_text()
    assert "<title>50.0%: agentaskit-sim derive" in page
    assert "below the 51 % of --fail-under" in page


def test_a_test_with_which_promtool_does_not_agree_is_left_out_and_named(
    command, tmp_path, monkeypatch
):
    """As if our state machine were wrong: planted, the alert fires an evaluation too early."""
    rules = tmp_path / "a.yaml"
    rules.write_text(RULES)
    solve = derive_module.solve_alerts

    def solve_wrongly(*arguments):
        [solution] = solve(*arguments)
        wrong = replace(solution.tests[0], expected=((0.0, (ALERT,)),))
        return [replace(solution, tests=(wrong, *solution.tests[1:]))]

    monkeypatch.setattr(derive_module, "solve_alerts", solve_wrongly)
    done = command("derive", "--rules", rules, "--fail-under", "1")
    assert done.status == 1
    assert "promtool does not agree with the test 'QueueDeep fires, then resolves'" in done.err
    assert done.out.count("- name: ") == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--alert", "QueueDep"), "did you mean 'QueueDeep'?"),
        (("--out", "nowhere/x.yaml"), "must be in a folder that is there"),
        (("--out", "a.yaml"), "must not be one of the rule files"),
        (("--out", "mine.yaml"), "must not replace a file that was not derived"),
        (("--rules", "resource.yaml"), "promtool loads no resource"),
        (("--fail-under", "101"), "--fail-under"),
    ],
)
def test_a_mistake_is_status_2_and_nothing_is_written(command, tmp_path, options, said):
    """Before anything is solved."""
    (tmp_path / "a.yaml").write_text(RULES)
    (tmp_path / "mine.yaml").write_text("tests: []\n")
    body = RULES.replace("\n", "\n  ")
    (tmp_path / "resource.yaml").write_text(
        f"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec:\n  {body}"
    )
    done = command("derive", "--rules", "a.yaml", *options)
    assert done.status == 2
    assert said in done.err
    assert (tmp_path / "mine.yaml").read_text() == "tests: []\n"
