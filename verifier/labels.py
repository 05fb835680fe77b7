"""Labels of an alert or a series as `verifier` passes them on: pairs sorted by name."""

from __future__ import annotations

from typing import TypeAlias

Labels: TypeAlias = tuple[tuple[str, str], ...]
