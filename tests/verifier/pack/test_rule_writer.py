"""Rules written back into files: a real Prometheus loads them, every text as it was."""

from __future__ import annotations

import json
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from documents.mistakes import Place
from tests.verifier.simulations import PACK, pack_rules
from verifier.errors import JudgeError
from verifier.pack.rule_writer import as_yaml, group_document, write_rules
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles, RuleGroup, load_rules
from verifier.real_time.rule_compression import compress_rules
from verifier.servers.binaries import require
from verifier.servers.prometheus import Prometheus

OLDER = Path(__file__).parents[2] / "agentaskit_sim" / "commands" / "older"
NINETEEN = ("slo", "performance", "backpressure")
NOWHERE = Place("g.yaml", 1, 1)
AWKWARD = (
    "tab\t, \"quoted\" 'so' \\n, {{ $value }}{% raw %}, é\u0085\u2028\x7f\ufeff😀\n- : # &a *b !c"
)
"""What YAML and JSON do not write alike: each of its characters has been lost by some tool."""


def documents(files):
    """Return rules without where they stand."""
    return [group_document(group) for group in files.groups]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("factor", [1, 7, 30])
@pytest.mark.parametrize(
    ("directory", "names"), [(PACK / "alerts", (*NINETEEN, "extras")), (OLDER, NINETEEN)]
)
def test_promtool_and_the_loader_take_what_is_written(tmp_path, directory, names, factor):
    """The pack's rules, the extras and a user's older ones, compressed or not."""
    files = compress_rules(load_rules([directory / f"{name}.yaml" for name in names]), factor)
    paths = write_rules(files, tmp_path)
    assert list(paths) == sorted(tmp_path.iterdir())
    run = subprocess.run(
        [require("promtool"), "check", "rules", *paths], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert documents(load_rules(paths)) == documents(files)


def test_every_field_of_a_group_and_of_its_rules_is_written(tmp_path):
    """What is read again is what was written; a field that is forgotten would be its default."""
    alert = AlertRule("A", "x > 1", 60.0, 90.0, (("severity", "page"),), (("s", "t"),), NOWHERE)
    record = RecordingRule("y:z", "sum(x)", (("a", "b"),), NOWHERE)
    group = RuleGroup("g", "g.yaml", 15.0, (alert, record), limit=7, query_offset_s=30.0)
    for field in (*fields(AlertRule), *fields(RecordingRule), *fields(RuleGroup)):
        owners = [each for each in (alert, record, group) if hasattr(each, field.name)]
        assert all(getattr(each, field.name) != field.default for each in owners), field.name
    (again,) = load_rules(write_rules(RuleFiles((group,)), tmp_path)).groups
    assert group_document(again) == group_document(group)
    assert (again.limit, again.query_offset_s) == (7, 30.0)


def test_a_running_prometheus_has_every_text_as_it_was():
    """Templates, quotes, line ends and characters that YAML needs escaped."""
    alert = AlertRule(
        alert="Awkward",
        expr="x > 1 # ü\nand\n\ty{l='\"'} > 2",
        for_s=60.0,
        keep_firing_for_s=90.0,
        labels=(("severity", "{{ $labels.severity }}"),),
        annotations=(("summary", AWKWARD),),
        position=NOWHERE,
    )
    record = RecordingRule("y:z", "sum(rate(x[5m]))", (("a", "true"),), NOWHERE)
    files = RuleFiles((RuleGroup("g", "g.yaml", 15.0, (alert, record)),))
    with Prometheus() as server:
        paths = write_rules(compress_rules(files, 30), server.directory)
        server.configure(json.dumps({"rule_files": [str(path) for path in paths]}))
        (group,) = server._client._ask("/api/v1/rules")["groups"]
    first, second = group["rules"]
    assert (group["interval"], first["duration"], first["keepFiringFor"]) == (0.5, 2, 3)
    assert first["annotations"] == {"summary": AWKWARD}
    assert first["labels"] == {"severity": "{{ $labels.severity }}"}
    assert (second["name"], second["labels"]) == ("y:z", {"a": "true"})
    assert second["query"] == "sum(rate(x[10s]))"


def test_plain_json_would_have_lost_a_text(tmp_path):
    """The planted fault: what `as_yaml` writes otherwise than JSON is needed."""
    document = {"text": AWKWARD}
    assert json.loads(as_yaml(document)) == document
    assert as_yaml(document) != json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    broken = json.dumps({"groups": [{"name": AWKWARD, "rules": []}]})  # 😀 as two halves
    (tmp_path / "broken.yaml").write_text(broken, encoding="utf-8")
    run = subprocess.run(
        [require("promtool"), "check", "rules", tmp_path / "broken.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0


def test_groups_of_the_same_name_and_files_of_any_name_do_not_clash(tmp_path):
    """Prometheus takes names of rule files as patterns, and a group's name once in a file."""
    source = tmp_path / "a [b]*?.yaml"
    source.write_text('groups: [{name: g, rules: [{record: y, expr: "1"}]}]', encoding="utf-8")
    paths = write_rules(load_rules([source, source]), tmp_path)
    assert [path.name for path in paths] == ["rules-00-a_b_.yaml", "rules-01-a_b_.yaml"]
    with Prometheus() as server:
        server.configure(json.dumps({"rule_files": [str(path) for path in paths]}))
        assert len(server._client._ask("/api/v1/rules")["groups"]) == 2


def test_a_directory_that_cannot_be_written_is_reported(tmp_path):
    """No rules, no verdict."""
    with pytest.raises(JudgeError, match=r"rules cannot be written into .*nowhere .*No such file"):
        write_rules(pack_rules("slo"), tmp_path / "nowhere")
