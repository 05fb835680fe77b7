"""`verify`: what it reads, what it prints where, and which status each verdict has."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from agentaskit_sim.commands import verify as verify_module
from agentaskit_sim.front.pack_files import PACK, PACK_RULES
from agentaskit_sim.inputs import InputPaths, read_inputs
from documents.mistakes import InputError
from scenarios.library.files import library
from tests.schemas.validation import validate
from tests.verifier.outcomes import failing, outcome, unjudged
from verifier.errors import JudgeError
from verifier.judge.verdict_document import verdict_schema
from verifier.suite import cores

SCENARIO = """\
name: {name}
story: x
seed: 1
duration: 9m
expectations: [{{alert: {alert}, fires_within: 5m}}]
"""


def write_scenario(folder, name="mine", alert="HighTaskQueueDepth"):
    """Write a scenario file and return its path."""
    path = folder / f"{name}.yaml"
    path.write_text(SCENARIO.format(name=name, alert=alert))
    return path


@pytest.fixture
def judged(monkeypatch):
    """Replace the judge by one that returns these outcomes, and keep what it was called with."""
    asked = {}

    def judge_as(*outcomes):
        def judge(_, judge, __, **options):
            asked.update(judge=judge, inputs=judge.inputs, **options)
            return list(outcomes)

        monkeypatch.setattr(verify_module, "judge_all", judge)
        monkeypatch.setattr(verify_module, "require", lambda _: None)
        return asked

    return judge_as


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([outcome()], 0),
        ([outcome(), failing()], 1),
        ([outcome(), unjudged()], 3),
        ([failing(), unjudged()], 1),
    ],
)
def test_the_verdict_is_the_exit_status(command, judged, tmp_path, outcomes, status):
    """0 all hold, 1 one failed, 3 could not judge; results are saved in each case."""
    judged(*outcomes)
    done = command("verify", "traffic-drop")
    assert (done.status, done.err) == (status, "")
    (saved,) = (tmp_path / "results").iterdir()
    assert f"Results: results/{saved.name}\n" in done.out
    assert json.loads((saved / "verdict.json").read_text())["verdict"] in done.out.lower()


def test_json_leaves_standard_output_clean(command, judged):
    """One document that follows the published schema; the table goes to standard error."""
    judged(outcome(), failing())
    done = command("verify", "traffic-drop", "--json", "--out", "here")
    validate(json.loads(done.out), verdict_schema())
    assert "Planted" in done.err
    assert done.status == 1


def test_junit_is_written_to_the_file_of_the_option(command, judged, tmp_path):
    """Beside the results, which hold it too."""
    judged(outcome())
    assert command("verify", "--junit", "report.xml", "--out", "here").status == 0
    assert ET.parse(tmp_path / "report.xml").getroot().get("tests") == "3"  # noqa: S314 - XML that this program wrote
    assert (tmp_path / "here" / "junit.xml").read_text() == (tmp_path / "report.xml").read_text()
    done = command("verify", "--junit", "none/report.xml", "--out", "there")
    assert done.status == 2
    assert done.err == "none/report.xml: cannot be written: there is no such folder\n"
    assert not (tmp_path / "there").exists()


def test_without_names_every_bundled_scenario_is_judged(command, judged):
    """With the pack's own 19 alerts and 20 panels."""
    asked = judged(outcome())
    command("verify")
    assert [scenario.name for scenario in asked["inputs"].scenarios] == [
        path.stem for path in library()
    ]
    assert len(asked["inputs"].rules.alerts) == 19
    assert len(asked["inputs"].dashboards.panels) == 20
    assert (asked["judge"].exact, asked["jobs"]) == (False, None)


def test_options_reach_the_judge(command, judged, tmp_path):
    """Seed, exactness, jobs, and a scenario named twice is judged once."""
    asked = judged(outcome())
    path = write_scenario(tmp_path)
    command("verify", path, path, "traffic-drop", "--seed", "7", "--exact", "--jobs", "3")
    assert [(scenario.name, scenario.seed) for scenario in asked["inputs"].scenarios] == [
        ("mine", 7),
        ("traffic-drop", 7),
    ]
    assert (asked["judge"].exact, asked["jobs"]) == (True, 3)


def test_runs_in_real_time_are_cut_over_the_whole_library_only(command, judged):
    """A named scenario runs to its end; a limit of the user always holds."""
    asked = judged(outcome())
    assert command("verify", "--live", "--compress", "30").status == 0
    assert (asked["judge"].factor, asked["judge"].limit_s) == (30.0, 13 * 60)
    assert (asked["judge"].both, asked["jobs"]) == (False, 3 * cores())
    assert command("verify", "--both", "traffic-drop").status == 0
    assert (asked["judge"].factor, asked["judge"].limit_s) == (1.0, math.inf)
    assert asked["judge"].both
    command("verify", "--live", "traffic-drop", "--limit", "15m", "--jobs", "1")
    assert (asked["judge"].limit_s, asked["jobs"]) == (900.0, 1)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--compress", "30"], "--compress needs --live: virtual time has no such thing"),
        (["--limit", "30s"], "--limit needs --live: virtual time has no such thing"),
        (
            ["--live", "--exact"],
            "--exact cannot be used with --live: real time resamples nothing",
        ),
        (
            ["--live", "--panel-truth", "truth.yaml"],
            "--panel-truth cannot be used with --live: virtual time alone compares",
        ),
        (["--live", "--limit", "soon"], "--limit must be a duration such as 1h30m"),
        (["--live", "--limit", "0s"], "--limit must be above 0s, got 0s"),
        (
            ["--live", "--compress", "10", "--limit", "1s"],
            "--limit 1s ends traffic-drop before anything that it expects is due; the first",
        ),
        (["--live", "--compress", "60"], "the highest factor that these rules allow is 30"),
    ],
)
def test_options_that_do_not_fit_real_time_are_refused(command, judged, words, error):
    """Before anything is started, in one line each, with the way out."""
    asked = judged(outcome())
    done = command("verify", "traffic-drop", *words)
    assert done.status == 2
    assert error in done.err
    assert "Traceback" not in done.err
    assert not asked


def test_a_load_bound_to_the_clock_cannot_be_compressed(command, judged, tmp_path):
    """The curve of a day has its own time; mistakes in receivers are reported with it."""
    judged(outcome())
    path = write_scenario(tmp_path)
    text = path.read_text().replace(
        "expectations:", "load: {daily: {amplitude: 0.1}}\nexpectations:"
    )
    path.write_text(text.replace("5m}", "5m, receivers: [pager]}"))
    done = command("verify", "--live", path)
    assert done.status == 2
    assert "load: daily must be left out in real time" in done.err
    assert "no receiver of HighTaskQueueDepth is called 'pager'" in done.err


def test_rules_and_dashboards_of_the_user_replace_the_pack(command, judged, tmp_path):
    """Several files after one option, repeated options, and folders."""
    asked = judged(outcome())
    shutil.copytree(PACK / "dashboards", tmp_path / "boards")
    shutil.copytree(PACK / "alerts", tmp_path / "alerts")
    command("verify", "traffic-drop", "--rules", *PACK_RULES[:2], "--dashboards", "boards")
    assert len(asked["inputs"].rules.alerts) == 15
    command("verify", "--rules", PACK_RULES[1], "traffic-drop", "--rules", PACK_RULES[0])
    assert len(asked["inputs"].rules.alerts) == 15
    assert [scenario.name for scenario in asked["inputs"].scenarios] == ["traffic-drop"]
    command("verify", "traffic-drop", "--rules", "alerts", "--dashboards=boards/sla.json")
    assert len(asked["inputs"].rules.alerts) > 19
    assert len(asked["inputs"].dashboards.panels) == 6


def test_mistakes_of_all_files_are_reported_before_anything_runs(tmp_path):
    """Scenarios, rules and dashboards; an alert that no rule defines has its place."""
    wrong = write_scenario(tmp_path, "wrong", "HighTaskQueueDepht")
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: broken\n")
    board = tmp_path / "board.json"
    board.write_text('{"panels": [}')
    with pytest.raises(InputError) as caught:
        read_inputs(
            InputPaths(scenarios=[str(wrong), str(broken), "trafic-drop"], dashboards=[board])
        )
    lines = str(caught.value).splitlines()
    assert lines == [
        "no bundled scenario is called 'trafic-drop', did you mean 'traffic-drop'?",
        f"{board}:1:13: this is not JSON: unexpected '}}'",
        f"{broken}:1:1: the key 'duration' is missing",
        f"{broken}:1:1: the key 'seed' is missing",
        f"{broken}:1:1: the key 'story' is missing",
        f"{wrong}:5:24: no rule is called 'HighTaskQueueDepht', did you mean 'HighTaskQueueDepth'?",
    ]


def test_two_scenarios_of_one_name_are_refused(tmp_path):
    """Their verdicts could not be distinguished."""
    (tmp_path / "a").mkdir()
    first, second = write_scenario(tmp_path), write_scenario(tmp_path / "a")
    with pytest.raises(InputError) as caught:
        read_inputs(InputPaths(scenarios=[str(first), str(second)]))
    assert str(caught.value) == (
        f"{second}: another scenario of the same name is {first}: give one a new name"
    )


def test_a_folder_without_rules_is_a_mistake(tmp_path):
    """Nothing would be judged."""
    with pytest.raises(InputError) as caught:
        read_inputs(InputPaths(scenarios=["traffic-drop"], rules=[tmp_path]))
    assert str(caught.value).startswith(f"{tmp_path}: the folder holds no *.yaml or *.yml")


def test_rules_and_dashboards_that_were_swapped_are_sent_to_the_other_option(tmp_path):
    """Both folders at once."""
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "sla.json").write_text("{}")
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "slo.rules").write_text("groups: []")
    with pytest.raises(InputError) as caught:
        read_inputs(InputPaths(["traffic-drop"], [tmp_path / "boards"], [tmp_path / "rules"]))
    assert str(caught.value) == (
        f"{tmp_path}/boards: the folder holds no *.yaml or *.yml or *.rules; dashboards go with"
        f" --dashboards\n{tmp_path}/rules: the folder holds no dashboard; rule files go with"
        " --rules"
    )


def test_without_prometheus_the_status_is_3_and_the_advice_is_printed(command, monkeypatch):
    """With `--json` the document has `invalid` for each scenario."""

    def missing(_):
        raise JudgeError("prometheus was not found: run `make setup`")

    monkeypatch.setattr(verify_module, "require", missing)
    done = command("verify", "traffic-drop")
    assert (done.status, done.out) == (3, "")
    assert done.err == "prometheus was not found: run `make setup`\n"
    done = command("verify", "traffic-drop", "--json")
    document = json.loads(done.out)
    validate(document, verdict_schema())
    assert (done.status, document["verdict"]) == (3, "invalid")
    assert document["scenarios"][0]["reasons"] == ["prometheus was not found: run `make setup`"]


def test_the_documented_document_follows_the_schema(repository):
    """The example of docs/verify.md has every key, and no other."""
    page = (repository / "docs" / "verify.md").read_text(encoding="utf-8")
    _, _, rest = page.partition("\n    {\n")
    example, _, _ = rest.partition("\n    }\n")
    validate(json.loads(f"{{{example}}}"), verdict_schema())


def test_a_real_prometheus_judges_a_bundled_scenario(tmp_path):
    """As a user runs it, from end to end: a flood fires one alert, the small load two more."""
    done = subprocess.run(
        [sys.executable, "-m", "agentaskit_sim", "verify", "message-flood", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    document = json.loads(done.stdout)
    validate(document, verdict_schema())
    assert (done.returncode, document["verdict"]) == (0, "pass"), done.stderr
    (scenario,) = document["scenarios"]
    alerts = scenario["alerts"]
    assert {alert["alert"] for alert in alerts if alert["expected"] == "fires"} == {
        "MessageQueueBackpressure"
    }
    assert {alert["alert"] for alert in alerts if alert["expected"] == "explained"} == {
        "TaskThroughputBelowTarget", "MessageThroughputBelowTarget",
    }  # fmt: skip
    assert len({alert["alert"] for alert in alerts}) == 19
    assert len({(panel["dashboard"], panel["panel"]) for panel in scenario["panels"]}) == 20
