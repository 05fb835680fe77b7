"""Mapping files as text, and the documents that `agentaskit-sim mapping` prints with `--json`.

The schemas of the documents are beside this file. Pure.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exporter.mapping.mapped_metrics import mapped_label_sets
from exporter.mapping.quantities import quantities
from exporter.mapping.rebinning import is_among
from simulator.topology import Topology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exporter.mapping.metric_mapping import MetricMapping
    from verifier.mapping.proposal import Proposal

VERSION: Final = 1
_PLAIN: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.-]*")
_WORDS: Final = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
"""Words that some reader of YAML takes for something else than text."""
_HERE: Final = Path(__file__).parent
SCHEMAS: Final = {
    name: _HERE / f"mapping_{name}.schema.json" for name in ("quantities", "check", "proposal")
}


def proposal_text(proposal: Proposal, source: str) -> str:
    """Return a proposal as a mapping file, what is not mapped as comments at its end."""
    lines = [f"# Proposed for {source}: read every entry, shares are even ones.", "metrics:"]
    for entry in proposal.metrics:
        for i, (key, value) in enumerate(entry.items()):
            start = "  - " if i == 0 else "    "
            if key == "labels":
                lines.append(f"{start}labels:")
                lines += [f"      {_inline(k)}: {_inline(v)}" for k, v in value.items()]
            else:
                lines.append(f"{start}{key}: {_inline(value)}")
    lines += [f"# {line}" for line in unmapped_lines(proposal)]
    return "\n".join(lines) + "\n"


def unmapped_lines(proposal: Proposal) -> list[str]:
    """Return what a proposal leaves out, each metric with the reason, below a heading."""
    lines = [f"  {each.metric} ({each.kind}): {each.reason}" for each in proposal.unmapped]
    return ["Not mapped:", *lines] if lines else []


def _inline(value: object) -> str:
    """Return a value in YAML's flow style; text in quotes only where it needs them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inline(k)}: {_inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, float):
        return f"{value:.12g}"
    text = str(value)
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def proposal_document(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal as `mapping_proposal.schema.json` describes it."""
    return {
        "version": VERSION,
        "mapping": {"metrics": list(proposal.metrics)},
        "unmapped": [
            {"metric": each.metric, "type": each.kind, "reason": each.reason}
            for each in proposal.unmapped
        ],
    }


def quantities_document() -> dict[str, Any]:
    """Return what can be mapped, as `mapping_quantities.schema.json` describes it."""
    return {
        "version": VERSION,
        "quantities": [
            {
                "name": each.name,
                "type": each.kinds[0],
                "unit": each.metric.unit,
                "labels": {k: list(v) for k, v in each.label_values(Topology()).items()},
                "help": each.metric.help,
            }
            for each in quantities().values()
        ],
    }


def check_document(mapping: MetricMapping) -> dict[str, Any]:
    """Return what a mapping makes, as `mapping_check.schema.json` describes it."""
    topology = Topology()
    metrics = []
    for each in mapping.metrics:
        sets = len(mapped_label_sets(each, topology))
        metrics.append(
            {
                "name": each.name,
                "type": each.kind,
                "from": each.source,
                "series": sets * (len(each.bounds) + 3) if each.kind == "histogram" else sets,
            }
        )
    return {
        "version": VERSION,
        "job": mapping.target.job,
        "instance": mapping.target.instance,
        "metrics": metrics,
        "notes": list(mapping_notes(mapping)),
    }


def mapping_notes(mapping: MetricMapping) -> Iterator[str]:
    """Yield what to know of a mapping that is no mistake: buckets that are interpolated."""
    for each in mapping.metrics:
        ours = [bound * each.factor for bound in quantities()[each.source].metric.bounds_s]
        between = [f"{bound:g}" for bound in each.bounds if not is_among(bound, ours)]
        if between:
            yield (
                f"{each.name}: no buckets of ours end at {', '.join(between)}: what lies between"
                " two of ours is taken to be spread evenly"
            )
