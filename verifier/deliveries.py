"""The closed verdict, continued to the receiver: who was told what of which alert, and when.

Called by the live judge with the verdicts on Prometheus's timelines and the receiver's ledger. Who
is named must be told in time, and nobody else; what is told must have fired; whoever heard that an
alert fires must hear that it is over. A verdict that does not hold names the first hop on the way
from the cause to the receiver that broke. Pure; times are scenario seconds unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Final

from scenarios.durations import format_duration
from scenarios.errors import did_you_mean, gather
from verifier.verdict import AlertVerdict, Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenarios.scenario import Scenario
    from verifier.ledger import Notification
    from verifier.observed import ScenarioClock
    from verifier.timeline import Episode, Timeline
    from verifier.verdict import Hop, Labels, Status

_TOLERANCE_S: Final = 1e-6
_HOPS: Final[tuple[Hop, ...]] = ("world", "scrape", "rule", "alertmanager", "receiver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen of a run beside timelines and ledger; it tells which hop broke.

    `clock` turns the ledger's Unix seconds into the scenario's, `ended_s` is when watching ended.
    `seen_by_alertmanager` holds the labels, alertname among them, of every alert that
    Alertmanager's API showed. `failed_notifications` counts the attempts that it says failed,
    `failed_scrapes_s` are the times of failed scrapes, and `without_effect` names the causes whose
    effect in the world was too small.
    """

    clock: ScenarioClock
    ended_s: float
    seen_by_alertmanager: frozenset[Labels] = frozenset()
    failed_notifications: int = 0
    failed_scrapes_s: tuple[float, ...] = ()
    without_effect: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What may pass between two hops before something is wrong.

    `due_s` is how long after an alert fired, or resolved, its notification may arrive: group_wait
    or group_interval, whichever is longer (an alert that joins a group waits for the group's next
    turn), and what the machine itself takes. `early_s` is by how much a notification may seem to
    precede what it tells of: a timeline is known to one evaluation.
    """

    due_s: float
    early_s: float


@dataclass(frozen=True, slots=True)
class _Told:
    """A notification in scenario seconds, and the episode of the alert that it tells of."""

    receiver: str
    status: Status
    at_s: float
    deliveries: int
    episode: Episode | None


@dataclass(slots=True)
class _Case:
    """A verdict, the times its alert fired, and what was told of them, in order of arrival."""

    verdict: AlertVerdict
    episodes: list[Episode] = field(default_factory=list)
    told: list[_Told] = field(default_factory=list)
    wrong: list[tuple[Hop, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def heard(self, receiver: str, status: Status) -> bool:
        """Whether `receiver` was told so at least once."""
        return any(one.receiver == receiver and one.status == status for one in self.told)

    @property
    def receivers(self) -> list[str]:
        """Whoever was told anything, in order."""
        return list(dict.fromkeys(one.receiver for one in self.told))

    def longest_s(self, ended_s: float) -> float:
        """For how long it was seen firing at a time."""
        return max((min(_over(e), ended_s) - _fired(e) for e in self.episodes), default=0.0)


def check_receivers_exist(scenario: Scenario, receivers: Sequence[str]) -> None:
    """Raise `InputError` for every expectation that names a receiver not among `receivers`."""
    mistakes = [
        one.place.error(
            f"no receiver of {one.alert} is called {name!r}"
            f"{did_you_mean(name, receivers) or f', Alertmanager has {_listed(receivers)}'}"
        )
        for one in scenario.expectations
        for name in one.receivers or ()
        if name not in receivers
    ]
    if mistakes:
        raise gather(mistakes)


def judge_deliveries(
    verdicts: Sequence[AlertVerdict],
    timelines: Sequence[Timeline],
    notifications: Iterable[Notification],
    evidence: Evidence,
    patience: Patience,
) -> tuple[AlertVerdict, ...]:
    """Return the verdicts, judged as far as the receivers.

    `verdicts` are what `judgement.judge` said on `timelines`. A notification of what Prometheus did
    not fire adds an unexpected verdict. What was over when the scenario began is not judged, nor
    what was told of it.
    """
    cases = [_Case(verdict) for verdict in verdicts]
    for timeline in timelines:
        for episode in _firing(timeline):
            case = _owner(cases, timeline, episode)
            if case is not None:
                case.episodes.append(episode)
    scenario_s = evidence.clock.scenario_s
    by_labels = {_with_name(one.alert, one.labels): one for one in timelines}
    strangers: dict[Labels, list[_Told]] = {}
    for one in sorted(notifications, key=lambda one: one.received_s):
        timeline_ = by_labels.get(one.labels)
        starts_s = scenario_s(one.starts_at_s)
        episode_ = _episode(timeline_, starts_s, patience.early_s) if timeline_ else None
        told = _Told(one.receiver, one.status, scenario_s(one.received_s), one.deliveries, episode_)
        if timeline_ is not None and episode_ is not None:
            case = _owner(cases, timeline_, episode_)
            if case is not None:
                case.told.append(told)
        elif starts_s >= 0:
            strangers.setdefault(one.labels, []).append(told)
    judged = [_judged(case, cases, evidence, patience) for case in cases]
    return (*_without_denied(judged, strangers), *(_stranger(*one) for one in strangers.items()))


def _judged(
    case: _Case, cases: Sequence[_Case], evidence: Evidence, patience: Patience
) -> AlertVerdict:
    verdict = case.verdict
    if verdict.expected in ("fires", "explained"):
        if verdict.expected == "fires" and not verdict.ok:
            case.wrong.append(_before_alertmanager(verdict, evidence))
        if case.episodes:
            _check_who(case, cases, evidence, patience)
            _check_when(case, evidence, patience)
            _check_last_word(case, evidence, patience)
    elif not verdict.ok and case.receivers:
        case.remarks.append(f"{_listed(case.receivers)} was told")
    broken = {hop for hop, _ in case.wrong}
    said = [text for _, text in case.wrong]
    # A reason that holds is no part of what is wrong; one that does not comes first.
    kept = [verdict.reason] if not verdict.ok or not said else []
    return replace(
        verdict,
        ok=verdict.ok and not broken,
        reason="; ".join((*kept, *said, *case.remarks)),
        deliveries=tuple(map(_delivery, case.told)),
        broke_at=next((hop for hop in _HOPS if hop in broken), None),
    )


def _before_alertmanager(verdict: AlertVerdict, evidence: Evidence) -> tuple[Hop, str]:
    """Return which hop broke when Prometheus itself did not do as expected."""
    if verdict.cause in evidence.without_effect:
        return "world", f"{verdict.cause} had no effect, so it broke in the world"
    within_s, firing_s = verdict.fires_within_s or 0.0, verdict.firing_s
    if firing_s is None or firing_s > within_s:
        start_s, length_s = verdict.onset_s, max(within_s, firing_s or 0.0)
    else:
        start_s = verdict.onset_s + (verdict.cause_end_s or 0.0)
        length_s = verdict.resolves_within_s or inf
    failed = sum(start_s <= at_s <= start_s + length_s for at_s in evidence.failed_scrapes_s)
    if failed:
        return "scrape", f"{failed} scrapes failed meanwhile, so it broke at the scrape"
    return "rule", "no scrape failed meanwhile, so it broke at the rule"


def _check_who(case: _Case, cases: Sequence[_Case], evidence: Evidence, patience: Patience) -> None:
    """Everybody who is named must be told, and nobody else."""
    named = case.verdict.receivers
    if named is not None:
        others = [name for name in case.receivers if name not in named]
        if others:
            rule = f"only {_listed(named)}" if named else "nobody"
            must = f"{_listed(others)} was told, and {rule} must be"
            case.wrong.append(("alertmanager", f"{must}: Alertmanager routed it elsewhere"))
    held = case.longest_s(evidence.ended_s) >= patience.due_s
    labels = _with_name(case.verdict.alert, case.verdict.labels)
    had = labels in evidence.seen_by_alertmanager or bool(case.told)
    if named == ():
        if held and not had:
            lost = "Alertmanager never had it, so nothing shows that it is kept from everybody"
            case.wrong.append(("alertmanager", lost))
        return
    missing = [name for name in named or () if not case.heard(name, "firing")]
    if named is None and not any(one.status == "firing" for one in case.told):
        missing = ["anybody"]
    if not missing or (case.verdict.expected == "explained" and (named is None or not held)):
        return
    if all(evidence.ended_s - _fired(e) < patience.due_s for e in case.episodes):
        case.remarks.append(f"nothing was due to {_listed(missing)} before the end")
        return
    if not held:
        # Over before its group's next turn: of a group that goes on, the others are told of.
        alike = [one for one in cases if one.verdict.alert == case.verdict.alert]
        missing = [name for name in missing if not any(_tells(one, name) for one in alike)]
        if not missing:
            return
    case.wrong.append(_undelivered(case, missing, evidence, had=had))


def _tells(case: _Case, receiver: str) -> bool:
    if receiver == "anybody":
        return any(one.status == "firing" for one in case.told)
    return case.heard(receiver, "firing")


def _undelivered(
    case: _Case, missing: Sequence[str], evidence: Evidence, *, had: bool
) -> tuple[Hop, str]:
    """Return the hop between a firing alert and a receiver that heard nothing."""
    nobody = f"{_listed(missing)} was never told"
    if missing == ["anybody"]:
        nobody = "nobody was told"
    held = format_duration(round(case.longest_s(evidence.ended_s)))
    if not had:
        return "alertmanager", f"it fired for {held}, Alertmanager never had it: {nobody}"
    if evidence.failed_notifications:
        count = evidence.failed_notifications
        failed = (
            f"{count} of Alertmanager's deliveries failed" if count > 1 else "a delivery failed"
        )
        return "receiver", f"{nobody}: {failed}, it broke at the receiver"
    return "alertmanager", f"it fired for {held}, Alertmanager had it: {nobody}"


def _check_when(case: _Case, evidence: Evidence, patience: Patience) -> None:
    """What is told must be true and new: neither late, nor over already, nor before its time."""
    last: dict[str, Status] = {}
    for one in case.told:
        episode = one.episode
        if episode is None:
            continue
        fired_s, over_s = _fired(episode), _over(episode)
        news = last.get(one.receiver) != one.status
        last[one.receiver] = one.status
        since_s = fired_s if one.status == "firing" else over_s
        late_s = one.at_s - since_s
        if one.status == "resolved" and one.at_s < min(over_s, evidence.ended_s) - patience.early_s:
            what = f"was told at {_at(one.at_s)} that it resolved, and it went on firing"
            case.wrong.append(("alertmanager", f"{one.receiver} {what}"))
        elif one.status == "firing" and one.at_s > over_s + patience.due_s:
            after = _for(one.at_s - over_s)
            what = f"was told that it fires {after} after it had resolved"
            case.wrong.append((_late_hop(evidence), f"{one.receiver} {what}"))
        elif news and late_s > patience.due_s:
            did = "fired" if one.status == "firing" else "resolved"
            what = f"was told {_for(late_s)} after it {did}, due within {_for(patience.due_s)}"
            case.wrong.append((_late_hop(evidence), f"{one.receiver} {what}"))


def _check_last_word(case: _Case, evidence: Evidence, patience: Patience) -> None:
    """Whoever heard that it fires must at last hear that it is over, once it is."""
    over_s = max(map(_over, case.episodes))
    if not case.verdict.notifies_resolved or over_s + patience.due_s > evidence.ended_s:
        return
    last = {one.receiver: one.status for one in case.told}
    unaware = [name for name, status in last.items() if status == "firing"]
    if unaware:
        never = f"{_listed(unaware)} was never told that it resolved"
        case.wrong.append((_late_hop(evidence), never))


def _late_hop(evidence: Evidence) -> Hop:
    return "receiver" if evidence.failed_notifications else "alertmanager"


def _without_denied(
    verdicts: Iterable[AlertVerdict], strangers: Iterable[Labels]
) -> Iterable[AlertVerdict]:
    """Yield the verdicts but those that call silent what somebody was told of."""
    told = [set(labels) for labels in strangers]
    for verdict in verdicts:
        labels = _with_name(verdict.alert, verdict.labels)
        silent = verdict.expected == "silent" and verdict.ok
        if not (silent and any(one.issuperset(labels) for one in told)):
            yield verdict


def _stranger(labels: Labels, told: Sequence[_Told]) -> AlertVerdict:
    names = _listed(dict.fromkeys(one.receiver for one in told))
    return AlertVerdict(
        alert=dict(labels).get("alertname", ""),
        labels=tuple(pair for pair in labels if pair[0] != "alertname"),
        expected="unexpected",
        ok=False,
        reason=f"{names} was told of it at {_at(told[0].at_s)}, and Prometheus did not fire it",
        deliveries=tuple(map(_delivery, told)),
        broke_at="alertmanager",
    )


def _delivery(told: _Told) -> Delivery:
    return Delivery(
        receiver=told.receiver, status=told.status, at_s=told.at_s, deliveries=told.deliveries
    )


def _owner(cases: Iterable[_Case], timeline: Timeline, episode: Episode) -> _Case | None:
    """Return the case that an episode was judged in: the last that had begun to fire by then."""
    if _over(episode) <= 0:
        return None
    found: _Case | None = None
    first_s = -inf
    for case in cases:
        one = case.verdict
        if (one.alert, one.labels) == (
            timeline.alert,
            timeline.labels,
        ) and one.firing_s is not None:
            began_s = one.onset_s + one.firing_s
            if first_s <= began_s <= _fired(episode) + _TOLERANCE_S:
                found, first_s = case, began_s
    return found


def _episode(timeline: Timeline, starts_s: float, early_s: float) -> Episode | None:
    """Return the episode that a notification with this start tells of.

    It starts when the alert fired. A timeline that does not reach back so far shows it firing from
    its own beginning, at the scenario's start.
    """
    firing = _firing(timeline)
    for episode in sorted(firing, key=lambda one: abs(_fired(one) - starts_s)):
        if abs(_fired(episode) - starts_s) <= early_s or _fired(episode) <= starts_s < _over(
            episode
        ):
            return episode
    if firing and starts_s < 0 and _fired(firing[0]) <= early_s:
        return firing[0]
    return None


def _firing(timeline: Timeline) -> list[Episode]:
    return [one for one in timeline.episodes if one.firing_s is not None]


def _fired(episode: Episode) -> float:
    return inf if episode.firing_s is None else episode.firing_s


def _over(episode: Episode) -> float:
    return inf if episode.resolved_s is None else episode.resolved_s


def _with_name(alert: str, labels: Labels) -> Labels:
    return tuple(sorted((*labels, ("alertname", alert))))


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)


def _for(seconds: float) -> str:
    return format_duration(round(seconds))


def _at(seconds: float) -> str:
    return _for(seconds) if seconds >= 0 else f"{_for(-seconds)} before the start"
