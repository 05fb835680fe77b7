"""A result of every kind that has a page, small and with every part; its texts are the caller's."""

from __future__ import annotations

from types import SimpleNamespace

from documents.mistakes import Place
from verifier.backtest.noise import RuleRecord
from verifier.backtest.replay import ReplayedAlert, ReplayRequest
from verifier.backtest.result import result_of
from verifier.backtest.sample_gaps import SampleGaps
from verifier.backtest.silence import ReplayFinding
from verifier.changes.timelines import AlertChange, EpisodePair
from verifier.check.findings.finding import CheckFinding
from verifier.check.findings.outcome import CheckOutcome, SilencedFinding
from verifier.controls.control import Control
from verifier.controls.control_result import ControlResult
from verifier.coverage.cells import CELLS
from verifier.coverage.score import Coverage, CoveredCell
from verifier.derive.result import Derived
from verifier.derive.solving import Solution
from verifier.engines.causes.conditions import ConditionSide
from verifier.engines.causes.explaining import ActingTrait, AlertExplanation, DifferenceReason
from verifier.engines.causes.traits import Trait
from verifier.engines.comparison import EngineComparison, ScenarioComparison
from verifier.errors import Finding, NotJudged
from verifier.evaluation.rule_run import Failures
from verifier.evaluation.timeline import Episode
from verifier.mutation.mutants import Mutant
from verifier.mutation.score import MutationScore
from verifier.pack.rules import AlertRule, RecordingRule, RuleFiles, RuleGroup
from verifier.report.pages.check import check_page
from verifier.report.pages.coverage import coverage_page
from verifier.report.pages.derived import derived_page
from verifier.report.pages.engines import engines_page
from verifier.report.pages.mutation import mutation_page
from verifier.report.pages.replay import replay_page
from verifier.report.pages.selftest import selftest_page

PLACE = Place("rules/a.yaml", 7, 3)


def rule_of(text):
    """Return a rule that is called so."""
    return AlertRule(text, "up == 0", 60.0, 0.0, (("label", text),), (), PLACE)


def group_of(text, count=1):
    """Return a group of so many rules."""
    return RuleGroup(text, "rules/a.yaml", 30.0, (rule_of(text),) * count)


def score_of(text, *, mutants=4):
    """Return a score: one killed by two scenarios, one by one, one equivalent, others survive."""
    group = group_of(text)
    edits = tuple(
        Mutant("for", f"{number} {text}", f"after {text}", group, group.rules)
        for number in range(mutants)
    )
    return MutationScore(
        edits,
        (("drop", text), (text,), *((),) * (mutants - 2)),
        (None, None, f"proof {text}", *(None,) * (mutants - 3)),
        ((text, f"failing {text}"),),
        ((text, f"unjudged {text}"),),
        ((RecordingRule(text, "up", (), PLACE), f"unedited {text}"),),
    )


def coverage_of(text):
    """Return a coverage of two alerts: cells proven, open, explained, and proven for all that."""
    seen = ((text, f"seen {text}"),)
    first = [CoveredCell(rule_of(text), cell, seen, ()) for cell in CELLS]
    first[0] = CoveredCell(rule_of(text), "fires", seen, (), f"needless {text}")
    second = [CoveredCell(rule_of("Other"), cell, (), seen) for cell in CELLS]
    second[0] = CoveredCell(rule_of("Other"), "fires", (), (), f"reason {text}")
    failing = ((text, "Other", f"why {text}"),)
    return Coverage((*first, *second), failing, ((text, f"unjudged {text}"),))


def outcome_of(text):
    """Return an outcome of a check: an error and an info, one silenced, one rule not followed."""
    error = CheckFinding("phantom-metric", PLACE, text, f"error {text}")
    info = CheckFinding("empty-child", PLACE, text, f"info {text}")
    return CheckOutcome(
        f"page {text}",
        rules=3,
        queries=2,
        findings=(info, error),
        silenced=(SilencedFinding(error, f"silenced {text}"),),
        not_checked=(NotJudged(text, f"unfollowed {text}", PLACE),),
        notes=(Finding(PLACE, f"note {text}"),),
    )


def comparison_of(text):
    """Return a comparison: an alert that fires later, another that does not, a rule refused."""
    later = EpisodePair(Episode(0.0, 60.0, 300.0), Episode(0.0, 75.0, 300.0))
    same = EpisodePair(Episode(0.0, 60.0, 300.0), Episode(0.0, 60.0, 300.0))
    changes = (
        AlertChange(text, (("label", text),), (later,)),
        AlertChange("Other", (), (same,)),
    )
    side = ConditionSide("up", f"up {text}", ">", 1.0)
    reason = DifferenceReason((60.0,), side, (2.0, 0.0), (ActingTrait(Trait.LATE_ZERO, 0),))
    scenario = ScenarioComparison(
        text,
        changes,
        ((text, "Both"), ("Both", "Second")),
        ((), (f"refused {text}",)),
        (AlertExplanation(text, changes[0].labels, (reason,)),),
    )
    return EngineComparison((f"one {text}", "two"), (scenario,), ((text, f"unjudged {text}"),))


def replayed_of(text, *, firings=3):
    """Return a replay of two versions: one alert that fires, one that is refused, one gone.

    The one that is gone had fired before the start, and still fires at the end.
    """
    own, old = RuleFiles((group_of(text),)), RuleFiles((group_of("Gone"),))
    alerts = [
        _replayed(text, "rules", firings),
        _replayed("Other", "rules", 0, refused=f"refused {text}"),
        _replayed("Gone", "against", 1),
    ]
    request = ReplayRequest(rules=own, against=old, from_s=1.7e9, to_s=1.7e9 + 86_400)
    finding = ReplayFinding(alerts[0], f"finding {text}", vacuous=True)
    gaps = SampleGaps(((1.7e9, 1.7e9 + 3600),), unknown=f"unknown {text}")
    return result_of("http://127.0.0.1:9", request, alerts, [finding], gaps=gaps)


def _replayed(name, version, firings, refused=""):
    record = RuleRecord(86_400.0)
    episodes = [Episode(10.0 + 2000.0 * n, 70.0 + 2000.0 * n, 500.0 + 2000.0 * n)
                for n in range(firings)]  # fmt: skip
    if version == "against":
        episodes = [Episode(-100.0, -50.0, 500.0), Episode(86_000.0, 86_100.0, None)]
    record.add({(("label", name),): episodes})
    record.noise.evaluations, record.noise.pending = 2880, 4 * firings
    record.noise.firing = 15 * firings
    run = SimpleNamespace(failures=Failures(0, 9, ""))
    return ReplayedAlert(version, group_of(name), rule_of(name), run, record, refused)


def derived_of(text):
    """Return what was derived: an alert that is solved, one that is not, one not read."""
    tests = tuple(SimpleNamespace(kind=kind) for kind in ("fires", "threshold", "for", "absent"))
    return Derived(
        (Solution(rule_of(text), tests), Solution(rule_of("Other"), (), (f"unsolved {text}",))),
        (NotJudged(text, f"unread {text}", PLACE),),
        "",
    )


def results_of(text):
    """Return a control that ended as it must, and one that did not."""
    control = Control(name=text, wrong=f"wrong {text}", scenario="a.yaml", status=1, reason=text)
    return [ControlResult(control, 1, (f"A: {text}",)), ControlResult(control, 0, ())]


def every_page(text):
    """Return a page of each kind, by its command, in which every text of a user is `text`."""
    return {
        "mutate": mutation_page(score_of(text), status=1, fail_under=99.0),
        "coverage": coverage_page(coverage_of(text), status=3),
        "check": check_page(outcome_of(text)),
        "verify": engines_page(comparison_of(text), status=1),
        "replay": replay_page(replayed_of(text), status=3, fail_over=1.0),
        "derive": derived_page(derived_of(text), status=0),
        "selftest": selftest_page(results_of(text), "prometheus 2"),
    }


PARTS = {
    "mutate": ("Not judged", "Fails without any edit", "Survivors", "By kind of edit", "By alert",
               "By scenario", "Equivalent", "Recording rules that were not edited"),
    "coverage": ("Not judged", "Not accepted", "Alerts and cells", "Open cells", "Reasons",
                 "Proofs"),
    "check": ("Not checked", "Findings", "Silenced", "Notes"),
    "verify": ("Not compared", "Differences", "What the differences come from",
               "Rules that an engine cannot evaluate",
               "Alerts that fail in one engine alone", "Scenarios"),
    "replay": ("No samples", "Vacuous or not judged", "Noise",
               "Changes, from --against to --rules", "Firings"),
    "derive": ("Not read", "Not solved", "Tests by alert"),
    "selftest": ("Controls",),
}  # fmt: skip
"""The headings of each, of which every example has rows."""
