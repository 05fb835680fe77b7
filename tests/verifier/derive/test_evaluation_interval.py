"""How often a derived test evaluates follows from every `for` and every interval."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.verifier.alerts import rule_files
from verifier.derive.solving import evaluation_s
from verifier.pack.rules import RuleFiles


@pytest.mark.parametrize(
    ("waits_s", "interval_s", "evaluated_s"),
    [
        ([], 60.0, 60.0), ([0.0], 300.0, 60.0), ([120.0], 60.0, 60.0), ([90.0], 60.0, 15.0),
        ([300.0], 60.0, 30.0), ([60.0], 20.0, 15.0), ([300.0, 80.0], 60.0, 15.0),
    ],
)  # fmt: skip
def test_half_of_every_for_is_a_whole_number_of_evaluations(waits_s, interval_s, evaluated_s):
    """Of every interval, too; never more than a minute, nor less than a quarter of one."""
    (group,) = rule_files(interval_s=interval_s).groups
    (rule,) = group.rules
    rules = tuple(replace(rule, for_s=for_s) for for_s in waits_s)
    assert evaluation_s(RuleFiles((replace(group, rules=rules),))) == evaluated_s
