"""What a replay says when all is read: for people, and as a document.

Made by the command at the end. Pure. Times of the document are Unix seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from documents.amounts import amount, listed
from documents.durations import format_duration
from verifier.backtest.instants import instant_text
from verifier.backtest.sample_gaps import NO_GAPS
from verifier.changes.timelines import change_text, compare
from verifier.evidence.silence import static_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.backtest.replay import ReplayedAlert, ReplayRequest, Version
    from verifier.backtest.sample_gaps import SampleGaps
    from verifier.backtest.silence import ReplayFinding
    from verifier.changes.timelines import AlertChange
    from verifier.evaluation.timeline import Episode, Timeline
    from verifier.labels import Labels

VERSION: Final = 1
SCHEMA: Final = Path(__file__).with_name("replay.schema.json")
DAY_S: Final = 86_400.0
GAPS_MAX: Final = 5
"""Gaps that a line names; the document has all of them."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Every alert with what was counted, what is to be said of it, and how two versions differ.

    `changes` are of alerts that are in both; `added` and `gone` are names. `gaps` are where nothing
    is stored of what the alerts of `rules` read.
    """

    url: str
    request: ReplayRequest
    alerts: tuple[ReplayedAlert, ...]
    findings: tuple[ReplayFinding, ...]
    notes: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changes: tuple[AlertChange, ...] = ()
    gaps: SampleGaps = NO_GAPS

    @property
    def unjudged(self) -> bool:
        """Whether anything kept an alert from being judged, or one of `rules` says nothing."""
        if self.gaps.is_whole or any(alert.refused for alert in self.alerts):
            return True
        return any(each.alert.version == "rules" for each in self.findings)

    def per_day(self, alert: ReplayedAlert) -> float:
        """Return how often an alert fired a day."""
        return alert.record.noise.firings / (self.request.duration_s / DAY_S)


def result_of(
    url: str,
    request: ReplayRequest,
    alerts: Sequence[ReplayedAlert],
    findings: Sequence[ReplayFinding],
    *,
    gaps: SampleGaps = NO_GAPS,
) -> ReplayResult:
    """Put together what was replayed, and compare the two versions if there are two."""
    if request.against is None:
        return ReplayResult(url, request, tuple(alerts), tuple(findings), gaps=gaps)
    names = {
        version: {each.rule.alert for each in alerts if each.version == version}
        for version, _ in request.versions
    }
    shared = names["rules"] & names["against"]
    before = _timelines(alerts, "against", shared)
    after = _timelines(alerts, "rules", shared)
    own = {
        each.rule.alert: {name for a in alerts for name, _ in static_labels(a.rule)
                          if a.rule.alert == each.rule.alert}
        for each in alerts
    }  # fmt: skip

    def key(timeline: Timeline) -> Labels:
        return tuple(pair for pair in timeline.labels if pair[0] not in own[timeline.alert])

    return ReplayResult(
        url,
        request,
        tuple(alerts),
        tuple(findings),
        tuple(_notes(request, alerts)),
        tuple(sorted(names["rules"] - shared)),
        tuple(sorted(names["against"] - shared)),
        compare(before, after, key),
        gaps,
    )


def _timelines(
    alerts: Sequence[ReplayedAlert], version: Version, names: set[str]
) -> list[Timeline]:
    return [
        line
        for each in alerts
        if each.version == version and each.rule.alert in names
        for line in each.record.timelines(each.rule.alert)
    ]


def _notes(request: ReplayRequest, alerts: Sequence[ReplayedAlert]) -> Iterator[str]:
    """Yield why a comparison says less than it seems to."""
    for each in alerts:
        if each.record.noise.not_kept:
            kept = sum(map(len, each.record.episodes.values()))
            yield f"{each.rule.alert}: only its first {kept:,} episodes are compared"
    if request.against is None:
        return
    recordings = [
        {rule.record: rule.expr for _, rule in rules.recordings} for _, rules in request.versions
    ]
    for name in sorted(recordings[0].keys() & recordings[1].keys()):
        if recordings[0][name] != recordings[1][name]:
            yield (
                f"{name} is recorded otherwise in the two versions: both read what is stored,"
                " so what this changes is not seen"
            )


def result_lines(result: ReplayResult) -> Iterator[str]:
    """Yield what is to be said below the table: findings, changes, and the sum of all."""
    for finding in result.findings:
        place = finding.alert.rule.position
        kind = "vacuous" if finding.vacuous else "no data"
        yield f"{place}: {finding.alert.rule.alert}: {kind}: {finding.message}"
    for alert in result.alerts:
        place, failures = alert.rule.position, alert.run.failures
        if alert.refused:
            yield f"{place}: {alert.rule.alert}: not judged: {alert.refused}"
        elif failures.count:
            some = f"{failures.count:,} of {failures.of:,} evaluations fail"
            yield f"{place}: {alert.rule.alert}: {some}: {failures.reason}"
    if result.request.against is not None:
        yield from change_lines(result)
    yield from gap_lines(result)
    request = result.request
    own = [each for each in result.alerts if each.version == "rules"]
    firings = sum(each.record.noise.firings for each in own)
    span = f"{instant_text(request.from_s)} to {instant_text(request.to_s)}"
    silent = sum(not each.record.noise.firings for each in own)
    yield (
        f"REPLAY: {amount(firings, 'firings')} of {amount(len(own), 'alerts')} in"
        f" {format_duration(request.duration_s)} ({span}), {silent:,} of them never fired"
    )


def gap_lines(result: ReplayResult) -> Iterator[str]:
    """Yield where nothing is stored of what the alerts read, or why that is not known."""
    gaps, request = result.gaps, result.request
    if gaps.unknown:
        yield f"not known whether samples are missing for a part of the range: {gaps.unknown}"
    if not gaps.spans:
        return
    spans = [f"{instant_text(start_s)} to {instant_text(end_s)}" for start_s, end_s in gaps.spans]
    more = [amount(len(spans) - GAPS_MAX, "more")] if len(spans) > GAPS_MAX else []
    where = f"no samples of any metric that the alerts read: {listed([*spans[:GAPS_MAX], *more])}"
    if gaps.is_whole:
        yield (
            f"{where}, all of the range: nothing could be judged. Check that --prometheus is the"
            " server that scrapes them, and that it keeps samples for that long (its retention)"
        )
    else:
        of = f"{format_duration(gaps.total_s)} of {format_duration(request.duration_s)}"
        yield f"{where}, {of}: what is said of that time means nothing"


def change_lines(result: ReplayResult) -> Iterator[str]:
    """Yield what another version of the rules changes, below a heading."""
    yield "Changes, from --against to --rules:"
    for name in result.added:
        yield f"  {name}: added, {_fired(result, name, 'rules')}"
    for name in result.gone:
        yield f"  {name}: gone, {_fired(result, name, 'against')}"
    changed = [change for change in result.changes if not change.is_same]
    for change in changed:
        labels = ", ".join(f'{name}="{text}"' for name, text in change.labels)
        subject = f"{change.alert}{{{labels}}}" if labels else change.alert
        yield f"  {subject}: {change_text(change, before='before', after='now')}"
    same = sum(change.is_same for change in result.changes)
    yield f"  {amount(same, 'alerts')} with the same episodes"
    yield from (f"  {note}" for note in result.notes)


def _fired(result: ReplayResult, name: str, version: Version) -> str:
    firings = sum(
        each.record.noise.firings
        for each in result.alerts
        if each.version == version and each.rule.alert == name
    )
    return amount(firings, "firings")


def result_document(result: ReplayResult) -> dict[str, Any]:
    """Return the result as `replay.schema.json` describes it."""
    request = result.request
    compared = None
    if request.against is not None:
        compared = {
            "added": list(result.added),
            "gone": list(result.gone),
            "notes": list(result.notes),
            "alerts": [_change_document(change) for change in result.changes],
        }
    return {
        "version": VERSION,
        "prometheus": result.url,
        "from": request.from_s,
        "to": request.to_s,
        "no_samples": _gaps_document(result.gaps),
        "alerts": [_alert_document(result, alert) for alert in result.alerts],
        "changes": compared,
    }


def _gaps_document(gaps: SampleGaps) -> list[dict[str, float]] | None:
    if gaps.unknown:
        return None
    return [{"from": start_s, "to": end_s} for start_s, end_s in gaps.spans]


def _alert_document(result: ReplayResult, alert: ReplayedAlert) -> dict[str, Any]:
    noise, rule = alert.record.noise, alert.rule
    failures = alert.run.failures
    return {
        "of": alert.version,
        "alert": rule.alert,
        "file": rule.position.path,
        "line": rule.position.line,
        "group": alert.group.name,
        "interval_s": alert.group.interval_s,
        "evaluations": noise.evaluations,
        "failed_evaluations": failures.count,
        "firing_share": round(noise.share(noise.firing), 6),
        "pending_share": round(noise.share(noise.pending), 6),
        "firings": noise.firings,
        "firings_per_day": round(result.per_day(alert), 6),
        "only_pending": noise.only_pending,
        "flaps": noise.flaps,
        "longest_firing_s": round(noise.longest_s, 3),
        "not_judged": alert.refused or None,
        "findings": [
            {"kind": "vacuous" if each.vacuous else "no_data", "message": each.message}
            for each in result.findings
            if each.alert is alert
        ],
        "episodes_left_out": noise.not_kept,
        "series": [
            {
                "labels": dict(labels),
                "episodes": [_episode(each, result.request.from_s) for each in own],
            }
            for labels, own in alert.record.episodes.items()
        ],
    }


def _episode(episode: Episode, from_s: float) -> dict[str, float | None]:
    times = {
        "pending": episode.pending_s,
        "firing": episode.firing_s,
        "resolved": episode.resolved_s,
    }
    return {name: None if at_s is None else round(from_s + at_s, 3) for name, at_s in times.items()}


def _change_document(change: AlertChange) -> dict[str, Any]:
    return {
        "alert": change.alert,
        "labels": dict(change.labels),
        "same": change.is_same,
        "appears": change.appears,
        "disappears": change.disappears,
        "fires_later_s": [round(each, 3) for each in change.fires_later_s],
        "resolves_later_s": [
            round(each, 3) if math.isfinite(each) else None for each in change.resolves_later_s
        ],
    }
