"""`agentaskit-sim replay`: rules against the history of the user's own Prometheus.

When each alert would have been pending, firing and resolved, how noisy it would have been, and what
another version of the rules changes. Standard output carries the table, or with `--json` one
document; progress goes to standard error. Exit status: 0 every alert could be judged (and none is
noisier than `--fail-over`), 1 one is, 2 bad input, 3 an alert is vacuous, lacks data or could not
be judged, nothing is stored in all of the range, or the server gives no history.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import typer
from rich import box
from rich.console import Console
from rich.table import Column, Table

from agentaskit_sim.access_token import read_token
from agentaskit_sim.engines.reading import read_headers
from agentaskit_sim.front.named_files import distinct_files
from agentaskit_sim.inputs import InputPaths, read_rules
from agentaskit_sim.options import (  # noqa: TC001 - typer reads the annotations
    AgainstRules,
    ForeignTimeout,
    FromInstant,
    HistoryPrometheus,
    LastPeriod,
    ReplayedRules,
    ReplayFailOver,
    ReplayFolder,
    ReplayJson,
    RequestHeaders,
    RequestPause,
    ResultPageFile,
    Resume,
    ServerTokenFile,
    ToInstant,
)
from agentaskit_sim.run_files import record
from agentaskit_sim.terminal.replay_progress import ReplayProgress
from agentaskit_sim.terminal.tables import needed_width, plain_console
from agentaskit_sim.verdict_output import check_places, write_result_page
from documents.durations import format_duration, parse_duration
from documents.files import write_whole
from documents.mistakes import InputError
from verifier.backtest.grids import server_spread
from verifier.backtest.history_server import TIMEOUT_S, HistoryServer, Politeness
from verifier.backtest.instants import parse_instant
from verifier.backtest.progress_file import ProgressFile
from verifier.backtest.replay import Replay, ReplayRequest
from verifier.backtest.result import ReplayResult, result_document, result_lines, result_of
from verifier.backtest.sample_gaps import sample_gaps
from verifier.backtest.silence import SilenceCheck
from verifier.errors import JudgeError
from verifier.report.pages.replay import replay_page
from verifier.servers.binaries import require
from verifier.servers.foreign_server import ForeignServer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from verifier.backtest.progress_file import SavedReplay
    from verifier.backtest.replay import Stream

EXAMPLES: Final = """\b
Examples:
  agentaskit-sim replay --rules my-alerts/ --prometheus http://127.0.0.1:9090 --last 7d
  agentaskit-sim replay --rules new.yaml --against old.yaml --last 30d \\
      --prometheus http://127.0.0.1:9090
  agentaskit-sim replay --rules my.yaml --prometheus https://prometheus.example.org \\
      --from 2026-03-02T00:00:00Z --to 2026-03-09T00:00:00Z --token-file token \\
      --pause 200ms --out replayed
  agentaskit-sim replay ... --out replayed --resume
"""
RESULT: Final = "replay.json"
PAGE: Final = "report.html"


def replay(  # noqa: PLR0913 - typer declares options as parameters
    *,
    rules: ReplayedRules,
    prometheus: HistoryPrometheus,
    from_: FromInstant = None,
    to: ToInstant = None,
    last: LastPeriod = None,
    against: AgainstRules = None,
    as_json: ReplayJson = False,
    out: ReplayFolder = None,
    report_file: ResultPageFile = None,
    resume: Resume = False,
    fail_over: ReplayFailOver = None,
    pause: RequestPause = None,
    timeout: ForeignTimeout = None,
    header: RequestHeaders = None,
    token_file: ServerTokenFile = None,
) -> None:
    """Replay rules against the history of your Prometheus: when would each have fired."""
    check_places(report_file)
    span = _Span.read(from_, to, last)
    _refuse_odd(resume=resume, out=out)
    progress = ReplayProgress(Console(stderr=True, highlight=False))
    server = HistoryServer(
        _foreign_server(prometheus, timeout),
        headers=_headers(header or (), token_file),
        pace=Politeness(0.0 if pause is None else parse_duration(pause, field="--pause")),
        say=progress.say,
    )
    kept = None if out is None else ProgressFile(_folder(out), server.url, span.written)
    saved = kept.read() if kept is not None and resume else None
    request = _request(rules, against, server, span=span, saved=saved)
    whole = Replay(server, request)
    run = record(InputPaths(rules=[*rules, *(against or ())]))
    if kept is not None and saved is not None:
        kept.restore(whole, saved)
    _run(whole, kept, progress)
    result = _result(server, whole)
    text = json.dumps(result_document(result), indent=2, allow_nan=False)
    status = _status(result, fail_over)
    page = replay_page(result, status=status, fail_over=fail_over)
    if out is not None:
        _write(out / RESULT, text)
        write_result_page(out / PAGE, page, run)
    if report_file is not None:
        write_result_page(report_file, page, run)
    if kept is not None:
        kept.remove()
    _say(result, text if as_json else None)
    raise typer.Exit(status)


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when, Unix seconds, and how the user wrote it."""

    from_s: float
    to_s: float
    written: str

    @classmethod
    def read(cls, start: str | None, end: str | None, last: str | None) -> _Span:
        now_s = time.time()
        if (last is None) == (start is None) or (last is not None and end is not None):
            raise InputError("give either --from and --to, or --last DURATION")
        if last is not None:
            start, end = last, "now"
            parse_duration(last, field="--last")
        from_s = parse_instant(start or "", field="--from", now_s=now_s)
        to_s = parse_instant(end or "now", field="--to", now_s=now_s)
        if from_s >= to_s:
            raise InputError(f"--from must be before --to, got {start} and {end or 'now'}")
        if to_s > now_s + 1:
            raise InputError(f"--to must not be in the future, got {end}")
        return cls(from_s, to_s, f"{start} to {end or 'now'}")


def _request(
    rules: Sequence[Path],
    against: Sequence[Path] | None,
    server: HistoryServer,
    *,
    span: _Span,
    saved: SavedReplay | None,
) -> ReplayRequest:
    """Read the rules, and return what is replayed: as it was saved, if it was."""
    require("prometheus")
    read = []
    for paths, option in ((rules, "--rules"), (against, "--against")):
        files, twice = distinct_files(paths, option)
        for note in twice:
            typer.echo(note, err=True)
        read.append(read_rules(files) if files else None)
    own, other = read
    if own is None or not own.alerts:
        raise InputError("--rules must hold an alert: recording rules alone fire nothing")
    from_s, to_s = (span.from_s, span.to_s) if saved is None else (saved.from_s, saved.to_s)
    versions = [own] if other is None else [own, other]
    spread = (
        server_spread(versions, server.group_instants(), from_s) if saved is None else saved.spread
    )
    return ReplayRequest(rules=own, against=other, from_s=from_s, to_s=to_s, spread=spread)


def _run(whole: Replay, kept: ProgressFile | None, progress: ReplayProgress) -> None:
    """Replay to the end; whatever ends it before, how far it came is kept."""

    def watch(_: Stream) -> None:
        progress.show()
        if kept is not None:
            kept.write(whole)

    with progress.over(whole):
        try:
            whole.run(watch)
            if kept is not None:
                kept.write(whole, now=True)  # what is asked from here on may be ended as well
        except BaseException:
            if kept is not None:
                kept.write(whole, now=True)
                progress.say(f"kept in {kept.path}: the same command with --resume goes on")
            raise


def _result(server: HistoryServer, whole: Replay) -> ReplayResult:
    """Take over what is still active, and ask about what never was, and where nothing is stored."""
    whole.finish()
    check = SilenceCheck(server, whole.request)
    rules = dict(whole.request.versions)
    findings = [
        finding for alert in whole.alerts for finding in check.findings(alert, rules[alert.version])
    ]
    gaps = sample_gaps(server, whole.request)
    return result_of(server.url, whole.request, whole.alerts, findings, gaps=gaps)


def _refuse_odd(*, resume: bool, out: Path | None) -> None:
    if resume and out is None:
        raise InputError("--resume needs --out, the folder in which progress was kept")


def _foreign_server(url: str, timeout: str | None) -> ForeignServer:
    timeout_s = TIMEOUT_S if timeout is None else parse_duration(timeout, field="--timeout")
    if timeout_s <= 0:
        raise InputError(f"--timeout must be above 0s, got {timeout}")
    try:
        return ForeignServer("Prometheus", url, timeout_s=timeout_s)
    except ValueError as error:
        raise InputError(f"--prometheus {error}") from None


def _headers(written: Sequence[str], token_file: Path | None) -> dict[str, str]:
    """Return the headers of every request; raise `InputError` for one that is none."""
    headers = dict(read_headers(written, "--header"))
    if token_file is not None:
        headers["Authorization"] = f"Bearer {read_token(token_file)}"
    return headers


def _folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made ({error.strerror})", path=str(out)) from None
    return out


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text + "\n")
    except OSError as error:
        raise JudgeError(f"{path} cannot be written ({error.strerror})") from error


def _say(result: ReplayResult, document: str | None) -> None:
    """Print the document, or a table of the alerts and what is to be said of them."""
    if document is not None:
        typer.echo(document)
        return
    names = [
        each.rule.alert if each.version == "rules" else f"{each.rule.alert} (against)"
        for each in result.alerts
    ]
    table = Table(
        Column("Alert", min_width=max(map(len, names))),
        *("Firings", "A day", "Flaps", "Firing", "Pending", "Longest"),
        box=box.SIMPLE_HEAD,
    )
    for name, alert in zip(names, result.alerts, strict=True):
        noise = alert.record.noise
        table.add_row(
            name,
            f"{noise.firings:,}",
            f"{result.per_day(alert):.2f}",
            f"{noise.flaps:,}",
            f"{noise.share(noise.firing):.2%}",
            f"{noise.share(noise.pending):.2%}",
            format_duration(noise.longest_s) if noise.firings else "-",
        )
    console = plain_console(needed_width(table), soft_wrap=True)
    console.print(table)
    for line in result_lines(result):
        console.print(line, markup=False)


def _status(result: ReplayResult, fail_over: float | None) -> int:
    """Return the exit status: what could not be judged goes first."""
    if result.unjudged:
        return 3
    own = (each for each in result.alerts if each.version == "rules")
    return int(fail_over is not None and any(result.per_day(each) > fail_over for each in own))
