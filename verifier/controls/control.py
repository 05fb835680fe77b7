"""The controls that are shipped: what is wrong with each on purpose, and what must come of it.

Read by `selftest` from `controls.yaml`; the files of a control, in `must_fail/`, are scenarios,
rules and dashboards as users write them. Nothing here judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from documents.yaml_reader import load

CONTROLS: Final = Path(__file__).with_name("controls.yaml")
FILES: Final = Path(__file__).with_name("must_fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A run that must end with `status`, and whose every reason must hold the text `reason`.

    `wrong` says what was done on purpose. With status 0 nothing was, and the run must pass: what
    fails even so says nothing about the others.
    """

    name: str
    wrong: str
    scenario: str
    status: int
    rules: tuple[str, ...] = ("few-tasks.rules.yaml",)
    dashboards: tuple[str, ...] = ("tasks.dashboard.json",)
    panel_truth: str = ""
    reason: str = ""

    @property
    def files(self) -> tuple[str, tuple[Path, ...], tuple[Path, ...], Path | None]:
        """The scenario, rule files, dashboards and panel truths, as `verify` takes them."""
        rules = tuple(FILES / name for name in self.rules)
        dashboards = tuple(FILES / name for name in self.dashboards)
        truth = FILES / self.panel_truth if self.panel_truth else None
        return str(FILES / self.scenario), rules, dashboards, truth

    @property
    def command(self) -> str:
        """The words that repeat it by hand, in the folder of the files."""
        rules, dashboards = " ".join(self.rules), " ".join(self.dashboards)
        truth = f" --panel-truth {self.panel_truth}" if self.panel_truth else ""
        return f"verify {self.scenario} --rules {rules} --dashboards {dashboards}{truth}"


def read_controls(path: Path = CONTROLS) -> tuple[Control, ...]:
    """Return the controls of a file, in its order."""
    return tuple(TypeAdapter(list[Control]).validate_python(load(path).data))
