"""Rule files: one good document, one mutation per rule of the format, each with its place."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from documents.mistakes import InputError
from verifier.pack.rule_sources import read_source
from verifier.pack.rules import AlertRule, RecordingRule, load_rules, read_unit, whole_number
from verifier.servers.binaries import describe, require

PACK = sorted((Path(__file__).parents[3] / "observability/alerts").glob("*.yaml"))
GOOD = """\
groups:
  - name: first
    interval: 30s
    rules:
      - record: job:errors:rate5m
        expr: sum(rate(errors_total[5m]))
        labels: {source: rule}
      - alert: ManyErrors
        expr: |
          job:errors:rate5m > 5
        for: 1h30m
        keep_firing_for: 90s
        labels:
          severity: critical
        annotations:
          summary: '{{ $value }} errors'
  - name: second
    rules: []
"""


def write(tmp_path: Path, text: str) -> Path:
    """Write a rule file."""
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    """Durations are seconds, labels sorted pairs, every rule knows its place."""
    path = write(tmp_path, GOOD)
    files = load_rules([path], default_interval_s=45)
    first, second = files.groups
    assert (first.name, first.interval_s, first.file) == ("first", 30, str(path))
    assert (second.interval_s, second.rules) == (45, ())
    recording, alert = first.rules
    assert isinstance(recording, RecordingRule)
    assert recording.labels == (("source", "rule"),)
    assert isinstance(alert, AlertRule)
    assert (alert.for_s, alert.keep_firing_for_s) == (5400, 90)
    assert alert.annotations == (("summary", "{{ $value }} errors"),)
    assert str(alert.position) == f"{path}:9:15"
    assert files.alerts == ((first, alert),)
    assert files.recordings == ((first, recording),)
    assert files.findings == ()


def test_the_pack_has_its_nineteen_alerts() -> None:
    """With the files of the contract alone, the extras apart."""
    contract = [path for path in PACK if path.name != "extras.yaml"]
    assert len(load_rules(contract).alerts) == 19
    assert len(load_rules(PACK).alerts) > 19


MUTATIONS = [
    (
        "    interval: 30s",
        "    intervall: 30s",
        ":3:5: unknown key 'intervall', did you mean 'interval'?",
    ),
    (
        "interval: 30s",
        "interval: 30",
        ":3:15: duration must be written like 30s, 5m or 1h30m, got '30'",
    ),
    (
        "for: 1h30m",
        "for: 30m1h",
        ":11:14: duration must be written like 30s, 5m or 1h30m, got '30m1h'",
    ),
    (
        "keep_firing_for: 90s",
        "keep_firing_for: x",
        ":12:26: duration must be written like 30s, 5m or 1h30m, got 'x'",
    ),
    ("        for: 1h30m", "        fro: 1h30m", ":11:9: unknown key 'fro', did you mean 'for'?"),
    ("name: second", "name: first", ":17:11: the group name 'first' is given twice"),
    (
        "- name: second\n    rules",
        "- rules",
        ":17:5: name must be text that is not empty, got nothing",
    ),
    (
        "sum(rate(errors_total[5m]))",
        "sum(rate(errors_total[5m])",
        ":6:15: expr is not PromQL: unclosed left parenthesis",
    ),
    (
        "sum(rate(errors_total[5m]))",
        "rate(errors_total)",
        ":6:15: expr is not PromQL: expected type matrix in call to function 'rate', got vector",
    ),
    (
        "        expr: sum(rate(errors_total[5m]))\n",
        "",
        ":5:9: expr must be text that is not empty, got nothing",
    ),
    (
        "record: job:errors:rate5m",
        "record: job-errors",
        ":5:17: record must be a metric name, got 'job-errors'",
    ),
    (
        "labels: {source: rule}",
        "annotations: {a: b}",
        ":7:9: unknown key 'annotations', the keys are record, expr, labels",
    ),
    (
        "alert: ManyErrors",
        "alert: A\n        record: b",
        ":8:9: a rule must have either alert or record, and expr",
    ),
    (
        "- alert: ManyErrors\n        expr",
        "- expr",
        ":8:9: a rule must have either alert or record, and expr",
    ),
    (
        "severity: critical",
        "sev-erity: critical",
        ":14:22: label name must be letters, digits and _, got 'sev-erity'",
    ),
    (
        "severity: critical",
        "__name__: x",
        ":14:21: label name must be letters, digits and _, got '__name__'",
    ),
    ("severity: critical", "severity: [a]", ":14:21: severity must be text, got a list"),
    ("rules: []", "rules: {}", ":18:12: groups[1].rules must be a list, got a mapping"),
    ("groups:", "group:", ":1:1: unknown key 'group', did you mean 'groups'?"),
]


FREE_NAMES = ("record: job-errors", "sev-erity: critical")
"""Names that Prometheus 3 takes: there they hold any letter, and the engine is asked first."""


@pytest.mark.parametrize(("good", "bad", "message"), MUTATIONS)
def test_each_mistake_is_reported_with_its_place(
    tmp_path: Path, good: str, bad: str, message: str
) -> None:
    """The exact line."""
    path = write(tmp_path, GOOD.replace(good, bad, 1))
    with pytest.raises(InputError) as caught:
        load_rules([path])
    assert f"{path}{message}" in str(caught.value).splitlines()


@pytest.mark.sampled(9)
@pytest.mark.parametrize(("good", "bad", "message"), MUTATIONS)
def test_each_mistake_is_reported_with_its_place_and_prometheus_refuses_it_too(
    tmp_path: Path, good: str, bad: str, message: str
) -> None:
    """The exact line; and we are not stricter than promtool."""
    assert GOOD.count(good) >= 1
    path = write(tmp_path, GOOD.replace(good, bad, 1))
    with pytest.raises(InputError) as caught:
        load_rules([path])
    assert f"{path}{message}" in str(caught.value).splitlines()
    names_are_free = int(describe("promtool").version.split(".")[0]) >= 3
    assert (promtool_status(path) == 0) == (bad in FREE_NAMES and names_are_free)


def test_promtool_takes_the_good_file(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    assert promtool_status(write(tmp_path, GOOD)) == 0


def promtool_status(path: Path) -> int:
    """Return the exit status of `promtool check rules`."""
    command = [require("promtool"), "check", "rules", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_all_mistakes_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    """Nobody mends a file error by error."""
    path = write(tmp_path, GOOD.replace("1h30m", "x").replace("90s", "y"))
    with pytest.raises(InputError) as caught:
        load_rules([path, tmp_path / "missing.yaml"])
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        str(tmp_path / "missing.yaml"), f"{path}:11:14", f"{path}:12:26"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "limit", "query_offset_s"),
    [
        ("limit: 3", 3, 0),
        ("query_offset: 1m", 0, 60),
        ("limit: 0x10\n    query_offset: 1m30s", 16, 90),
        ("limit: 010", 8, 0),
        ("limit: 1_0", 10, 0),
        ("limit: 2.0", 2, 0),
        ("limit: ~", 0, 0),
    ],
)
def test_a_group_has_its_limit_and_its_offset(
    tmp_path: Path, keys: str, limit: int, query_offset_s: float
) -> None:
    """Whole numbers as Go's reader takes them."""
    path = write(tmp_path, GOOD.replace("interval: 30s", keys))
    group = load_rules([path]).groups[0]
    assert (group.limit, group.query_offset_s) == (limit, query_offset_s)


def test_jinja_residue_is_a_finding_and_stops_nothing(tmp_path: Path) -> None:
    """Users' older files carry it in annotations; it reaches the reader literally."""
    wrapped = "'{% raw %}{{ $value }}{% endraw %} errors'"
    path = write(tmp_path, GOOD.replace("'{{ $value }} errors'", wrapped))
    files = load_rules([path])
    assert len(files.alerts) == 1
    assert [str(finding) for finding in files.findings] == [
        f"{path}:16:20: annotation summary holds Jinja residue ({{% ... %}}): it is shown as is"
    ]


def test_labels_of_a_group_belong_to_its_rules_unless_they_have_their_own(tmp_path: Path) -> None:
    """As in Prometheus 3."""
    path = write(tmp_path, GOOD.replace("interval: 30s", "labels: {severity: low, team: a}", 1))
    ((_, alert),) = load_rules([path]).alerts
    assert alert.labels == (("severity", "critical"), ("team", "a"))


def test_what_is_left_empty_is_left_out_as_go_leaves_it_out(tmp_path: Path) -> None:
    """Groups, rules and values of labels; a group without an interval has the usual minute."""
    text = (
        "groups:\n- ~\n- name: g\n  rules:\n  - ~\n"
        "  - {alert: A, expr: up, labels: {a: ~, b: 1, c: true}, for: ~}\n"
        "  - {record: r, expr: up}\n"
    )
    files = load_rules([write(tmp_path, text)])
    [group] = files.groups
    alert, recording = group.rules
    assert (group.interval_s, group.limit, group.query_offset_s) == (60.0, 0, 0.0)
    assert isinstance(alert, AlertRule)
    assert (alert.alert, alert.labels, alert.for_s) == ("A", (("b", "1"), ("c", "true")), 0.0)
    assert isinstance(recording, RecordingRule)
    assert recording.labels == ()
    assert load_rules([write(tmp_path, "groups: ~\n")]).groups == ()


def test_of_what_the_engine_has_accepted_nothing_is_refused(tmp_path: Path) -> None:
    """Keys without a value, names of any letters, expressions that only it understands."""
    text = (
        "groups: [{name: g, rules: [{alert: A, record: '', expr: 'up > > 1'},"
        " {record: job-errors, alert: ~, expr: up, for: 0s, labels: {a-b: c}}]}]\n"
    )
    [unit] = read_source(write(tmp_path, text)).units
    taken = read_unit(unit, accepted=True)
    assert taken.mistakes == ()
    assert [type(rule) for rule in taken.rules.groups[0].rules] == [AlertRule, RecordingRule]
    assert len(read_unit(unit).mistakes) == 6


def test_residue_in_a_label_is_a_finding_too(tmp_path: Path) -> None:
    """Labels first."""
    text = GOOD.replace("severity: critical", "severity: '{% a %}'")
    path = write(tmp_path, text.replace("{{ $value }} errors", "{% b %}"))
    assert [str(finding) for finding in load_rules([path]).findings] == [
        f"{path}:14:21: label severity holds Jinja residue ({{% ... %}}): it is shown as is",
        f"{path}:16:20: annotation summary holds Jinja residue ({{% ... %}}): it is shown as is",
    ]


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (None, 0), ("", 0), ("0", 0), ("7", 7), ("-7", -7), ("+7", 7), ("010", 8), ("-010", -8),
        ("0x1f", 31), ("0b11", 3), ("0o17", 15), ("1_000", 1000), ("2.0", 2), ("1e3", 1000),
    ],
)  # fmt: skip
def test_whole_numbers_are_those_of_gos_reader(raw: str | None, number: int) -> None:
    """In octal with a leading zero."""
    assert whole_number(raw) == number


@pytest.mark.parametrize("raw", ["x", "09", "1.2.3", "0xg", "[1]", "1e999"])
def test_what_is_no_whole_number_is_refused(raw: str) -> None:
    """With what it is."""
    with pytest.raises(InputError, match="limit must be a whole number, got "):
        whole_number(raw)


RULE = "apiVersion: m/v1\nkind: PrometheusRule\nspec: {groups: [{name: g, rules: []}]}\n"
OTHER = "apiVersion: v1\nkind: Service\n"
IGNORED = "Prometheus reads the first document of a file only: what stands from here is not"


def nested(depth: int) -> str:
    """Return a resource within so many lists."""
    text = "{apiVersion: m/v1, kind: PrometheusRule, spec: {groups: [{name: g, rules: []}]}}"
    for _ in range(depth):
        text = f"{{apiVersion: v1, kind: RuleList, items: [{text}]}}"
    return text + "\n"


@pytest.mark.parametrize(
    ("text", "groups", "said"),
    [
        (RULE, 1, []),
        (f"---\n---\n{RULE}", 1, []),
        (f"{RULE}---\n{RULE}", 2, []),
        (f"{RULE}---\n{OTHER}", 1, [":5:1: this is a Service, not a PrometheusRule: left out"]),
        (OTHER, 0, [":1:1: this is a Service, not a PrometheusRule: left out",
                    ":1:1: the file holds no PrometheusRule: there are no rules"]),
        (nested(1), 1, []),
        (nested(2), 1, []),
        (nested(3), 0, [":1:83: this is a RuleList, not a PrometheusRule: left out",
                        ":1:1: the file holds no PrometheusRule: there are no rules"]),
        (f"groups: []\n---\n{RULE}", 0, [f":3:1: {IGNORED}"]),
        ("---\n---\ngroups: [{name: g, rules: []}]\n", 0, []),
        ("groups: []\n---\n---\n", 0, []),
    ],
)  # fmt: skip
def test_resources_are_read_each_as_a_file_of_its_own(
    tmp_path: Path, text: str, groups: int, said: list[str]
) -> None:
    """In lists and in several documents; of a rule file the first document alone is read."""
    path = write(tmp_path, text)
    files = load_rules([path])
    assert len(files.groups) == groups
    assert [str(each).removeprefix(str(path)) for each in files.findings] == said


@pytest.mark.parametrize("key", ["kind", "apiVersion"])
def test_what_lacks_a_part_of_a_resource_is_a_rule_file(tmp_path: Path, key: str) -> None:
    """And refused for the keys that are none of one."""
    text = "".join(line for line in RULE.splitlines(keepends=True) if not line.startswith(key))
    with pytest.raises(InputError, match="unknown key"):
        load_rules([write(tmp_path, text)])
