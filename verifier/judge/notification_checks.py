"""What may be wrong with the notifications of an alert, and at which hop it broke.

Called by `deliveries` for every alert that fired. Each check returns a failure with its hop; none
decides the verdict. Pure; times are scenario seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from documents.amounts import amount, listed
from documents.durations import format_duration
from verifier.judge.hop_evidence import HopFailure
from verifier.judge.notification_matching import fired_s, resolved_s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.evaluation.timeline import Episode
    from verifier.judge.hop_evidence import HopEvidence, NotificationDeadlines
    from verifier.judge.notification_matching import AlertCase, MatchedNotification
    from verifier.judge.verdict import AlertVerdict, Status


BROKE_AT_RULE: Final = "no scrape failed meanwhile, so it broke at the rule"


@dataclass(frozen=True, slots=True)
class DeliveryChecks:
    """The checks of one run; `cases` are all of it, since label sets share a notification."""

    cases: Sequence[AlertCase]
    evidence: HopEvidence
    deadlines: NotificationDeadlines

    def failures(self, case: AlertCase) -> list[HopFailure]:
        """Return everything that is wrong with the notifications of a case that fired."""
        return [
            *self.other_receivers(case),
            *self.missing_receivers(case),
            *self.wrong_times(case),
            *self.missing_resolved(case),
        ]

    def before_alertmanager(self, verdict: AlertVerdict) -> HopFailure:
        """Return which hop broke when the alert did not fire or resolve in Prometheus in time."""
        if verdict.cause in self.evidence.without_effect:
            return HopFailure("world", f"{verdict.cause} had no effect, so it broke in the world")
        within_s, firing_s = verdict.fires_within_s or 0.0, verdict.firing_s
        if firing_s is None or firing_s > within_s:
            start_s, length_s = verdict.onset_s, max(within_s, firing_s or 0.0)
        else:
            start_s = verdict.onset_s + (verdict.cause_end_s or 0.0)
            length_s = verdict.resolves_within_s or inf
        failed_s = self.evidence.failed_scrapes_s
        failed = sum(start_s <= at_s <= start_s + length_s for at_s in failed_s)
        if failed:
            sentence = f"{amount(failed, 'scrapes')} failed meanwhile, so it broke at the scrape"
            return HopFailure("scrape", sentence)
        return HopFailure("rule", BROKE_AT_RULE)

    def other_receivers(self, case: AlertCase) -> list[HopFailure]:
        """Return what is wrong when receivers were notified that are not named."""
        named = case.verdict.receivers
        others = [name for name in case.receivers if named is not None and name not in named]
        if not others:
            return []
        rule = f"only {listed(named or ())}" if named else "nobody"
        sentence = f"{were(others)} notified, expected {rule}: Alertmanager routed it elsewhere"
        return [HopFailure("alertmanager", sentence)]

    def not_due_yet(self, case: AlertCase) -> bool:
        """Whether a receiver is still to be notified, and nothing was due when the run ended."""
        ended_s, due_s = self.evidence.ended_s, self.deadlines.due_s
        if not self.lacks_receivers(case):
            return False
        names = self.missing(case) or self.evidence.routed(case.labels)
        return all(
            ended_s - self.due_from_s(case, name, episode) < due_s
            and not self.is_muted_throughout(case, name, episode)
            for episode in case.episodes
            for name in names or [""]
        )

    def lacks_receivers(self, case: AlertCase) -> bool:
        """Whether a named receiver, or any where none is named, was not notified of it."""
        named = case.verdict.receivers
        if case.verdict.expected == "explained" and (named is None or not self.lasted(case)):
            return False
        return bool(self.missing(case)) or self.is_lost(case)

    def missing_receivers(self, case: AlertCase) -> list[HopFailure]:
        """Return what is wrong when not every receiver was notified that it fires."""
        if not self.lacks_receivers(case) or self.not_due_yet(case):
            return []
        missing, lost = self.missing(case), self.is_lost(case)
        if not self.lasted(case) and not self.mutings(case, missing):
            # It resolved before its group's next turn: in a group that goes on, a notification of
            # another label set stands for it.
            siblings = [other.notified_firing for other in self.cases if case.is_sibling(other)]
            missing = [name for name in missing if not any(name in names for names in siblings)]
            lost = lost and not any(siblings)
        return [self.undelivered(case, missing)] if missing or lost else []

    def undelivered(self, case: AlertCase, missing: Sequence[str]) -> HopFailure:
        """Return the hop between a firing alert and the receivers that were not notified."""
        if case.verdict.receivers == ():
            sentence = "Alertmanager never had it, so nothing shows that it would notify nobody"
            return HopFailure("alertmanager", sentence)
        unaware = f"{were(missing)} never notified" if missing else "nobody was notified"
        firing = whole_seconds(case.longest_firing_s(self.evidence.ended_s))
        if not self.reached_alertmanager(case):
            sentence = f"it fired for {firing}, Alertmanager never had it: {unaware}"
            return HopFailure("alertmanager", sentence)
        failed = self.evidence.failed_notifications
        if failed:
            sentence = f"{failed} of Alertmanager's attempts failed, so it broke at the receiver"
            return HopFailure("receiver", f"{unaware}: {sentence}")
        sentence = f"it fired for {firing}, Alertmanager had it: {unaware}"
        return HopFailure("alertmanager", sentence + because(self.mutings(case, missing)))

    def mutings(self, case: AlertCase, missing: Sequence[str]) -> dict[str, str]:
        """Return by what each receiver was muted, of those that were whenever the alert fired.

        Without a `missing` receiver, of all that the routes lead to.
        """
        mutings = {}
        for name in missing or self.evidence.routed(case.labels):
            reasons = [
                self.evidence.why_muted(
                    case.labels, name, fired_s(e), min(resolved_s(e), self.evidence.ended_s)
                )
                for e in case.episodes
            ]
            if reasons and None not in reasons:
                unique = dict.fromkeys(reason for reason in reasons if reason is not None)
                mutings[name] = listed(unique)
        return mutings

    def is_muted_throughout(self, case: AlertCase, name: str, episode: Episode) -> bool:
        """Whether a receiver was muted for as long as the alert fired."""
        until_s = min(resolved_s(episode), self.evidence.ended_s)
        return self.evidence.why_muted(case.labels, name, fired_s(episode), until_s) is not None

    def due_from_s(self, case: AlertCase, name: str, episode: Episode) -> float:
        """Return from when on the notification that it fires was due: once it is not muted."""
        until_s = min(resolved_s(episode), self.evidence.ended_s)
        return self.evidence.unmuted_s(case.labels, name, fired_s(episode), until_s)

    def postponed(self, case: AlertCase) -> list[str]:
        """Return a remark for each receiver that was notified only once it was not muted."""
        remarks = []
        for notification in case.notifications:
            name, episode = notification.delivery.receiver, notification.episode
            from_s = self.due_from_s(case, name, episode)
            if notification.delivery.status == "firing" and from_s > fired_s(episode):
                why = self.evidence.why_muted(case.labels, name, fired_s(episode), from_s)
                remarks.append(f"{name} was {why} until {whole_seconds(from_s)}")
        return list(dict.fromkeys(remarks))

    def wrong_times(self, case: AlertCase) -> list[HopFailure]:
        """Return every notification that came too late, or of a state that had not come or gone."""
        last: dict[str, Status] = {}
        failures = []
        for notification in case.notifications:
            delivery = notification.delivery
            # What a receiver knows already is not late: a repeat may name a later start.
            news = last.get(delivery.receiver) != delivery.status
            last[delivery.receiver] = delivery.status
            failure = self.wrong_time(case, notification, news=news)
            if failure is not None:
                failures.append(failure)
        return failures

    def wrong_time(
        self, case: AlertCase, notification: MatchedNotification, *, news: bool
    ) -> HopFailure | None:
        """Return what is wrong with when a notification came; `news` is not known from before."""
        delivery, due_s = notification.delivery, self.deadlines.due_s
        at_s, status = delivery.at_s, delivery.status
        resolved = resolved_s(notification.episode)
        due_from_s = self.due_from_s(case, delivery.receiver, notification.episode)
        late_s = at_s - (due_from_s if status == "firing" else resolved)
        earliest_s = min(resolved, self.evidence.ended_s) - self.deadlines.early_s
        who = f"{delivery.receiver} was notified"
        if status == "resolved" and at_s < earliest_s:
            sentence = f"{who} at {whole_seconds(at_s)} that it resolved, but it was still firing"
            return HopFailure("alertmanager", sentence)
        if status == "firing" and at_s > resolved + due_s:
            sentence = f"{who} that it fires {whole_seconds(at_s - resolved)} after it had resolved"
            return HopFailure(self.evidence.delivery_hop, sentence)
        if news and late_s > due_s:
            event = "fired" if status == "firing" else "resolved"
            sentence = (
                f"{who} {whole_seconds(late_s)} after it {event}, due within {whole_seconds(due_s)}"
            )
            return HopFailure(self.evidence.delivery_hop, sentence)
        return None

    def missing_resolved(self, case: AlertCase) -> list[HopFailure]:
        """Return what is wrong when the last that a receiver knows is that it fires."""
        resolved = max(map(resolved_s, case.episodes))
        was_due = resolved + self.deadlines.due_s <= self.evidence.ended_s
        if not case.verdict.notifies_resolved or not was_due:
            return []
        last = {delivery.receiver: delivery.status for delivery in case.deliveries}
        unaware = [name for name, status in last.items() if status == "firing"]
        if not unaware:
            return []
        sentence = f"{were(unaware)} never notified that it resolved"
        reasons = {
            name: reason
            for name in unaware
            if (reason := self.why_end_unnoticed(case, name, resolved)) is not None
        }
        hop = "alertmanager" if reasons else self.evidence.delivery_hop
        return [HopFailure(hop, sentence + because(reasons))]

    def why_end_unnoticed(self, case: AlertCase, name: str, resolved: float) -> str | None:
        """Return why a receiver was not told of the end: it never is, or it was muted then.

        Alertmanager forgets an alert that resolves while its receiver is muted.
        """
        unsent = self.evidence.why_end_unsent(name)
        if unsent is not None:
            return unsent
        why = self.evidence.why_muted(case.labels, name, resolved, resolved + 1)
        return f"{why} then" if why else None

    def missing(self, case: AlertCase) -> list[str]:
        """Return the named receivers that were not notified that it fires."""
        notified = case.notified_firing
        return [name for name in case.verdict.receivers or () if name not in notified]

    def is_lost(self, case: AlertCase) -> bool:
        """Whether no receiver was notified and any had to be; with `[]`: whether it got lost."""
        named = case.verdict.receivers
        if named is None:
            return not case.notified_firing
        return not named and not self.reached_alertmanager(case)

    def reached_alertmanager(self, case: AlertCase) -> bool:
        """Whether Alertmanager had the alert."""
        return case.labels in self.evidence.seen_by_alertmanager or bool(case.notifications)

    def lasted(self, case: AlertCase) -> bool:
        """Whether it fired for so long that its notification was due."""
        return case.longest_firing_s(self.evidence.ended_s) >= self.deadlines.due_s


def were(names: Sequence[str]) -> str:
    """Return names as the subject of a passive sentence."""
    return f"{listed(names)} {'was' if len(names) == 1 else 'were'}"


def because(reasons: Mapping[str, str]) -> str:
    """Return the reasons for what did not happen to each receiver, to stand after it."""
    if not reasons:
        return ""
    return f" ({'; '.join(f'{name}: {reason}' for name, reason in reasons.items())})"


def whole_seconds(seconds: float) -> str:
    """Write a duration to the second: what is finer is the machine's."""
    return format_duration(round(seconds))
