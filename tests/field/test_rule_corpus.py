"""Rule files that nobody here wrote, of a folder named by RULE_CORPUS: taken as the engine does.

Without the variable there is nothing to measure. A resource of an operator and a key that only a
newer engine knows are the exceptions, and are named.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from documents.mistakes import InputError
from tests.verifier.simulations import scenario_of, verify
from verifier.pack.rule_sources import RULE_RESOURCE
from verifier.rule_files.loading import NEWER_KEYS, load_checked_rules
from verifier.servers.binaries import require

FOLDER = os.environ.get("RULE_CORPUS")
FILES = sorted(path for path in Path(FOLDER).rglob("*") if path.is_file()) if FOLDER else []

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not FILES, reason="RULE_CORPUS names no folder with rule files"),
]


def is_exception(path, rules):
    """Return whether an older engine refuses a file for its form or for a key of a newer one."""
    said = " ".join(finding.message for finding in rules.findings)
    return RULE_RESOURCE in path.read_text() or any(f"the key {key}," in said for key in NEWER_KEYS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_taken_or_refused_as_promtool_does_and_each_rule_is_judged_or_named(path):
    """On a quiet minute; what is not judged has its reason."""
    command = [require("promtool"), "check", "rules", "--lint=none", path]
    taken = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        rules = load_checked_rules([path])
    except InputError:
        rules = None
    if rules is None:
        assert not taken
        return
    assert taken or is_exception(path, rules)
    outcome = verify(scenario_of("duration: 1m\nload: {rate: 1000}\n"), rules)
    named = {alert.alert for alert in outcome.alerts}
    subjects = {item.subject for item in (*rules.not_judged, *outcome.not_judged)}
    for _, rule in rules.alerts:
        assert rule.alert in named or f"alert {rule.alert}" in subjects or outcome.invalid
