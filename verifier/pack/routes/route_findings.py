"""What a person should know of a routing that Alertmanager takes: findings, which stop nothing.

A receiver that notifies nobody or is never used, a route that no alert reaches, an integration that
does not send the end of an alert, a receiver that is muted at every hour. A route may be beyond
every alert by itself, or only beyond those of certain rules. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from documents.sentences import did_you_mean
from verifier.errors import Finding
from verifier.pack.routes.time_intervals import DAY_S, YEAR_DAYS, changes_s

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from verifier.pack.routes.matchers import Matcher
    from verifier.pack.routes.reader import ConfigReading, RoutedReceiver
    from verifier.pack.routes.route import Route
    from verifier.pack.routes.time_intervals import TimeInterval
    from verifier.pack.rules import AlertRule, RuleFiles

LEAP_YEAR_S: Final = 1_704_067_200.0
"""2024-01-01: every date of a year comes within `YEAR_DAYS`."""


def route_findings(reading: ConfigReading) -> list[Finding]:
    """Return the findings of a configuration, in the order of the file's parts."""
    used = {route.receiver for route in all_routes(reading.root)}
    return [
        *unreached_routes(reading.root),
        *_always_muted(reading.root, reading.intervals),
        *(
            finding
            for receiver in reading.receivers
            for finding in _of_receiver(receiver, is_used=receiver.name in used)
        ),
    ]


def unmet_routes(root: Route, rules: RuleFiles) -> list[Finding]:
    """Return a finding for each route whose conditions no alert of `rules` can meet.

    Known are an alert's name and the labels that its rule sets without a template; any other label
    may have any value. Nothing is said where a rule could not be read, nor what `route_findings`
    says already.
    """
    alerts = [_known_labels(rule) for _, rule in rules.alerts]
    if not alerts or rules.not_judged:
        return []
    said = {finding.position for finding in unreached_routes(root)}
    return [finding for finding in _unmet(root, alerts) if finding.position not in said]


def _known_labels(rule: AlertRule) -> dict[str, str]:
    """Return the labels of a rule's alerts whose values are known."""
    static = {name: value for name, value in rule.labels if "{{" not in value}
    return static | {"alertname": rule.alert}


def _unmet(route: Route, alerts: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    for child in route.routes:
        meeting = [alert for alert in alerts if _may_meet(alert, child.matchers)]
        if meeting:
            yield from _unmet(child, meeting)
        elif child.place is not None:
            needed = [m for m in child.matchers if not any(_may_meet(a, [m]) for a in alerts)]
            conditions = ", ".join(map(str, needed or child.matchers))
            hint = _nearest(needed[0], alerts) if needed else ""
            yield Finding(
                child.place,
                f"no alert of the rules reaches this route to {child.receiver!r}: none has"
                f" {conditions}{hint}",
            )


def _nearest(matcher: Matcher, alerts: Sequence[Mapping[str, str]]) -> str:
    known = dict.fromkeys(a[matcher.name] for a in alerts if matcher.name in a)
    return did_you_mean(matcher.value, tuple(known)) if matcher.operator == "=" else ""


def _may_meet(alert: Mapping[str, str], matchers: Iterable[Matcher]) -> bool:
    return all(m.name not in alert or m.matches(alert) for m in matchers)


def all_routes(route: Route) -> Iterator[Route]:
    """Yield a route and all below it."""
    yield route
    for child in route.routes:
        yield from all_routes(child)


def _of_receiver(receiver: RoutedReceiver, *, is_used: bool) -> Iterator[Finding]:
    if not is_used:
        yield Finding(receiver.place, f"no route leads to receiver {receiver.name!r}")
    if not receiver.integrations:
        message = f"receiver {receiver.name!r} has no integration: it notifies nobody"
        yield Finding(receiver.place, message)
    for integration in receiver.integrations:
        if not integration.sends_resolved:
            yield Finding(
                integration.place,
                f"{integration.kind} of {receiver.name!r} does not send that an alert has resolved:"
                f" send_resolved is false{' by default' if integration.is_default else ''}",
            )


def unreached_routes(route: Route, above: Sequence[Matcher] = ()) -> Iterator[Finding]:
    """Yield a finding for each route below that no alert reaches; `above` hold for all of them."""
    held = (*above, *route.matchers)
    for index, child in enumerate(route.routes):
        reason = _contradiction((*held, *child.matchers)) or _taken_before(
            route.routes[:index], (*held, *child.matchers)
        )
        if reason is None:
            yield from unreached_routes(child, held)
        elif child.place is not None:
            yield Finding(
                child.place, f"no alert reaches this route to {child.receiver!r}: {reason}"
            )


def _contradiction(matchers: Sequence[Matcher]) -> str | None:
    """Return which two conditions, of a route and those above it, no alert meets together."""
    for fixed in matchers:
        if fixed.operator != "=":
            continue
        for other in matchers:
            if other.name == fixed.name and not other.matches({fixed.name: fixed.value}):
                return f"it would need both {fixed} and {other}"
    return None


def _taken_before(earlier: Sequence[Route], matchers: Sequence[Matcher]) -> str | None:
    """Return which route before takes every alert that meets `matchers`, and keeps it."""
    for route in earlier:
        if not route.continues and all(_implied(matcher, matchers) for matcher in route.matchers):
            where = f" in line {route.place.line}" if route.place is not None else ""
            return f"the route to {route.receiver!r}{where} takes its alerts, without continue"
    return None


def _implied(matcher: Matcher, by: Sequence[Matcher]) -> bool:
    return matcher in by or any(
        other.name == matcher.name
        and other.operator == "="
        and matcher.matches({other.name: other.value})
        for other in by
    )


def _always_muted(root: Route, intervals: Mapping[str, TimeInterval]) -> Iterator[Finding]:
    for route in all_routes(root):
        if route.place is None:
            continue
        muting = [intervals[name] for name in route.muted_in]
        active = [intervals[name] for name in route.active_in]
        reason = None
        if muting and _at_every_hour(muting, inside=True):
            reason = f"by {quoted(route.muted_in)}"
        elif active and _at_every_hour(active, inside=False):
            reason = f"since {quoted(route.active_in)} is never active"
        if reason is not None:
            message = f"this route to {route.receiver!r} is muted at every hour, {reason}"
            yield Finding(route.place, message)


def _at_every_hour(intervals: Sequence[TimeInterval], *, inside: bool) -> bool:
    """Return whether each instant of a year is inside of any of the intervals, or of none.

    Intervals of certain years cover no year for ever, and leave none out for ever.
    """
    if inside:
        parts = ([part for part in each.parts if part.years is None] for each in intervals)
    else:
        parts = ([replace(part, years=None) for part in each.parts] for each in intervals)
    timeless = [
        replace(each, parts=tuple(kept)) for each, kept in zip(intervals, parts, strict=True)
    ]
    until_s = LEAP_YEAR_S + YEAR_DAYS * DAY_S
    return all(
        any(each.contains(at_s) for each in timeless) == inside
        for at_s in changes_s(timeless, LEAP_YEAR_S, until_s)
    )


def quoted(names: Sequence[str]) -> str:
    """Return the names of time intervals as a sentence has them."""
    return f"time interval{'s' if len(names) > 1 else ''} {' and '.join(map(repr, names))}"
