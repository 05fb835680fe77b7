"""A score from mutants that were made by hand: what counts, every line and the whole document."""

from __future__ import annotations

from dataclasses import replace

from documents.mistakes import Place
from tests.verifier.alerts import recording, rule_files
from tests.verifier.outcomes import alert, outcome
from verifier.mutation.killing import MutatedScenario
from verifier.mutation.mutants import Mutant
from verifier.mutation.score import MutationScore, score_document, score_lines, score_of

(GROUP,) = rule_files("Low").groups
LOW = replace(GROUP.rules[0], position=Place("a.yaml", 3, 1))
HIGH = replace(LOW, alert="High", position=Place("a.yaml", 9, 1))
RECORDED = replace(recording("r", "up"), position=Place("b.yaml", 5, 1))
MUTANTS = (
    Mutant("comparator", "> 1", "< 1", GROUP, (LOW,)),
    Mutant("comparator", "> 1", ">= 1", GROUP, (LOW,)),
    Mutant("for", "1m", "2m", GROUP, (LOW,)),
    Mutant("label", "a", "b", GROUP, (HIGH,)),
    Mutant("label", "a", "no such label", GROUP, (RECORDED,)),
    Mutant("interval", "30s", "1m", GROUP, (LOW, HIGH)),
)
SCORE = MutationScore(
    MUTANTS,
    (("drop", "surge"), (), (), ("drop",), (), ()),
    ("it is proved", None, "it never differs", "it is proved", None, None),
    failing=(("drop", "Odd"),),
    unjudged=(("lost", "no engine"),),
    unedited=((RECORDED, "nobody reads it"),),
)


def test_a_mutant_counts_as_killed_as_survived_or_not_at_all():
    """A proof counts where no scenario disproves it."""
    assert (SCORE.killed, SCORE.share) == (2, 0.4)
    assert SCORE.equivalent == ((MUTANTS[2], "it never differs"),)
    assert SCORE.survivors == (MUTANTS[1], MUTANTS[4], MUTANTS[5])
    assert SCORE.by_kind() == {"comparator": (1, 2), "label": (1, 2), "interval": (0, 1)}
    nothing = MutationScore((), (), ())
    assert (nothing.share, nothing.by_kind()) == (1.0, {})
    proved = replace(SCORE, mutants=MUTANTS[2:3], killers=((),), proofs=("so",))
    assert (proved.share, proved.killed) == (1.0, 0)


def test_survivors_are_said_by_their_rule_and_then_what_could_not_count():
    """Each rule once, with its place."""
    assert list(score_lines(SCORE)) == [
        "Low (a.yaml:3)", "  comparator: > 1 -> >= 1",
        "r (b.yaml:5)", "  label: a -> no such label",
        "group group (a.yaml:3)", "  interval: 30s -> 1m",
        "equivalent: Low (a.yaml:3): 1m -> 2m: it never differs",
        "not edited: r (b.yaml:5): nobody reads it",
        "drop: Odd fails without any edit, so it kills nothing there",
        "lost: not judged: no engine",
        "SCORE: 40.0%: 2 of 5 mutants killed, 3 survived; 1 more are equivalent",
    ]  # fmt: skip
    assert list(score_lines(MutationScore((), (), ()))) == [
        "SCORE: 100.0%: 0 of 0 mutants killed, 0 survived"
    ]


def entry(number, **changes):
    """Return a mutant as the document has it."""
    mutant = MUTANTS[number]
    values = {
        "alert": "Low", "record": None, "group": "group", "file": "a.yaml", "line": 3,
        "kind": mutant.kind, "before": mutant.before, "after": mutant.after, "killed_by": [],
        "equivalent": None,
    }  # fmt: skip
    return values | changes


def test_the_document_has_every_mutant_with_its_killers_and_its_proof():
    """No proof of one that is killed."""
    assert score_document(SCORE) == {
        "version": 1,
        "score": 0.4,
        "killed": 2,
        "survived": 3,
        "equivalent": 1,
        "kinds": {
            "comparator": {"killed": 1, "of": 2}, "label": {"killed": 1, "of": 2},
            "interval": {"killed": 0, "of": 1},
        },
        "mutants": [
            entry(0, killed_by=["drop", "surge"]),
            entry(1),
            entry(2, equivalent="it never differs"),
            entry(3, alert="High", line=9, killed_by=["drop"]),
            entry(4, alert=None, record="r", file="b.yaml", line=5),
            entry(5, alert=None),
        ],
        "not_edited": [{"record": "r", "file": "b.yaml", "line": 5, "reason": "nobody reads it"}],
        "failing": [{"scenario": "drop", "alert": "Odd"}],
        "not_judged": [{"scenario": "lost", "reason": "no engine"}],
    }  # fmt: skip
    third = replace(SCORE, mutants=MUTANTS[:3], killers=(("a",), (), ()), proofs=(None,) * 3)
    assert score_document(third)["score"] == 0.333333


def judged(name, *numbers, **changes):
    """Return the outcome of a scenario that kills these mutants."""
    plain = outcome(name, **{"alerts": (alert("Low"),)} | changes)
    fields = {each: getattr(plain, each) for each in plain.__dataclass_fields__}
    return MutatedScenario(**fields, killed=frozenset(numbers))


def test_a_score_is_put_together_of_what_could_be_judged():
    """An invalid scenario kills nothing, nor does one that another judge judged."""
    failing = (alert("Odd", ok=False), alert("Odd", ok=False), alert("Low"))
    outcomes = [
        judged("drop", 0, 1, alerts=failing), judged("lost", 0, 2, invalid=("a", "b")),
        outcome("other", invalid=("no run",)), judged("surge", 1), outcome("plain"),
    ]  # fmt: skip
    score = score_of(MUTANTS[:3], outcomes)
    assert score.killers == (("drop",), ("drop", "surge"), ())
    assert score.proofs == (None, None, None)
    assert score.failing == (("drop", "Odd"),)
    assert score.unjudged == (("lost", "a; b"), ("other", "no run"), ("plain", ""))
    assert (score.mutants, score.unedited) == (MUTANTS[:3], ())
