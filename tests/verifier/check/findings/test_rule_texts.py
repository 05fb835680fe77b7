"""Which rule files are read anew for what their rules do not say."""

from __future__ import annotations

import json

import pytest

from tests.verifier.check.packs import alert
from verifier.check.findings.rule_texts import files_to_read
from verifier.pack.rules import load_rules


@pytest.mark.parametrize(
    ("fields", "is_read"),
    [
        ({}, False),
        ({"for": "0s"}, True),
        ({"labels": {"team": "{% if x %}"}}, True),
        ({"annotations": {"summary": "{% if x %}"}}, True),
        ({"labels": {"team": "{{ $labels.x }}"}}, False),
    ],
)
def test_a_file_is_read_anew_for_an_alert_without_delay_or_with_residue(tmp_path, fields, is_read):
    """In a label as in an annotation; of any other alert the rule says all."""
    path = tmp_path / "rules.yaml"
    path.write_text(json.dumps({"groups": [{"name": "g", "rules": [alert("up == 0", **fields)]}]}))
    assert files_to_read(load_rules([path])) == ({str(path)} if is_read else set())
