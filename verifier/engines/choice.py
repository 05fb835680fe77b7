"""Which engine judges: Prometheus, another build of it, VictoriaMetrics, or one at a URL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from documents.mistakes import InputError
from verifier.engines.remote import SCENARIO, RemoteAddress, RemoteEngine
from verifier.engines.victoria_metrics import VictoriaMetrics, require_victoria_metrics
from verifier.servers.binaries import require
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Sequence

ENGINES: Final = ("prometheus", "victoria-metrics")
_RULE: Final = "--engine must be prometheus, victoria-metrics, the path of such a program, or a URL"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine as the user wrote it; `binary` and `address` where these are named."""

    written: str
    kind: Literal["prometheus", "victoria-metrics", "remote"] = "prometheus"
    binary: Path | None = None
    address: RemoteAddress | None = None

    def check(self) -> None:
        """Raise JudgeError when it is a program that is not installed."""
        if self.kind == "prometheus" and self.binary is None:
            require("prometheus")
        if self.kind == "victoria-metrics" and self.binary is None:
            require_victoria_metrics()

    def server(self, scenario: str) -> Prometheus:
        """Return the server that judges a scenario, not started yet."""
        if self.address is not None:
            return RemoteEngine(self.address.of(scenario))
        if self.kind == "victoria-metrics":
            return VictoriaMetrics(binary=self.binary)
        return Prometheus(binary=self.binary)


PROMETHEUS: Final = EngineChoice("prometheus")


def choose_engine(
    written: str, *, write_url: str | None, headers: Sequence[tuple[str, str]], scenarios: int
) -> EngineChoice:
    """Return the engine that is meant; raise `InputError` for anything else.

    A URL needs the one that samples are written to; for several `scenarios` it must name a place
    for each.
    """
    if written == "prometheus":
        return EngineChoice(written)
    if written == "victoria-metrics":
        return EngineChoice(written, "victoria-metrics")
    if "://" in written:
        return _remote(written, write_url, headers, scenarios)
    path = Path(written)
    if not path.is_file() or not os.access(path, os.X_OK):
        raise InputError(f"{_RULE}, got {written}")
    is_victoria = "victoria" in path.name
    return EngineChoice(
        written, "victoria-metrics" if is_victoria else "prometheus", path.resolve()
    )


def _remote(
    written: str, write_url: str | None, headers: Sequence[tuple[str, str]], scenarios: int
) -> EngineChoice:
    if write_url is None:
        raise InputError(f"--engine {written} needs --remote-write URL, where samples are written")
    address = RemoteAddress(written, write_url, tuple(headers))
    try:
        RemoteEngine(address.of("x"))
    except ValueError as error:
        raise InputError(f"--engine and --remote-write {error}") from None
    if scenarios > 1 and not address.is_per_scenario:
        raise InputError(
            f"--engine {written}: {scenarios} scenarios would be stored on top of each other: name"
            f" one scenario, or put {SCENARIO} into the URLs or into --engine-header, for a tenant"
            " of each"
        )
    return EngineChoice(written, "remote", address=address)
