"""The tables of faults in the documentation, made of what each kind says of itself.

`tools/write_fault_tables.py` writes them into docs/scenarios.md and docs/fault.md, and a test says
when those differ. Pure: text in, text out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from scenarios.schema.derived import describe, key_of
from simulator.faults.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from simulator.faults.parameters import ParameterFacts, Parameters

_MARKED: Final = re.compile(r"(<!-- `make docs` writes (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(page: str) -> str:
    """Return a page with the tables between its marks as they should be; `KeyError` for others."""
    return _MARKED.sub(lambda match: match[1] + TABLES[match[2]]() + match[3], page)


def parameters_table() -> str:
    """What each kind does, what it may aim at, and its parameters with default and bounds."""
    header = ("fault", "what it does", "aims at", "parameters")
    return _table(header, (_parameters_row(kind) for kind in FAULTS.values()))


def effects_table() -> str:
    """What the effect of each kind is read from, and what it must come to."""
    rows = (
        (f"`{kind.facts.name}`", kind.facts.measured, kind.facts.expected)
        for kind in FAULTS.values()
    )
    return _table(("fault", "measured", "expected"), rows)


TABLES: Final[dict[str, Callable[[], str]]] = {
    "parameters": parameters_table,
    "effects": effects_table,
}
"""The tables by the word in the mark that stands before them in a page."""


def _parameters_row(kind: type[Parameters]) -> tuple[str, ...]:
    parameters = "; ".join(_parameter(facts) for facts in parameter_facts(kind)) or "none"
    if kind.real_time_only():
        parameters += "; for `serve` and `up`, not for `verify`"
    name, aims_at = f"`{kind.facts.name}`", kind.facts.aims_at
    return name, describe(kind).removesuffix("."), aims_at, parameters


def _parameter(facts: ParameterFacts) -> str:
    """`latency` (200ms) more for every call: 0s to 1h."""
    key = key_of(facts.field)
    show = format_duration if key != facts.field else _plain
    default = "" if facts.default is None else f" ({show(facts.default)})"
    return f"`{key}`{default} {facts.meaning}: {facts.bound.worded(show)}"


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number >= 1 else f"{number:g}"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    lines.insert(1, f"|{'---|' * len(tuple(header))}")
    return "\n".join(lines) + "\n"
