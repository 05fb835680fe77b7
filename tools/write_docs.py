"""Write what is made of the code: the tables of faults in docs/ and the scenario file's schema.

Run by `make docs` after a change of a fault's parameters, bounds or measures.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scenarios.fault_tables import fill_tables  # noqa: E402 - the repository is on the path only now
from scenarios.schema.json_schema import scenario_schema  # noqa: E402 - idem

PAGES = ("docs/scenarios.md", "docs/fault.md")
SCHEMA = "scenarios/scenario.schema.json"


def main() -> None:
    """Write the files that differ, and say which."""
    texts = {page: fill_tables((ROOT / page).read_text(encoding="utf-8")) for page in PAGES}
    texts[SCHEMA] = json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"
    for name, text in texts.items():
        path = ROOT / name
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
