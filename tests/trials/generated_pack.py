"""Sixty rules made at random on metrics of the world, for comparing both clocks with each other.

The rules of `generated_rules`, with the world's names in place of its own: series that a scrape
brings once each, so that no operation matches many to many. Run as a script it writes them as a
rule file, beside a scenario for them: `python -m tests.trials.generated_pack DIR`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.verifier.evaluation.generated_rules import generated_rules
from tests.verifier.generated_histories import NEAR, Shape
from verifier.pack.rule_writer import as_yaml, rule_document

SEED: Final = 60
COUNT: Final = 60
SHAPE: Final = Shape(15, 15, 240, NEAR)
NAMES: Final = {
    "level": 'agentaskit_sandbox_pool_available{sandbox_type="B"MORE}',
    "depth": 'agentaskit_task_queue_depth{priority="normal"MORE}',
    "up": 'up{job=~".+"MORE}',
    "done_total": 'http_requests_total{status="200"MORE}',
    "failed_total": 'agentaskit_agents_started_total{job=~".+"MORE}',
}
SCENARIO: Final = """\
name: generated
story: A pool leaks while sixty rules that nobody chose are evaluated.
seed: 42
duration: 4m
faults:
- {name: leaking, fault: sandbox_leak, start: 1m, duration: 2m, targets: {sandboxes: [B]},
   parameters: {share: 0.81}}
"""
_SELECTOR: Final = re.compile(
    r"\b(level|depth|up|done_total|failed_total)\b(?:\{instance(=~|!=|!~|=)\"[^\"]*\"\})?"
)


def on_the_world(expr: str) -> str:
    """Return an expression of `generated_rules` on metrics of the world."""

    def named(match: re.Match[str]) -> str:
        more = {None: "", "=": ', instance!=""', "=~": ', instance=~".+"'}.get(match[2], "")
        return NAMES[match[1]].replace("MORE", more)

    return _SELECTOR.sub(named, expr).replace("wait_bucket", "http_request_duration_seconds_bucket")


def write_pack(folder: Path) -> tuple[Path, Path]:
    """Write the rules and their scenario into `folder`; return both paths, the rules first."""
    (group,) = generated_rules(SEED, COUNT, SHAPE).groups
    rules = [rule_document(replace(rule, expr=on_the_world(rule.expr))) for rule in group.rules]
    document = {"groups": [{"name": "generated", "interval": "15s", "rules": rules}]}
    paths = folder / "rules.yaml", folder / "generated.yaml"
    paths[0].write_text(as_yaml(document), encoding="utf-8")
    paths[1].write_text(SCENARIO, encoding="utf-8")
    return paths


if __name__ == "__main__":
    write_pack(Path(sys.argv[1]))
