"""Rules kept as resources of the Prometheus Operator: read and checked as rule files."""

from __future__ import annotations

import json

import pytest

from documents.mistakes import InputError
from verifier.rule_files.loading import load_checked_rules

RESOURCE = """\
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: NAME, labels: {release: kps}}
spec:
  groups:
  - name: pools
    partial_response_strategy: warn
    limit: 5
    rules:
    - alert: NAME
      expr: up{job="NAME"} == 0
      for: 2m
      labels: {team: 0042}
      annotations: {summary: '{{ $value }}'}
"""
MAP = "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n"


def write(tmp_path, text):
    """Write a file with resources."""
    path = tmp_path / "resources.yaml"
    path.write_text(text)
    return path


def alerts(rules):
    """Return the names of the alerts."""
    return [rule.alert for _, rule in rules.alerts]


def test_a_resource_is_a_rule_file(tmp_path):
    """Its groups, with keys that the operator leaves out named, and texts as written."""
    path = write(tmp_path, RESOURCE)
    rules = load_checked_rules([path])
    ((group, alert),) = rules.alerts
    assert (group.name, group.limit, alert.for_s) == ("pools", 5, 120)
    assert alert.labels == (("team", "0042"),)
    assert str(alert.position) == f"{path}:11:13"
    assert [str(finding) for finding in rules.findings] == [
        f"{path}:7:32: partial_response_strategy is Thanos's: without meaning here"
    ]


def test_several_documents_are_read_and_what_is_no_rule_is_said(tmp_path):
    """As `kustomize build` and `helm template` print them; groups of one name stay apart."""
    text = "---\n# Source: a\n---\n".join(
        ["", RESOURCE.replace("NAME", "A"), MAP, RESOURCE.replace("NAME", "B"), ""]
    )
    rules = load_checked_rules([write(tmp_path, text)])
    assert alerts(rules) == ["A", "B"]
    assert [f.message for f in rules.findings if "ConfigMap" in f.message] == [
        "this is a ConfigMap, not a PrometheusRule: left out"
    ]


def test_a_list_of_resources_is_read_as_json_too(tmp_path):
    """As `kubectl get prometheusrules -o json` prints it."""
    spec = {"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0"}]}]}
    item = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "spec": spec}
    path = tmp_path / "list.json"
    path.write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [item, item]}, indent=2)
    )
    assert alerts(load_checked_rules([path])) == ["A", "A"]


def test_a_mistake_in_a_resource_has_its_place(tmp_path):
    """The engine sees the groups alone: its own numbers of lines would mislead."""
    path = write(tmp_path, RESOURCE + "---\n" + RESOURCE.replace("$value", "$valu"))
    with pytest.raises(InputError, match=r"\.yaml:29:30: Prometheus \S+ refuses this: annotation"):
        load_checked_rules([path])
    write(tmp_path, RESOURCE.replace("      for: 2m", "      fro: 2m"))
    with pytest.raises(InputError, match=r"\.yaml:12:7: unknown key 'fro', did you mean 'for'\?$"):
        load_checked_rules([path])
    write(tmp_path, RESOURCE.replace("for: 2m", "for: 2"))
    with pytest.raises(InputError, match=r"\.yaml:12:12: duration must be written like"):
        load_checked_rules([path])


def test_a_file_of_other_resources_holds_no_rules_and_says_so(tmp_path):
    """It is no mistake: a folder may hold such a file."""
    rules = load_checked_rules([write(tmp_path, MAP)])
    assert rules.groups == ()
    assert [finding.message for finding in rules.findings] == [
        "this is a ConfigMap, not a PrometheusRule: left out",
        "the file holds no PrometheusRule: there are no rules",
    ]
