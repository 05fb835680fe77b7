"""Write the files that are made from the code: tables in docs/ and the scenario file's schema.

Run by `make docs` after a change of a metric, a finding, a fault's parameters, bounds or measures.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from documents.marked_tables import fill_tables  # noqa: E402 - the repository is on the path only now
from exporter.metrics.metric_tables import METRIC_TABLES  # noqa: E402 - as above
from scenarios.fault_tables import FAULT_TABLES  # noqa: E402 - as above
from scenarios.schema.json_schema import scenario_schema  # noqa: E402 - as above
from verifier.check.findings.kind_tables import KIND_TABLES  # noqa: E402 - as above
from verifier.mapping.json_schema import mapping_schema  # noqa: E402 - as above

PAGES = {
    "docs/check.md": KIND_TABLES,
    "docs/scenarios.md": FAULT_TABLES,
    "docs/fault.md": FAULT_TABLES,
    "docs/serve.md": METRIC_TABLES,
}
SCHEMA = "scenarios/scenario.schema.json"
MAPPING_SCHEMA = "verifier/mapping/mapping.schema.json"


def main() -> None:
    """Write the files that differ, and print their names."""
    texts = {
        page: fill_tables((ROOT / page).read_text(encoding="utf-8"), tables)
        for page, tables in PAGES.items()
    }
    for name, schema in ((SCHEMA, scenario_schema()), (MAPPING_SCHEMA, mapping_schema())):
        texts[name] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    for name, text in texts.items():
        path = ROOT / name
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
