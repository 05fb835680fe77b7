"""The closed verdict, continued to the receiver: who was told what of which alert, and when.

Called by the live judge with the verdicts on Prometheus's timelines and the receiver's ledger. Who
is named must be told in time, and nobody else; what is told must have fired; whoever heard that an
alert fires must hear that it is over. A verdict that does not hold names the first hop on the way
from the cause to the receiver that broke. Pure; times are scenario seconds unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from documents.mistakes import did_you_mean, gather
from verifier.judge.notification_matching import fired_s, match, over_s, with_name
from verifier.judge.verdict import AlertVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenarios.scenario import Scenario
    from verifier.evaluation.timeline import Timeline
    from verifier.judge.notification_matching import AlertCase
    from verifier.judge.verdict import Delivery, Hop, Status
    from verifier.labels import Labels
    from verifier.scenario_clock import ScenarioClock
    from verifier.servers.ledger import Notification

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
class NotificationDeadlines:
    """What may pass between two hops before something is wrong.

    `due_s` is how long after an alert fired, or resolved, its notification may arrive: group_wait
    or group_interval, whichever is longer (an alert that joins a group waits for the group's next
    turn), and what the machine itself takes. `early_s` is by how much a notification may seem to
    precede what it tells of: a timeline is known to one evaluation.
    """

    due_s: float
    early_s: float


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
    patience: NotificationDeadlines,
) -> tuple[AlertVerdict, ...]:
    """Return the verdicts, judged as far as the receivers.

    `verdicts` are what `judgement.judge` said on `timelines`. A notification of what Prometheus did
    not fire adds an unexpected verdict. What was over when the scenario began is not judged, nor
    what was told of it.
    """
    cases, strangers = match(verdicts, timelines, notifications, evidence.clock, patience.early_s)
    judged = [_judged(case, cases, evidence, patience) for case in cases]
    return (*_without_denied(judged, strangers), *(_stranger(*one) for one in strangers.items()))


def _judged(
    case: AlertCase, cases: Sequence[AlertCase], evidence: Evidence, patience: NotificationDeadlines
) -> AlertVerdict:
    verdict = case.verdict
    if verdict.expected in ("fires", "explained"):
        if verdict.expected == "fires" and not verdict.ok:
            case.wrong.append(_before_alertmanager(verdict, evidence))
        if case.episodes:
            _check_nobody_else(case)
            _check_everybody(case, cases, evidence, patience)
            _check_when(case, evidence, patience)
            _check_last_word(case, evidence, patience)
    elif not verdict.ok and case.receivers:
        case.remarks.append(f"{_were(case.receivers)} told")
    broken = {hop for hop, _ in case.wrong}
    said = [text for _, text in case.wrong]
    # A reason that holds is no part of what is wrong; one that does not comes first.
    kept = [verdict.reason] if not verdict.ok or not said else []
    return replace(
        verdict,
        ok=verdict.ok and not broken,
        reason="; ".join((*kept, *said, *case.remarks)),
        deliveries=tuple(one.delivery for one in case.told),
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


def _check_nobody_else(case: AlertCase) -> None:
    """Nobody but those who are named may be told."""
    named = case.verdict.receivers
    others = [name for name in case.receivers if named is not None and name not in named]
    if others:
        rule = f"only {_listed(named or ())}" if named else "nobody"
        wrong = f"{_were(others)} told, and {rule} must be: Alertmanager routed it elsewhere"
        case.wrong.append(("alertmanager", wrong))


def _check_everybody(
    case: AlertCase, cases: Sequence[AlertCase], evidence: Evidence, patience: NotificationDeadlines
) -> None:
    """Everybody who is named must be told that it fires; somebody, where nobody is named."""
    named, told = case.verdict.receivers, case.alarmed
    had = case.labels in evidence.seen_by_alertmanager or bool(case.told)
    missing = [name for name in named or () if name not in told]
    nobody = not told if named is None else not named and not had
    lasted = case.longest_s(evidence.ended_s) >= patience.due_s
    may = case.verdict.expected == "explained" and (named is None or not lasted)
    if may or not (missing or nobody):
        return
    if all(evidence.ended_s - fired_s(one) < patience.due_s for one in case.episodes):
        case.remarks.append("nobody had to be told yet when watching ended")
        return
    if not lasted:
        # Over before its group's next turn: of a group that goes on, the others are told of.
        twins = [one.alarmed for one in cases if case.is_twin(one)]
        missing = [name for name in missing if not any(name in one for one in twins)]
        nobody = nobody and not any(twins)
    if missing or nobody:
        case.wrong.append(_undelivered(case, missing, evidence, had=had))


def _undelivered(
    case: AlertCase, missing: Sequence[str], evidence: Evidence, *, had: bool
) -> tuple[Hop, str]:
    """Return the hop between a firing alert and those who heard nothing of it."""
    if case.verdict.receivers == ():
        lost = "Alertmanager never had it, so nothing shows that it is kept from everybody"
        return "alertmanager", lost
    unaware = f"{_were(missing)} never told" if missing else "nobody was told"
    held = _for(case.longest_s(evidence.ended_s))
    if not had:
        return "alertmanager", f"it fired for {held}, Alertmanager never had it: {unaware}"
    if evidence.failed_notifications:
        failed = f"{evidence.failed_notifications} of Alertmanager's attempts failed"
        return "receiver", f"{unaware}: {failed}, so it broke at the receiver"
    return "alertmanager", f"it fired for {held}, Alertmanager had it: {unaware}"


def _check_when(case: AlertCase, evidence: Evidence, patience: NotificationDeadlines) -> None:
    """What is told must be true and in time: neither late, nor over already, nor still to come."""
    last: dict[str, Status] = {}
    for told in case.told:
        one, fired, over = told.delivery, fired_s(told.episode), over_s(told.episode)
        # What a receiver knows already is not told late: a repeat may name a later start.
        news = last.get(one.receiver) != one.status
        last[one.receiver] = one.status
        late_s = one.at_s - (fired if one.status == "firing" else over)
        if one.status == "resolved" and one.at_s < min(over, evidence.ended_s) - patience.early_s:
            wrong = f"told at {_for(one.at_s)} that it resolved, and it went on firing"
            case.wrong.append(("alertmanager", f"{one.receiver} was {wrong}"))
        elif one.status == "firing" and one.at_s > over + patience.due_s:
            wrong = f"told that it fires {_for(one.at_s - over)} after it had resolved"
            case.wrong.append((_late_hop(evidence), f"{one.receiver} was {wrong}"))
        elif news and late_s > patience.due_s:
            did = "fired" if one.status == "firing" else "resolved"
            wrong = f"told {_for(late_s)} after it {did}, due within {_for(patience.due_s)}"
            case.wrong.append((_late_hop(evidence), f"{one.receiver} was {wrong}"))


def _check_last_word(case: AlertCase, evidence: Evidence, patience: NotificationDeadlines) -> None:
    """Whoever heard that it fires must at last hear that it is over, once it is."""
    over = max(map(over_s, case.episodes))
    if not case.verdict.notifies_resolved or over + patience.due_s > evidence.ended_s:
        return
    last = {told.delivery.receiver: told.delivery.status for told in case.told}
    unaware = [name for name, status in last.items() if status == "firing"]
    if unaware:
        wrong = f"{_were(unaware)} never told that it resolved"
        case.wrong.append((_late_hop(evidence), wrong))


def _late_hop(evidence: Evidence) -> Hop:
    return "receiver" if evidence.failed_notifications else "alertmanager"


def _without_denied(
    verdicts: Iterable[AlertVerdict], strangers: Iterable[Labels]
) -> Iterable[AlertVerdict]:
    """Yield the verdicts but those that call silent what somebody was told of."""
    told = [set(labels) for labels in strangers]
    for verdict in verdicts:
        labels = with_name(verdict.alert, verdict.labels)
        silent = verdict.expected == "silent" and verdict.ok
        if not (silent and any(one.issuperset(labels) for one in told)):
            yield verdict


def _stranger(labels: Labels, told: Sequence[Delivery]) -> AlertVerdict:
    names = list(dict.fromkeys(one.receiver for one in told))
    at_s = told[0].at_s
    return AlertVerdict(
        alert=dict(labels).get("alertname", ""),
        labels=tuple(pair for pair in labels if pair[0] != "alertname"),
        expected="unexpected",
        ok=False,
        reason=f"{_were(names)} told of it at {_for(at_s)}, and Prometheus did not fire it",
        deliveries=tuple(told),
        broke_at="alertmanager",
    )


def _listed(names: Iterable[str]) -> str:
    return " and ".join(names)


def _were(names: Sequence[str]) -> str:
    return f"{_listed(names)} {'was' if len(names) == 1 else 'were'}"


def _for(seconds: float) -> str:
    return format_duration(round(seconds))
