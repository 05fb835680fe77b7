"""Has the chart library in place before a wheel is packed, which ships it.

A hook of hatchling, named in pyproject.toml. A wheel without the library is refused; an editable
installation may do without, since `make setup` fetches it, and says so where it cannot.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ChartLibraryHook(BuildHookInterface[Any]):
    """Runs before anything is packed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's interface
        """Fetch what is missing; raise `CalledProcessError` when a wheel would lack it."""
        strict = [] if version == "editable" else ["--strict"]
        script = Path(self.root) / "tools" / "chart_library.py"
        subprocess.run([sys.executable, str(script), *strict], cwd=self.root, check=True)
