"""Scenario files from the command line: listed, shown, checked, created."""

from __future__ import annotations

import json
import re

from agentaskit_sim.commands import scenarios as scenarios_command
from scenarios.library.files import library
from scenarios.loader import load_scenario
from scenarios.schema.json_schema import scenario_schema

NAMES = [path.stem for path in library()]


def test_every_bundled_scenario_is_listed(command):
    """With its duration and the alerts that must fire; also as JSON."""
    done = command("scenarios", "list")
    assert done.status == 0
    for name in NAMES:
        assert re.search(rf"^ +{name} ", done.out, re.MULTILINE)
    listed = json.loads(command("scenarios", "list", "--json").out)
    assert [scenario["name"] for scenario in listed] == NAMES


def test_a_scenario_is_shown_as_it_stands_in_its_file(command):
    """Byte for byte, so that it can be copied."""
    path = library()[0]
    assert command("scenarios", "show", path.stem).out == path.read_text()


def test_the_bundled_scenarios_hold_no_mistake(command):
    """Without names all of them are checked."""
    done = command("scenarios", "validate")
    assert (done.status, done.out) == (0, f"{len(NAMES)} scenarios: no mistakes\n")


def test_mistakes_of_several_files_are_reported_together(command, tmp_path):
    """One line each, status 2."""
    (tmp_path / "a.yaml").write_text("name: a\nseed: 1\n")
    (tmp_path / "b.yaml").write_text("name: [\n")
    done = command("scenarios", "validate", "a.yaml", "b.yaml", "none.yaml", NAMES[0])
    assert (done.status, done.out) == (2, "")
    assert done.err.splitlines() == [
        "a.yaml:1:1: the key 'duration' is missing",
        "a.yaml:1:1: the key 'story' is missing",
        (
            "b.yaml:2:1: this is not YAML: while parsing a flow node begun in line 2, expected the"
            " node content, but found '<stream end>'"
        ),
        "none.yaml: no such file",
    ]


def test_a_new_scenario_is_ready_to_run(command, tmp_path):
    """It loads, names the schema for editors, and never overwrites a file."""
    done = command("scenarios", "new", "my-outage")
    assert (done.status, done.err) == (0, "")
    assert done.out == "my-outage.yaml written; try: agentaskit-sim verify my-outage.yaml\n"
    text = (tmp_path / "my-outage.yaml").read_text()
    assert re.match(r"# yaml-language-server: \$schema=file:///\S+/scenario\.schema\.json\n", text)
    scenario = load_scenario(tmp_path / "my-outage.yaml")
    assert scenario.expectations[0].alert == "AvailabilitySLOBreach"
    assert scenario.expectations[0].receivers == ("pagerduty-critical",)
    again = command("scenarios", "new", "my-outage")
    assert again.status == 2
    assert again.err == "my-outage.yaml: this file exists already; choose another name\n"


def test_a_new_bundled_scenario_names_the_schema_beside_the_library(command, tmp_path, monkeypatch):
    """By a relative path, which is right in every checkout."""
    monkeypatch.setattr(f"{scenarios_command.__name__}.LIBRARY", tmp_path / "library")
    (tmp_path / "library").mkdir()
    assert command("scenarios", "new", "my-outage", "--in", "library").status == 0
    first, *_ = (tmp_path / "library" / "my-outage.yaml").read_text().splitlines()
    assert first == "# yaml-language-server: $schema=../scenario.schema.json"


def test_a_new_scenario_needs_a_valid_name(command, tmp_path):
    """A bad name, and a missing folder, are reported before anything is written."""
    done = command("scenarios", "new", "My Outage")
    assert done.status == 2
    assert done.err == "name must be lower-case words joined by '-', got 'My Outage'\n"
    assert command("scenarios", "new", "x", "--in", "none").status == 2
    assert list(tmp_path.iterdir()) == []


def test_the_schema_is_printed(command):
    """The same as the file beside the library."""
    assert json.loads(command("scenarios", "schema").out) == scenario_schema()


OWN = """\
name: own
story: x
seed: 1
duration: 9m
faults:
  - {name: gone, fault: trafic_drop, start: 1m, duration: 1m, parameters: {share: 0.5}}
"""
"""A mistake of its own in it, and further below one against rules and one against routing."""
EXPECTED = """\
name: exp
story: x
seed: 1
duration: 9m
expectations:
  - {alert: Mine, receivers: [pagre], fires_within: 5m}
  - {alert: Mien, receivers: [pager], fires_within: 5m}
"""
RULES = "groups: [{name: g, rules: [{alert: Mine, expr: up == 0}]}]\n"
ROUTING = (
    "route: {receiver: pager}\nreceivers: [{name: pager, webhook_configs: [{url: 'http://x'}]}]\n"
)


def test_validation_finds_in_one_pass_what_verify_would_refuse(command, tmp_path):
    """Mistakes of every file, against rules and routing too, and files of folders."""
    (tmp_path / "s").mkdir()
    for name, text in (("s/own.yaml", OWN), ("s/exp.yaml", EXPECTED), ("r.rules", RULES),
                       ("am.yml", ROUTING)):  # fmt: skip
        (tmp_path / name).write_text(text)
    done = command("scenarios", "validate", "s", "--rules", "r.rules", "--routing", "am.yml")
    assert (done.status, done.out) == (2, "")
    places = ["s/own.yaml:6:25", "s/exp.yaml:7:13", "s/exp.yaml:6:13"]
    assert sorted(line.partition(": ")[0] for line in done.err.splitlines()) == sorted(places)
    assert "no rule is called 'Mien', did you mean 'Mine'?" in done.err
    assert "no receiver of Mine is called 'pagre', did you mean 'pager'?" in done.err
    done = command("scenarios", "validate", "s/exp.yaml", "--routing", "am.yml")
    assert [line.partition(": ")[0] for line in done.err.splitlines()][-1:] == places[2:]
    alone = command("scenarios", "validate", "s/exp.yaml")
    assert (alone.status, alone.out) == (0, "1 scenario: no mistakes\n")
    assert alone.err == "alerts, labels and receivers are checked with --rules and --routing\n"


def test_what_validation_passes_verify_takes(command, tmp_path):
    """The same options, the same answer."""
    text = EXPECTED.replace("pagre", "pager").replace("  - {alert: Mien", "  #")
    (tmp_path / "exp.yaml").write_text(text)
    (tmp_path / "r.yaml").write_text(RULES)
    (tmp_path / "am.yml").write_text(ROUTING)
    done = command("scenarios", "validate", "--rules", "r.yaml", "exp.yaml", "--routing", "am.yml")
    assert (done.status, done.out, done.err) == (0, "1 scenario: no mistakes\n", "")


def test_validation_tells_findings_of_the_routing_from_mistakes(command, tmp_path):
    """They end nothing; which alerts reach a route is known with the rules alone."""
    (tmp_path / "exp.yaml").write_text(EXPECTED.partition("expectations")[0])
    (tmp_path / "r.yaml").write_text(RULES)
    route = "route: {receiver: pager, routes: [{matchers: [alertname=Mien], receiver: pager}]}"
    (tmp_path / "am.yml").write_text(ROUTING.replace("route: {receiver: pager}", route))
    done = command("scenarios", "validate", "exp.yaml", "--routing", "am.yml", "--rules", "r.yaml")
    assert (done.status, done.out) == (0, "1 scenario: no mistakes\n")
    assert done.err.startswith(
        "finding: am.yml:1:35: no alert of the rules reaches this route to 'pager': none has"
        " alertname=\"Mien\", did you mean 'Mine'?"
    )
    alone = command("scenarios", "validate", "exp.yaml", "--routing", "am.yml")
    assert (alone.status, alone.err) == (0, "")
