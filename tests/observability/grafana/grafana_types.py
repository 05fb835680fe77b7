"""Dashboards against the types that Grafana itself publishes, in npm's `@grafana/schema`.

Each document becomes a constant of the type that it must have, and TypeScript's own compiler says
what is wrong with it: a key that there is none of, one that is missing, a value of another type.
The compiler runs on the Node that playwright brings. Fetched once into `.tools`, pinned.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import playwright

if TYPE_CHECKING:
    from collections.abc import Mapping

NODE: Final = Path(playwright.__file__).parent / "driver" / "node"
ENUM: Final = re.compile(r"export declare enum (\w+) \{(.*?)\n\}", re.DOTALL)
MEMBER: Final = re.compile(r'= ("[^"]*"|-?\d+)')
ERROR: Final = re.compile(r"^documents\.ts\((\d+),\d+\): error (.*)$", re.MULTILINE)
PANELS: Final = ("gauge", "heatmap", "piechart", "stat", "timeseries")
UNREACHABLE: Final = 3
"""The status of a script that could fetch nothing."""
OF_PROMETHEUS: Final = ("tagKeys", "textFormat", "titleFormat", "useValueForTime")
"""What Grafana's Prometheus data source reads beside the query of an annotation. Its query types
are published with the data source, and no others may stand there."""
PACKAGE: Final = "node_modules/@grafana/schema"
"""Where the compiler looks: the types name one another by the name of their package."""
TYPES: Final = f"./{PACKAGE}/dist/types"
HEAD: Final = f"""\
import type {{ Dashboard }} from "{TYPES}/veneer/dashboard.types"; \
import type {{ DataQuery }} from "{TYPES}/veneer/common.types"; \
type Query = DataQuery & {{ expr: string; interval?: string }}; \
"""


@dataclass(frozen=True)
class GrafanaTypes:
    """Grafana's published types, unpacked into a folder, and the compiler beside them."""

    folder: Path

    def faults(self, dashboards: Mapping[str, dict[str, Any]]) -> dict[str, list[str]]:
        """Return what the compiler says of each dashboard, by its name; [] of a valid one."""
        lines = [HEAD + "".join(_import(panel) for panel in PANELS)]
        of_line: list[str] = [""]
        for name, dashboard in dashboards.items():
            for type_, document in _typed(dashboard):
                lines.append(f"export const c{len(lines)}: {type_} = {json.dumps(document)};")
                of_line.append(name)
        (self.folder / "documents.ts").write_text("\n".join(lines), "utf-8")
        done = subprocess.run(
            [NODE, self.folder / "typescript" / "lib" / "tsc.js", "--noEmit", "--strict",
             "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler",
             "--target", "es2022", "documents.ts"],
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        errors = ERROR.findall(done.stdout)
        assert bool(errors) == bool(done.returncode), done.stdout + done.stderr
        return {
            name: [text for line, text in errors if of_line[int(line) - 1] == name]
            for name in dashboards
        }


def fetch_grafana_types(repository: Path) -> GrafanaTypes | str:
    """Return the types, fetched if they were not; where they cannot be, the reason.

    A script that ends in any other way than by saying so (status 3) is a failure, no reason.
    """
    folder = repository / ".tools" / "grafana"
    script = repository / "tools" / "grafana_schema.py"
    done = subprocess.run(
        [sys.executable, script, folder], capture_output=True, text=True, check=False
    )
    if done.returncode == UNREACHABLE:
        return done.stderr.strip()
    assert done.returncode == 0, done.stderr
    package = folder / PACKAGE
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(folder / "schema" / "dist" / "types", package / "dist" / "types")
    shutil.copy(folder / "schema" / "package.json", package)
    for file in package.rglob("*.d.ts"):
        # A constant of an enum is written as its name, which JSON has not: its values are meant.
        file.write_text(ENUM.sub(_union, file.read_text("utf-8")), "utf-8")
    return GrafanaTypes(folder)


def _union(enum: re.Match[str]) -> str:
    return f"export type {enum[1]} = {' | '.join(MEMBER.findall(enum[2]))};"


def _import(panel: str) -> str:
    place = f"{TYPES}/raw/composable/{panel}/panelcfg/x/types.gen"
    return f'import type * as {panel} from "{place}"; '


def _typed(dashboard: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the parts of a dashboard, each with the type that it must have.

    Options that a saved panel leaves out are Grafana's defaults.
    """
    annotations = [
        {key: value for key, value in each.items() if key not in OF_PROMETHEUS}
        for each in dashboard["annotations"]["list"]
    ]
    queries = [each.pop("target") for each in annotations if "target" in each]
    return [
        ("Dashboard", {**dashboard, "annotations": {"list": annotations}}),
        *(("Query", query) for query in queries),
        *((f"Partial<{panel['type']}.Options>", panel["options"]) for panel in dashboard["panels"]),
        *(
            (f"{panel['type']}.FieldConfig", panel["fieldConfig"]["defaults"]["custom"])
            for panel in dashboard["panels"]
            if "custom" in panel["fieldConfig"]["defaults"]
        ),
    ]
