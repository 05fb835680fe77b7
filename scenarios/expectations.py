"""The expectations of a scenario: what causes which alert, and until when it must have happened.

Called by the builder of scenarios. Checks what can be checked without the rules: that a cause
exists, that a time limit ends within the scenario, that no two expectations are the same. Whether
the alert exists is for the judge, who has the rules.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from documents.durations import format_duration
from documents.mistake_kinds import BrokenRule, MissingKey, RepeatedName, Shown, UnknownName
from documents.sentences import list_choices
from scenarios.scenario import Expectation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from documents.document import Steps
    from scenarios.scenario import Expected, Scenario
    from scenarios.schema.models import ExpectationModel, ScenarioModel
    from scenarios.validation import ModelWalker

FIRING_KEYS: Final = (
    "resolves_within", "pends_for", "fires_after", "resolves_after", "no_other_labels",
)  # fmt: skip
"""Keys of an alert that must fire, and of no other."""
NO_REASON: Final = "<why it may fire here>"
"""What a report leaves to be filled in, where it proposes an explained alert; no reason itself."""


class Cause(NamedTuple):
    """What an expectation counts from: a fault, an incident, or (no name) the scenario's start.

    Limits count from `onset_s` and `end_s`, which are 0 for what began in the past; it truly began
    at `began_s`.
    """

    name: str | None
    onset_s: float
    end_s: float
    began_s: float


_START = Cause(None, 0.0, 0.0, -inf)


def causes_in(model: ScenarioModel) -> dict[str, Cause]:
    """Return the causes that a scenario file has, by name."""
    causes = {
        fault.name: Cause(fault.name, fault.start, fault.start + fault.duration, fault.start)
        for fault in model.faults
    }
    for incident in model.history.incidents:
        causes[incident.name] = Cause(incident.name, 0.0, 0.0, -incident.ago)
    return causes


def causes_of(scenario: Scenario) -> dict[str, Cause]:
    """Return the causes of a scenario that was read, by name: those of `causes_in`."""
    causes = {
        fault.name: Cause(fault.name, fault.start_s, fault.end_s, fault.start_s)
        for fault in scenario.plan.faults
    }
    for incident in scenario.past.incidents:
        causes[incident.name] = Cause(incident.name, 0.0, 0.0, -incident.ago_s)
    return causes


def read_expectations(
    walker: ModelWalker,
    models: Mapping[Steps, ExpectationModel],
    *,
    causes: dict[str, Cause],
    duration_s: float,
) -> tuple[Expectation, ...]:
    """Return the expectations without a mistake; mistakes of the others are noted by `walker`.

    Its document holds each of the `models` at its steps.
    """
    expectations = [
        _ExpectationReader(walker, model, steps).read(causes, duration_s)
        for steps, model in models.items()
    ]
    return tuple(expectation for expectation in expectations if expectation)


def ends_too_late(field: str, end_s: float, duration_s: float) -> BrokenRule:
    """Return the mistake of something that ends after the scenario."""
    rule = f"end by {format_duration(duration_s)}, when the scenario ends"
    return BrokenRule(field, rule, Shown(end_s, format_duration(end_s)))


class _ExpectationReader:
    """Reads one expectation, which stands at `steps`."""

    def __init__(self, walker: ModelWalker, model: ExpectationModel, steps: Steps) -> None:
        self.walker = walker
        self.model = model
        self.steps = steps

    def read(self, causes: dict[str, Cause], duration_s: float) -> Expectation | None:
        """Return the expectation; or None after noting mistakes."""
        model = self.model
        expected = self._expected()
        if expected is None:
            return None
        self._check_receivers()
        cause = self._cause(causes)
        # Where the cause is unknown, a limit can still be wrong by itself.
        self._check_limits(cause or _START, duration_s)
        if cause is None:
            return None
        return Expectation(
            alert=model.alert,
            expected=expected,
            place=self.walker.place((*self.steps, "alert")),
            labels=tuple(sorted(model.labels.items())),
            no_other_labels=bool(model.no_other_labels),
            cause=cause.name,
            onset_s=cause.onset_s,
            end_s=cause.end_s,
            not_before_s=cause.began_s,
            fires_within_s=model.fires_within,
            resolves_within_s=model.resolves_within,
            pends_for_s=model.pends_for,
            fires_after_s=model.fires_after,
            resolves_after_s=model.resolves_after,
            receivers=None if model.receivers is None else tuple(model.receivers),
            notifies_resolved=model.notifies_resolved,
            why=model.explained or "",
        )

    def _expected(self) -> Expected | None:
        model = self.model
        kinds: list[Expected] = []
        if model.fires_within is not None:
            kinds.append("fires")
        if model.silent:
            kinds.append("silent")
        if model.explained is not None:
            kinds.append("explained")
        if len(kinds) != 1:
            rule = "have exactly one of the keys 'fires_within', 'silent' and 'explained'"
            count = Shown(len(kinds), str(len(kinds) or "none"))
            self.walker.reject(BrokenRule("an expectation", rule, count), self.steps)
            return None
        if model.explained == NO_REASON:
            rule = "be the reason, in your own words"
            self._note_key("explained", BrokenRule("explained", rule, model.explained))
            return None
        for key in FIRING_KEYS:
            if getattr(model, key) is not None and kinds != ["fires"]:
                self._note_key(key, BrokenRule(key, "be used with fires_within"))
                return None
        if model.cause is not None and kinds == ["silent"]:
            self._note_key("cause", BrokenRule("a silent alert", "have no cause"))
            return None
        return kinds[0]

    def _check_receivers(self) -> None:
        """Refuse receivers of a silent alert, repetitions, a notice of the end for no receiver."""
        model = self.model
        if model.silent:
            for key, value in (
                ("receivers", model.receivers),
                ("notifies_resolved", model.notifies_resolved),
            ):
                if value is not None:
                    self._note_key(key, BrokenRule("a silent alert", f"have no {key}"))
            return
        receivers = model.receivers or []
        for index, name in enumerate(receivers):
            if name in receivers[:index]:
                where = (*self.steps, "receivers", index)
                self.walker.reject(RepeatedName("receiver", name), where)
        if model.receivers == [] and model.notifies_resolved:
            rule = "be used with receivers: nobody is notified of this alert"
            self._note_key("notifies_resolved", BrokenRule("notifies_resolved", rule))

    def _cause(self, causes: dict[str, Cause]) -> Cause | None:
        """Return the cause that is named, the only one there is, or the scenario's start."""
        model = self.model
        if model.cause is not None:
            if model.cause not in causes:
                problem = UnknownName("fault or incident", model.cause, tuple(causes))
                self.walker.reject(problem, (*self.steps, "cause"))
            return causes.get(model.cause)
        if model.fires_within is None or not causes:
            return _START
        if len(causes) > 1:
            self.walker.reject(
                MissingKey("cause", hint=f": name {list_choices(causes)}"), self.steps
            )
            return None
        return next(iter(causes.values()))

    def _check_limits(self, cause: Cause, duration_s: float) -> None:
        for key, limit_s, from_s in (
            ("fires_within", self.model.fires_within, cause.onset_s),
            ("resolves_within", self.model.resolves_within, cause.end_s),
        ):
            if limit_s is None:
                continue
            if limit_s <= 0:
                problem = BrokenRule(key, "be above 0s", Shown(limit_s, format_duration(limit_s)))
                self.walker.reject(problem, (*self.steps, key))
            elif from_s + limit_s > duration_s:
                problem = ends_too_late(key, from_s + limit_s, duration_s)
                self.walker.reject(problem, (*self.steps, key))
        for early, late in (("fires_after", "fires_within"), ("resolves_after", "resolves_within")):
            first_s, last_s = getattr(self.model, early), getattr(self.model, late)
            if first_s is not None and last_s is not None and first_s > last_s:
                rule = f"be at most {late}, {format_duration(last_s)}"
                problem = BrokenRule(early, rule, Shown(first_s, format_duration(first_s)))
                self.walker.reject(problem, (*self.steps, early))

    def _note_key(self, key: str, problem: BrokenRule) -> None:
        self.walker.reject(problem, (*self.steps, key), at_key=True)


def check_unique(walker: ModelWalker, expectations: Iterable[Expectation]) -> None:
    """Refuse two expectations of the same alerts, unless they have different causes."""
    earlier: dict[tuple[object, ...], list[Expectation]] = {}
    for expectation in expectations:
        same_alert = earlier.setdefault((expectation.alert, expectation.labels), [])
        for other in same_alert:
            same_cause = expectation.cause == other.cause
            if same_cause or "silent" in (expectation.expected, other.expected):
                same_file = other.place.path == expectation.place.path
                first = f"line {other.place.line}" if same_file else str(other.place)
                sentence = f"{expectation.alert} is expected twice, first in {first}"
                walker.mistakes.append(expectation.place.mistake(sentence))
                break
        same_alert.append(expectation)
