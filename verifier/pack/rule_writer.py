"""Writes rules back into files that a Prometheus loads, every text in them as it was read.

Called for the stack of a run in real time, whose rules are compressed, and by the cross-check.
JSON is YAML, so nothing is lost on the way. It never changes a rule.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.files import write_whole
from verifier.errors import JudgeError
from verifier.pack.rules import AlertRule, RecordingRule, RuleGroup

if TYPE_CHECKING:
    from verifier.pack.rules import RuleFiles

_NO_YAML: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON lets stand in a text and YAML refuses, or takes for the end of a line."""

_UNSAFE: Final = re.compile(r"[^\w.-]+", re.ASCII)
"""What is left out of a file name: Prometheus takes the names of rule files as patterns."""


def write_rules(rules: RuleFiles, directory: Path) -> tuple[Path, ...]:
    """Write a file for each group, in their order; return where they are.

    A file each: names of groups may be the same in files that came from several places. Raises
    JudgeError when the directory cannot be written.
    """
    paths = []
    for index, group in enumerate(rules.groups):
        path = directory / f"rules-{index:02}-{_UNSAFE.sub('_', Path(group.file).stem)}.yaml"
        try:
            write_whole(path, as_yaml({"groups": [group_document(group)]}))
        except OSError as error:
            raise JudgeError(
                f"rules cannot be written into {directory} ({error.strerror}): free some space"
            ) from None
        paths.append(path)
    return tuple(paths)


def as_yaml(document: object) -> str:
    """Write mappings, lists and texts as JSON that every YAML reader reads as the same."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _NO_YAML.sub(lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"


def group_document(group: RuleGroup) -> dict[str, object]:
    """Return a group as it stands in a rule file; what is 0 is left out."""
    document: dict[str, object] = {
        "name": group.name,
        "interval": _ms(group.interval_s),
        "limit": group.limit,
        "query_offset": _ms(group.query_offset_s),
    }
    rules = [rule_document(rule) for rule in group.rules]
    return {key: value for key, value in document.items() if value} | {"rules": rules}


def rule_document(rule: AlertRule | RecordingRule) -> dict[str, object]:
    """Return a rule as it stands in a rule file; what is 0 or empty is left out."""
    if isinstance(rule, RecordingRule):
        document: dict[str, object] = {
            "record": rule.record,
            "expr": rule.expr,
            "labels": dict(rule.labels),
        }
    else:
        document = {
            "alert": rule.alert,
            "expr": rule.expr,
            "for": _ms(rule.for_s),
            "keep_firing_for": _ms(rule.keep_firing_for_s),
            "labels": dict(rule.labels),
            "annotations": dict(rule.annotations),
        }
    return {key: value for key, value in document.items() if value}


def _ms(seconds: float) -> str:
    """Write a duration; nothing for 0."""
    return f"{round(seconds * 1000)}ms" if seconds else ""
