"""Rule files from the field, and others of their kinds: judged, or refused as their engine would.

Boiled down from public reports: labels that look like numbers, templates that no server loads,
functions and texts of other versions, keys that change nothing, rules in resources and in folders.
"""

from __future__ import annotations

import pytest

from agentaskit_sim.inputs import read_rules
from documents.mistakes import InputError
from tests.verifier.simulations import scenario_of, verify
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.binaries import describe

EMPTY = "agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.1"
LEAK = """\
duration: 12m
load: {rate: 1000}
faults:
- {name: leaking, fault: sandbox_leak, start: 2m, duration: 6m, targets: {sandboxes: [B]},
   parameters: {share: 0.95}}
expectations:
- {alert: PoolNearlyEmpty, fires_within: 5m, resolves_within: 2m, labels: {LABELS}}
"""
AS_WRITTEN = {
    "severity_num": "300",
    "team": "0042",
    "release": "1.10",
    "weight": "1e3",
    "page": "True",
    "mask": "0x1F",
    "big": "12345678901234567890",
    # Of other shapes: dates, times of day, YAML 1.1's words and numbers, texts in blocks.
    "since": "2026-01-05",
    "at": "12:30:45",
    "on_call": "yes",
    "ratio": ".5",
    "inf": "-.inf",
    "octal": "0o17",
    "grouped": "1_000",
    "tilde": "~x",
    "hash": "a#b",
}


def rule(tmp_path, text, name="rules.yaml"):
    """Write a file with one group of one rule; `text` are the lines below its name."""
    path = tmp_path / name
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    path.write_text(f"groups:\n- name: g\n  rules:\n  - alert: PoolNearlyEmpty\n{lines}")
    return path


def test_our_mistakes_and_those_of_the_engine_are_reported_together(tmp_path):
    """Each in its place; a rule that is right beside them says nothing."""
    path = tmp_path / "rules.yaml"
    path.write_text(
        "groups:\n- name: g\n  rules:\n  - {alert: A, expr: nosuch(x) > 1}\n"
        "- name: g\n  rules:\n  - {alert: B, expr: up == 0}\n  - {record: x y, expr: up}\n"
        "  - {alert: C, expr: sum(up}\n".replace("sum(up}", '"sum(up"}')
    )
    with pytest.raises(InputError) as caught:
        load_checked_rules([path])
    assert [mistake.place.line for mistake in caught.value.mistakes] == [4, 5, 8, 9]


def test_labels_are_judged_as_they_are_written(tmp_path):
    """An expectation names them as the file does, and so does the alert; nothing is no label."""
    labels = "".join(f"\n  {name}: {text}" for name, text in AS_WRITTEN.items())
    path = rule(tmp_path, f"expr: {EMPTY}\nfor: 2m\nlabels:{labels}\n  none:\n  nil: ~\n  no: null")
    expected = ", ".join(f'{name}: "{text}"' for name, text in AS_WRITTEN.items())
    outcome = verify(scenario_of(LEAK.replace("LABELS", expected)), load_checked_rules([path]))
    (alert,) = outcome.alerts
    assert outcome.verdict == "pass", alert.reason
    series = {"job", "instance", "sandbox_type"}
    assert {name: text for name, text in alert.labels if name not in series} == AS_WRITTEN


@pytest.mark.parametrize(
    ("key", "template", "words"),
    [
        (
            "annotations",
            "Pool {{ $label.sandbox_type }} is nearly empty",
            'undefined variable "$lab',
        ),
        ("annotations", "{{ $value | humanizePercent }} left", 'function "humanizePercent" not'),
        ("annotations", "Pool {{ if gt $value 0.05 }}low", "unexpected EOF"),
        ("annotations", "{{ range query `up` }}{{ .Labels.job }}", "unexpected EOF"),
        ("annotations", "{{ $labels.pool }", 'unexpected "}" in operand'),
        ("labels", "{{ if $value > 1 }}a{{ end }}", 'unexpected ">" in operand'),
    ],
)
def test_a_template_that_no_server_loads_is_refused_at_its_place(tmp_path, key, template, words):
    """Before anything runs, in the engine's own words."""
    path = rule(tmp_path, f"expr: {EMPTY}\n{key}:\n  summary: '{template}'")
    with pytest.raises(
        InputError, match=r"rules\.yaml:7:16: Prometheus \S+ refuses this: "
    ) as caught:
        read_rules([path])
    assert words in str(caught.value)


HOLT_WINTERS = "holt_winters(agentaskit_sandbox_pool_available[10m], 0.5, 0.5) < 10"
"""Known to Prometheus 2, refused by Prometheus 3."""


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "expr",
    [
        HOLT_WINTERS,
        r"sum(rate(http_requests_total{status=~`5\d\d`}[2m])) > 100",
        r"up{instance=~`127\.0\.0\.1:.+`} == 0",
        'up{instance=`a"b`} == 0',
        r'up{job=~"\\Qa.b\\E.*"} == 0',
        'sum(up) > 1 # a `comment\n  and up{job!="`"} == 2',
        '{__name__=~"up|down"} == 0',
    ],
)
def test_what_the_engine_takes_is_judged(tmp_path, expr):
    """Old functions, texts in backticks, RE2's quoting: nothing is refused or left out."""
    path = rule(tmp_path, "expr: |\n  " + expr.replace("\n", "\n  "))
    if expr == HOLT_WINTERS and int(describe("prometheus").version.split(".")[0]) >= 3:
        with pytest.raises(InputError, match="unknown function"):
            read_rules([path])
        return
    rules = read_rules([path])
    assert (len(rules.alerts), rules.not_judged) == (1, ())
    outcome = verify(scenario_of("duration: 1m\nload: {rate: 1000}\n"), rules)
    assert outcome.invalid == ()


@pytest.mark.parametrize("key", ["limit: 10", "query_offset: 30s", "labels: {team: a}", "limit: 0"])
def test_a_key_that_changes_nothing_here_ends_no_run(tmp_path, key):
    """Judged, or said and left out: whether the engine knows it or not."""
    path = rule(tmp_path, f"expr: {EMPTY}")
    path.write_text(path.read_text().replace("  rules:", f"  {key}\n  rules:"))
    rules = read_rules([path])
    assert len(rules.alerts) == 1
    assert all(key.partition(":")[0] in finding.message for finding in rules.findings)


def test_a_folder_is_read_with_what_is_below_it_and_the_rest_is_said(tmp_path):
    """Whatever a file is called that is named itself."""
    folder = tmp_path / "rules"
    (folder / "team" / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("a.rules", "b.yml", "team/c.yaml", "team/deep/d.rules.yml", ".git/e.yaml"):
        rule(folder, f"expr: {EMPTY}", name)
    (folder / "team" / "README.md").write_text("read me")
    rules = read_rules([folder, rule(tmp_path, f"expr: {EMPTY}", "no-ending")])
    files = [group.file.removeprefix(f"{tmp_path}/") for group in rules.groups]
    inside = ["a.rules", "b.yml", "team/c.yaml", "team/deep/d.rules.yml"]
    assert files == [*(f"rules/{name}" for name in inside), "no-ending"]
    assert [finding.message for finding in rules.findings] == [
        "not read, no *.yaml or *.yml or *.rules: team/README.md"
    ]


GRADED = f"""\
expr: {EMPTY.replace("0.1", "0.5")}
for: 1m
labels:
  severity: '{{{{ if lt $value 0.1 }}}}critical{{{{ else }}}}warning{{{{ end }}}}'
  pool: '{{{{ $labels.sandbox_type | toLower }}}}'
  rest: '{{{{ $value | printf "%.0f" }}}}'
  gone: '{{{{ $labels.nope }}}}'
  job: ''
"""


def test_a_label_that_changes_with_the_value_is_judged(tmp_path):
    """By the real template language; the alert of the other severity starts anew."""
    scenario = LEAK.replace("- {alert", "- {alert: PoolNearlyEmpty, labels: {severity: warning},"
                            " explained: on the way there}\n- {alert")  # fmt: skip
    scenario = scenario.replace("LABELS", "severity: critical, pool: b, rest: '0'")
    outcome = verify(scenario_of(scenario), load_checked_rules([rule(tmp_path, GRADED)]))
    assert outcome.verdict == "pass", [alert.reason for alert in outcome.alerts]
    severities = {dict(alert.labels).get("severity") for alert in outcome.alerts if alert.firing_s}
    assert "critical" in severities
    assert all("job" not in dict(alert.labels) for alert in outcome.alerts if alert.firing_s)


def test_a_label_that_asks_the_engine_is_not_judged_and_the_others_are(tmp_path):
    """Its text depends on what the server that expands it has stored."""
    path = rule(tmp_path, f"expr: {EMPTY}\nlabels: {{n: '{{{{ query `up` | len }}}}'}}")
    path.write_text(path.read_text() + f"  - alert: Other\n    expr: {EMPTY}\n")
    rules = read_rules([path])
    assert [alert.alert for _, alert in rules.alerts] == ["Other"]
    (item,) = rules.not_judged
    reason = "its label n asks the engine for data or the time, by a template"
    assert str(item) == f"{path}:5:11: alert PoolNearlyEmpty is not judged: {reason}"
