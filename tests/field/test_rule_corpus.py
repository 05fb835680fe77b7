"""Rule files that nobody here wrote, each through `verify` on twenty quiet minutes.

`RULE_CORPUS` names a folder of them; without it there is nothing to measure. A file is taken or
refused as the engine does: a resource of an operator and a key that only a newer engine knows are
the exceptions, and are named. `-n 2` runs two at a time, and `--junitxml` writes what each took.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.trials.corpus_runs import check_end, unnamed_rules, verify_quietly
from verifier.pack.rule_sources import RULE_RESOURCE
from verifier.rule_files.loading import NEWER_KEYS
from verifier.servers.binaries import require

FOLDER = os.environ.get("RULE_CORPUS")
FILES = sorted(path for path in Path(FOLDER).rglob("*") if path.is_file()) if FOLDER else []

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not FILES, reason="RULE_CORPUS names no folder with rule files"),
]


def is_exception(path, run):
    """Return whether an older engine refuses a file for its form or for a key of a newer one."""
    return RULE_RESOURCE in path.read_text() or any(
        f"the key {key}," in finding for key in NEWER_KEYS for finding in run.scenario["findings"]
    )


def groups_of(path):
    """Return the groups that a server reads, or an operator: of resources those of every document.

    Of anything else a server reads the first document only.
    """
    documents = [each for each in YAML(typ="safe", pure=True).load_all(path.read_text()) if each]
    if RULE_RESOURCE not in path.read_text():
        documents = documents[:1]
    return [
        group
        for document in documents
        for group in (document.get("spec") or document).get("groups") or ()
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_taken_or_refused_as_promtool_does_and_each_rule_is_judged_or_named(
    path, tmp_path, record_property
):
    """What is not judged has its reason."""
    run = verify_quietly(tmp_path, "--rules", path)
    command = [require("promtool"), "check", "rules", "--lint=none", path]
    taken = subprocess.run(command, capture_output=True, check=False).returncode == 0
    record_property("promtool", taken)
    check_end(run, record_property)
    if run.document is None:
        record_property("refused", run.said)
        assert not taken
        return
    for key in ("alerts", "not_judged", "findings", "reasons"):
        record_property(key, json.dumps(run.scenario[key]))
    assert taken or is_exception(path, run)
    assert run.scenario["reasons"] or not unnamed_rules(run, groups_of(path))
