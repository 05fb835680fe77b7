"""The page of a replay: how noisy each alert was, when it fired, what another version changes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from verifier.backtest.instants import instant_text
from verifier.backtest.result import change_lines, gap_lines, result_lines
from verifier.report.pages.result_page import (
    STYLES,
    Badge,
    ResultCell,
    ResultList,
    ResultPage,
    ResultTable,
    placed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.backtest.replay import ReplayedAlert
    from verifier.backtest.result import ReplayResult

    Row = tuple[ResultCell | str, ...]

WORDS: Final = {0: "replayed", 1: "too noisy", 3: "not judged"}
FIRINGS_MAX: Final = 500
"""Of one alert; the document has all that were kept."""
ROWS_MAX: Final = 5_000


def replay_page(result: ReplayResult, *, status: int, fail_over: float | None = None) -> ResultPage:
    """Return the page of a replay that ended with `status`; the noisiest alert comes first."""
    *_, last = result_lines(result)
    bound = "" if fail_over is None else f"; at most {fail_over:g} a day are asked for"
    style = STYLES[status] if status or fail_over is not None else ""
    noisy_first = sorted(result.alerts, key=lambda each: -each.record.noise.firings)
    return ResultPage(
        "replay",
        Badge(WORDS[status], style),
        last.partition(": ")[2] + bound,
        (
            ResultList("No samples", list(gap_lines(result)), fails=True),
            ResultList("Vacuous or not judged", list(_unjudged(result)), fails=True),
            ResultTable(
                "Noise",
                ("Alert", "Firings", "A day", "Flaps", "Firing", "Pending", "Longest"),
                [_noise(result, each, fail_over) for each in noisy_first],
                "A flap is a firing within a quarter of an hour of the last end of the same alert.",
            ),
            ResultList("Changes, from --against to --rules", list(_changes(result))),
            _firings(result, noisy_first),
        ),
    )


def _name(alert: ReplayedAlert) -> str:
    return alert.rule.alert if alert.version == "rules" else f"{alert.rule.alert} (against)"


def _unjudged(result: ReplayResult) -> Iterator[str]:
    for finding in result.findings:
        kind = "vacuous" if finding.vacuous else "no data"
        yield f"{_name(finding.alert)}: {kind}: {finding.message}"
    for alert in result.alerts:
        failures = alert.run.failures
        if alert.refused:
            yield f"{_name(alert)}: not judged: {alert.refused}"
        elif failures.count:
            some = f"{failures.count:,} of {failures.of:,} evaluations fail"
            yield f"{_name(alert)}: {some}: {failures.reason}"


def _noise(result: ReplayResult, alert: ReplayedAlert, fail_over: float | None) -> Row:
    noise, a_day = alert.record.noise, result.per_day(alert)
    is_over = fail_over is not None and alert.version == "rules" and a_day > fail_over
    return (
        placed(_name(alert), alert.rule.position),
        f"{noise.firings:,}",
        ResultCell(f"{a_day:.2f}", "bad" if is_over else ""),
        f"{noise.flaps:,}",
        f"{noise.share(noise.firing):.2%}",
        f"{noise.share(noise.pending):.2%}",
        format_duration(noise.longest_s) if noise.firings else "-",
    )


def _changes(result: ReplayResult) -> list[str]:
    if result.request.against is None:
        return []
    return [line.strip() for line in change_lines(result)][1:]


def _firings(result: ReplayResult, alerts: Sequence[ReplayedAlert]) -> ResultTable:
    """Return the first firings of all alerts: there may be thousands of each."""
    rows = [row for each in alerts for row in islice(_rows(result, each), FIRINGS_MAX)]
    count = sum(each.record.noise.firings for each in alerts)
    return ResultTable(
        "Firings",
        ("Alert", "Labels", "Fired", "Resolved", "Lasted"),
        rows[:ROWS_MAX],
        more=count - min(len(rows), ROWS_MAX),
    )


def _rows(result: ReplayResult, alert: ReplayedAlert) -> Iterator[Row]:
    """Yield every firing that was kept, in order of time for each set of labels."""
    from_s, end_s = result.request.from_s, result.request.duration_s
    for labels, episodes in alert.record.episodes.items():
        text = ", ".join(f'{name}="{value}"' for name, value in labels)
        for episode in episodes:
            if episode.firing_s is None:
                continue
            until_s = end_s if episode.resolved_s is None else episode.resolved_s
            ended = "still firing" if episode.resolved_s is None else instant_text(from_s + until_s)
            lasted = format_duration(until_s - max(episode.firing_s, 0.0))
            yield (_name(alert), text, instant_text(from_s + episode.firing_s), ended, lasted)
