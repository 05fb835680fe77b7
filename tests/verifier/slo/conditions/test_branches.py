"""A condition fires in as many ways as its `or` has sides, each with its comparisons and hours."""

from __future__ import annotations

import pytest

from verifier.slo.conditions.branches import BRANCHES_MAX, branches_of
from verifier.slo.conditions.recordings import Recordings
from verifier.slo.conditions.unreadable import UnreadableConditionError

E, T = 'sum(rate(x{status=~"5.."}[1h]))', "sum(rate(x[1h]))"
SHARE = f"{E} / {T}"


def branches(expr):
    """Return the ways in which an expression fires."""
    return branches_of(expr, Recordings())


def core(expr):
    """Return operator and threshold of the share, of an expression that compares once."""
    (branch,) = branches(expr)
    (comparison,) = branch.comparisons
    return comparison.core_operator, comparison.core_threshold


@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
@pytest.mark.parametrize(
    ("form", "turns"),
    [
        (f"{SHARE} SIGN 0.2", False),
        (f"0.2 SIGN {SHARE}", True),
        (f"100 * ({SHARE}) SIGN 20", False),
        (f"-({SHARE}) SIGN -0.2", True),
        (f"1 - {SHARE} SIGN 0.8", True),
        (f"0.8 SIGN 1 - {SHARE}", False),
        (f"(({SHARE} SIGN 0.2))", False),
        (f"{SHARE} SIGN on() group_left() vector(0.2)", False),
    ],
)
def test_a_comparison_turns_where_its_sides_or_its_sign_are_turned(form, sign, turns):
    """The share is above or below 0.2 in each, and its edge counts where it did."""
    turned = sign.translate(str.maketrans("<>", "><"))
    operator, threshold = core(form.replace("SIGN", sign))
    assert (operator, threshold) == (turned if turns else sign, pytest.approx(0.2))


@pytest.mark.parametrize(
    ("sign", "absent", "fires"),
    [
        (">", 0.1, False), (">", 0.2, False), (">", 0.3, True),
        (">=", 0.1, False), (">=", 0.2, True), (">=", 0.3, True),
        ("<", 0.1, True), ("<", 0.2, False), ("<", 0.3, False),
        ("<=", 0.1, True), ("<=", 0.2, True), ("<=", 0.3, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_turned", [False, True])
def test_a_value_for_no_series_must_not_fire(sign, absent, fires, is_turned):
    """At the very threshold it fires where the comparison takes its edge."""
    share = f"({SHARE} or vector({absent}))"
    turned = sign.translate(str.maketrans("<>", "><"))
    expr = f"0.2 {turned} {share}" if is_turned else f"{share} {sign} 0.2"
    if fires:
        with pytest.raises(UnreadableConditionError) as error:
            branches(expr)
        assert str(error.value) == f"without series it counts as {absent}, and fires for that"
    else:
        assert core(expr) == (sign, pytest.approx(0.2))


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (f"{SHARE} > 1 and {SHARE} > 2", [(1, 2)]),
        (f"{SHARE} > 1 or {SHARE} > 2 or {SHARE} > 3", [(1,), (2,), (3,)]),
        (
            f"({SHARE} > 1 or {SHARE} > 2) and ({SHARE} > 3 or {SHARE} > 4)",
            [(1, 3), (1, 4), (2, 3), (2, 4)],
        ),
        (f"({SHARE} > 1 and {SHARE} > 2) or {SHARE} > 3", [(1, 2), (3,)]),
        (f"{SHARE} > 1 and on() (hour() >= 8)", [(1,)]),
        (f"({SHARE} > 1 or {SHARE} > 2) unless on() (hour() < 8)", [(1,), (2,)]),
    ],
)
def test_or_adds_ways_to_fire_and_and_joins_them(expr, expected):
    """In the order in which they are written."""
    assert [
        tuple(comparison.threshold for comparison in branch.comparisons)
        for branch in branches(expr)
    ] == expected


@pytest.mark.parametrize(
    ("expr", "guards"),
    [
        (f"{SHARE} > 1", []),
        (f"{SHARE} > 1 and on() (hour() >= 8)", [("and hour() >= 8", 2 / 3)]),
        (f"{SHARE} > 1 unless on() (hour() < 6)", [("unless hour() < 6", 3 / 4)]),
        (f"vector(1) > 0 and on() ({SHARE} > 1)", [("and vector(1) > 0", 1)]),
        (
            f"({SHARE} > 1 and on() (hour() >= 8)) unless on() (minute() < 30)",
            [("and hour() >= 8", 2 / 3), ("unless minute() < 30", 1 / 2)],
        ),
    ],
)
def test_a_guard_says_for_which_share_of_the_time_it_lets_the_alert_fire(expr, guards):
    """`and` for as long as it has a value, `unless` for as long as it has none."""
    (branch,) = branches(expr)
    assert [guard.text for guard in branch.guards] == [text for text, _ in guards]
    shares = [guard.open_share for guard in branch.guards]
    assert shares == pytest.approx([share for _, share in guards])


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (f"{SHARE} > > 1", "it cannot be parsed here: "),
        (f"{SHARE} == 1", "is no threshold"),
        (f"{SHARE} != 1", "is no threshold"),
        (SHARE, "is compared with nothing: it fires whenever it has a value"),
        (f"-({SHARE} > 1)", "is compared with nothing"),
        (f"{SHARE} > 1 or {SHARE}", "is compared with nothing"),
        ("vector(1) > 0", "'vector(1) > 0' reads no series"),
        (f"{SHARE} > {SHARE}", "compares with no number"),
        (f"{SHARE} > bool 1", "'> bool' gives 0 or 1 and always has a value: it always fires"),
        ("hour() > 8 and hour() < 9", "reads the clock alone"),
        (f"{SHARE} > 1 and on() (hour() > 24)", "'and hour() > 24' lets it fire at no hour"),
        (f"{SHARE} > 1 unless on() (hour() < 24)", "'unless hour() < 24' lets it fire at no hour"),
        (f"{SHARE} > 1 unless on() up", "whether 'up' ever lets it fire is not to be seen here"),
        (f"hour() > 1 unless {SHARE} > 1", "ever lets it fire is not to be seen here"),
        (f"{SHARE} > 1 and (hour() > 8)", ""),
        (f"{E} > 1 and on(status) {T} > 1", ""),
        ("sum by (job) (rate(x[1h])) > 1 and sum by (path) (rate(x[1h])) > 1", "never meet"),
        ("sum by (job) (rate(x[1h])) > 1 and (hour() > 8)", "the sides of 'and' never meet"),
        ("sum by (job) (rate(x[1h])) > 1 unless (hour() < 8)", "the sides of 'unless' never meet"),
        ("sum by (job) (rate(x[1h])) > vector(1)", "the sides of '>' never meet"),
    ],
)
def test_what_always_or_never_fires_is_refused_with_its_reason(expr, reason):
    """An empty reason is that of a condition that is read."""
    if not reason:
        assert branches(expr)
        return
    with pytest.raises(UnreadableConditionError) as error:
        branches(expr)
    assert reason in str(error.value)


def test_a_condition_may_have_so_many_ways_to_fire_and_no_more():
    """`and` of two `or` multiplies them."""
    eight = " or ".join(f"{SHARE} > {number}" for number in range(8))
    assert len(branches(f"({eight}) and ({eight})")) == BRANCHES_MAX
    with pytest.raises(UnreadableConditionError, match="it has more than 64 ways to fire"):
        branches(f"({eight}) and ({eight} or {SHARE} > 9)")


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        (f"{SHARE} > 1", set()),
        ("sum by (job) (rate(x[1h])) > 1", {"job"}),
        ("1 < sum by (job) (rate(x[1h]))", {"job"}),
        ("sum by (job) (rate(x[1h])) > on() group_left() vector(1)", {"job"}),
        ("vector(1) < on() group_right() sum by (job) (rate(x[1h]))", {"job"}),
        ("sum by (job) (rate(x[1h])) > 1 and on() vector(1)", {"job"}),
        ("sum by (job) (rate(x[1h])) > scalar(vector(1))", {"job"}),
    ],
)
def test_the_alerts_of_a_way_to_fire_have_the_labels_of_its_quantity(expr, names):
    """On whichever side it stands."""
    (branch,) = branches(expr)
    assert branch.labels.varying == names
