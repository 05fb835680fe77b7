"""The option `--seeds`, and the seeds that it names."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer

from documents.mistakes import InputError

ManySeeds = Annotated[
    str | None,
    typer.Option(
        metavar="SEEDS",
        help="Judge each scenario on many seeds: a number (of seeds, from 1), a range 1..200, or a"
        " list 3,17,20..40.",
    ),
]
SEED_MAX: Final = (1 << 63) - 1
RUNS_MAX: Final = 5000
"""Scenarios times seeds of one run: all its verdicts are held until its end."""
_PART: Final = re.compile(r"\s*([0-9]{1,19})\s*(?:\.\.\s*([0-9]{1,19})\s*)?")


def read_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds in their order, each once; raise `InputError` for what names none."""
    if text.strip().isdecimal() and text.isascii():
        _check(text, "1", text.strip())
        return tuple(range(1, int(text) + 1))
    seeds: dict[int, None] = {}
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise _mistake(text, "a number, a range such as 1..200, or a list such as 3,17,20..40")
        first, last = match[1], match[2] or match[1]
        _check(text, first, last)
        seeds.update(dict.fromkeys(range(int(first), int(last) + 1)))
        _check_count(text, len(seeds))
    return tuple(seeds)


def check_runs(scenarios: int, seeds: int) -> None:
    """Raise `InputError` for more runs than one verdict holds."""
    if scenarios * seeds > RUNS_MAX:
        raise InputError(
            f"--seeds: {scenarios} scenarios on {seeds} seeds are {scenarios * seeds:,} runs, at"
            f" most {RUNS_MAX:,} have one verdict: name fewer of either"
        )


def _check(text: str, first: str, last: str) -> None:
    """Raise `InputError` for a range without a seed, or with too many."""
    if int(last) > SEED_MAX:
        raise _mistake(text, f"seeds of at most {SEED_MAX}")
    if int(last) < int(first):
        reason = "at least one seed" if first == "1" and ".." not in text else "ranges that rise"
        raise _mistake(text, reason)
    _check_count(text, int(last) - int(first) + 1)


def _check_count(text: str, count: int) -> None:
    if count > RUNS_MAX:
        raise _mistake(text, f"at most {RUNS_MAX:,} seeds")


def _mistake(text: str, rule: str) -> InputError:
    return InputError(f"--seeds must be {rule}, got {text[:60]!r}")
