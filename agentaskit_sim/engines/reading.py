"""The engines that a command line names, and headers as it writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.mistakes import InputError
from verifier.engines.choice import choose_engine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from verifier.engines.choice import EngineChoice


def read_engines(
    engines: Sequence[str] | None,
    write_url: str | None,
    headers: Sequence[str] | None,
    *,
    scenarios: int,
) -> tuple[EngineChoice, ...]:
    """Return the engines, none where none is named; raise `InputError` for what is none."""
    if len(engines or ()) > 2:
        raise InputError("--engine can be given once or twice: two engines are compared at a time")
    remote = [engine for engine in engines or () if "://" in engine]
    if len(remote) > 1:
        raise InputError("only one --engine can be a URL: compare each with prometheus")
    for name, value in (("remote-write", write_url), ("engine-header", headers)):
        if value and not remote:
            raise InputError(f"--{name} needs an --engine that is a URL")
    pairs = read_headers(headers or (), "--engine-header")
    return tuple(
        choose_engine(each, write_url=write_url, headers=pairs, scenarios=scenarios)
        for each in engines or ()
    )


def refuse_files(junit_file: Path | None, out: Path | None) -> None:
    """Raise `InputError` for files that a comparison does not write."""
    for name, path in (("junit", junit_file), ("out", out)):
        if path is not None:
            raise InputError(
                f"--{name} cannot be used with two engines: print --json, or write --report"
            )


def refuse_live_engines(
    engines: Sequence[str] | None, *, live: bool, cluster: str | None = None
) -> None:
    """Raise `InputError` for an engine in real time, where a Prometheus scrapes and evaluates.

    For one on a cluster, too, whose workers are compared by their Prometheus alone, and for a
    cluster that is none or would judge in real time.
    """
    if cluster is not None:
        from verifier.cluster.connection import check_address  # noqa: PLC0415 - asyncio for one

        check_address(cluster)
        if live:
            raise InputError("--cluster cannot be used with --live: its workers have no stack")
    if cluster is not None and engines:
        raise InputError("--engine cannot be used with --cluster: workers judge by Prometheus")
    if live and engines:
        raise InputError("--engine judges in virtual time: it cannot be used with --live")


def read_headers(written: Sequence[str], option: str) -> list[tuple[str, str]]:
    """Return names and values of headers; raise `InputError` for a text that is none."""
    headers = []
    for text in written:
        name, mark, value = text.partition("=")
        if not mark or not name.strip() or not value.strip() or not text.isprintable():
            raise InputError(f"{option} must be NAME=VALUE, such as X-Scope-OrgID=team")
        headers.append((name.strip(), value.strip()))
    return headers
