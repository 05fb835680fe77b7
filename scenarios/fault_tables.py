"""The tables of faults in the documentation, made from the facts of each kind.

`make docs` writes them into docs/scenarios.md and docs/fault.md, and a test fails when the pages
differ. Pure: text in, text out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from documents.durations import format_duration
from documents.marked_tables import markdown_table
from scenarios.schema.derived import describe, key_of, plain, worded_bound
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import parameter_facts

if TYPE_CHECKING:
    from documents.marked_tables import Tables
    from simulator.faults.parameters import ParameterFacts, Parameters


def parameters_table() -> str:
    """What each kind does, what it may target, and its parameters with default and bounds."""
    header = ("fault", "what it does", "targets", "parameters")
    return markdown_table(header, (_parameters_row(kind) for kind in FAULTS.values()))


def effects_table() -> str:
    """What the effect of each kind is read from, and what it must come to."""
    rows = (
        (f"`{kind.facts.name}`", kind.facts.measured, kind.facts.expected)
        for kind in FAULTS.values()
    )
    return markdown_table(("fault", "measured", "expected"), rows)


FAULT_TABLES: Final[Tables] = {
    "parameters": parameters_table,
    "effects": effects_table,
}
"""The tables by the word in the mark that stands before them in a page."""


def _parameters_row(kind: type[Parameters]) -> tuple[str, ...]:
    parameters = "; ".join(_parameter(facts) for facts in parameter_facts(kind)) or "none"
    name, aims_at = f"`{kind.facts.name}`", kind.facts.aims_at
    return name, describe(kind).removesuffix("."), aims_at, parameters


def _parameter(facts: ParameterFacts) -> str:
    """`latency` (200ms) more for every call: 0s to 1h."""
    key = key_of(facts.field)
    show = format_duration if key != facts.field else plain
    default = "" if facts.default is None else f" ({show(facts.default)})"
    return f"`{key}`{default} {facts.meaning}: {worded_bound(facts)}"
