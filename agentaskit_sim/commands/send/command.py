"""`agentaskit-sim send`: simulates a scenario and writes its history to a store by remote write.

Every sample is asked for again at the end. Standard output carries what was sent and what is not
found again, or with `--json` one document; progress goes to standard error. Exit status: 0 all is
found again, once; 1 something is missing or doubled; 2 bad input; 3 the store refuses samples or
does not answer.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console

from agentaskit_sim.access_token import read_token
from agentaskit_sim.commands.send.progress import SendProgress
from agentaskit_sim.commands.send.send_options import (  # noqa: TC001 - typer reads the annotations
    CellsCluster,
    PastDepth,
    RetryFor,
    SafeAfter,
    SentJson,
    SentScenario,
    StartInstant,
    StoreAsk,
    StoreTo,
    WritingThreads,
)
from agentaskit_sim.engines.reading import read_headers
from agentaskit_sim.foreign.mappings import read_mapping
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    Exact,
    MappingFile,
    RequestHeaders,
    Seed,
    ServerTokenFile,
    TopologyFile,
)
from agentaskit_sim.scenario_choice import choose_scenario
from documents.durations import parse_duration
from documents.mistakes import InputError
from verifier.backtest.instants import parse_instant
from verifier.errors import JudgeError
from verifier.stores.receipt import receipt_document, receipt_lines
from verifier.stores.scenario_sending import PAST_S, SentHistory, send_scenario
from verifier.stores.sender import SAFE_S, SendingSetup
from verifier.stores.store_file import read_store
from verifier.suite import cores
from verifier.virtual_time.healthy_world import HealthyWorlds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scenarios.scenario import Scenario

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim send traffic-drop --to http://127.0.0.1:8428/api/v1/write
  agentaskit-sim send cell-failover --to store.yaml --past 30d --workers 2
  agentaskit-sim send my-outage.yaml --to https://mimir.example.org/api/v1/push \\
      --header X-Scope-OrgID=trial --token-file token
"""
RETRY_S: Final = 300.0
PAST_MAX_S: Final = 400 * 86_400.0
MINUTE_S: Final = 60


def send(  # noqa: PLR0913 - typer declares options as parameters
    scenario: SentScenario,
    *,
    to: StoreTo,
    ask: StoreAsk = None,
    header: RequestHeaders = None,
    token_file: ServerTokenFile = None,
    at: StartInstant = None,
    past: PastDepth = None,
    seed: Seed = None,
    topology: TopologyFile = None,
    mapping: MappingFile = None,
    exact: Exact = False,
    workers: WritingThreads = None,
    cluster: CellsCluster = None,
    retry_for: RetryFor = None,
    safe_after: SafeAfter = None,
    as_json: SentJson = False,
) -> None:
    """Write a scenario's whole history to your store, and find every sample again."""
    chosen = _with_cells_for(cluster, choose_scenario(scenario, seed, topology))
    store = read_store(to, ask, _headers(header, token_file))
    sent = SentHistory(
        chosen,
        _start_s(chosen, at),
        _seconds(past, "--past", PAST_S, most_s=PAST_MAX_S),
        exact,
        read_mapping(mapping, [chosen]),
    )
    progress = SendProgress(Console(stderr=True, highlight=False), chosen.duration_s)
    threads = workers or cores()
    setup = SendingSetup(
        workers=threads,
        give_up_s=_seconds(retry_for, "--retry-for", RETRY_S),
        safe_s=_seconds(safe_after, "--safe-after", SAFE_S),
        say=progress.say,
    )
    progress.say(f"Sending {chosen.name} to {store.write.text} ...")
    with progress, _worlds(chosen, threads, cluster) as worlds:
        receipt = send_scenario(
            sent, store, setup, worlds, report=progress.report, watch=progress.watch
        )
    url = store.write.text
    if as_json:
        document = receipt_document(receipt, scenario=chosen.name, seed=chosen.seed, url=url)
        typer.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        for line in receipt_lines(receipt, url):
            typer.echo(line)
    raise typer.Exit(int(not receipt.whole))


@contextlib.contextmanager
def _worlds(scenario: Scenario, threads: int, cluster: str | None) -> Iterator[HealthyWorlds]:
    """Give what simulates the cells: threads here, or the workers of a cluster."""
    if cluster is None:
        yield HealthyWorlds(threads)
        return
    from verifier.cluster.cells.running import (  # noqa: PLC0415 - asyncio for one
        CellsLostError,
        worlds_on_cluster,
    )
    from verifier.cluster.connection import SchedulerLostError  # noqa: PLC0415 - as above

    try:
        with worlds_on_cluster(cluster, scenario.topology.cells) as worlds:
            yield worlds
    except (CellsLostError, SchedulerLostError) as error:
        raise JudgeError(
            f"{error}; what was sent until then stays in the store, which refuses a second run of"
            " the same times: delete it there, or send it all again with another --at"
        ) from error


def _with_cells_for(cluster: str | None, scenario: Scenario) -> Scenario:
    """Return it; raise `InputError` for a cluster that is none, or has nothing to share."""
    if cluster is None:
        return scenario
    from verifier.cluster.connection import check_address  # noqa: PLC0415 - asyncio for one

    check_address(cluster)
    if scenario.topology.cells == 1:
        raise InputError(
            f"--cluster shares the cells of a system among workers, {scenario.name} has one: leave"
            " it out"
        )
    return scenario


def _headers(written: list[str] | None, token_file: Path | None) -> list[tuple[str, str]]:
    """Return the headers of the command line; raise `InputError` for one that is none."""
    headers = read_headers(written or (), "--header")
    if token_file is not None:
        headers.append(("Authorization", f"Bearer {read_token(token_file)}"))
    return headers


def _start_s(scenario: Scenario, at: str | None) -> float:
    """Return when the scenario starts, Unix seconds: a whole one."""
    now_s = time.time()
    if at is not None:
        start_s = parse_instant(at, field="--at", now_s=now_s)
        return float(round(start_s))
    if scenario.starts_at_s is not None:
        return scenario.starts_at_s
    return (now_s - scenario.duration_s) // MINUTE_S * MINUTE_S


def _seconds(text: str | None, option: str, default_s: float, *, most_s: float = 1e9) -> float:
    if text is None:
        return default_s
    seconds = parse_duration(text, field=option)
    if seconds > most_s:
        raise InputError(f"{option} must be at most {most_s / 86_400:g}d, got {text}")
    return seconds
