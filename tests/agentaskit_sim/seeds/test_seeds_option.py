"""The seeds that `--seeds` names, and what it refuses."""

from __future__ import annotations

import pytest

from agentaskit_sim.seeds.seeds_option import RUNS_MAX, SEED_MAX, check_runs, read_seeds
from documents.mistakes import InputError


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("3", (1, 2, 3)),
        ("4..6", (4, 5, 6)),
        ("9,2,9", (9, 2)),
        ("7,7", (7,)),
        (" 3, 17 ,20 .. 21", (3, 17, 20, 21)),
        ("0..0", (0,)),
        (f"{SEED_MAX},1", (SEED_MAX, 1)),
        ("5000", tuple(range(1, 5001))),
    ],
)
def test_a_number_a_range_and_a_list(text, seeds):
    """In their order, each once."""
    assert read_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("0", "at least one seed"),
        ("", "a number, a range such as 1..200, or a list"),
        ("-3", "a number, a range"),
        ("1...3", "a number, a range"),
        ("1-3", "a number, a range"),
        ("1,,3", "a number, a range"),
        ("2.5", "a number, a range"),
        ("٣", "a number, a range"),
        ("x" * 500, "a number, a range"),
        ("9..1", "ranges that rise"),
        (f"{SEED_MAX + 1},2", f"seeds of at most {SEED_MAX}"),
        ("1..9000000000000000000", "at most 5,000 seeds"),
        ("5001", "at most 5,000 seeds"),
        ("1..3000,3001..6000", "at most 5,000 seeds"),
    ],
)
def test_what_names_no_seeds_is_refused_in_one_line(text, rule):
    """Before a single number is made."""
    with pytest.raises(InputError) as refused:
        read_seeds(text)
    assert str(refused.value).startswith(f"--seeds must be {rule}")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_too_many_runs_are_refused():
    """Their verdicts are all held."""
    check_runs(5, RUNS_MAX // 5)
    with pytest.raises(InputError, match="6 scenarios on 1000 seeds are 6,000 runs, at most 5,000"):
        check_runs(6, 1000)
