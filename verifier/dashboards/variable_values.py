"""What the variables of a dashboard stand for, and texts with those values in place of the names.

A value is settled as Grafana settles it when a dashboard is opened: what is chosen in the file, as
long as it is still one of the choices; else all of them where that is allowed; else the first. The
choices of a query are those that the Prometheus which is judged returns: `StoredValues`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from documents.document import decimal
from verifier.dashboards.choices import ordered, through_regex
from verifier.dashboards.formats import VariableValue, write_value
from verifier.dashboards.intervals import auto_interval, parse_interval_s
from verifier.dashboards.variables import ALL, AUTO
from verifier.pack.panels import Option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.pack.panels import Board, Variable

UNKNOWN: Final = ".+"
"""What stands for the choices of a query before any server can be asked: whatever there is."""
AUTO_STEPS: Final = 30
"""In how many steps `auto` divides a range, where a variable does not say."""
CHOICES_MAX: Final = 1000
"""More choices than any of our worlds has."""

_USE: Final = re.compile(r"\$\{(\w+)(?:\.[^:}]+)?(?::([^}]+))?\}|\[\[(\w+?)(?::(\w+))?\]\]|\$(\w+)")
"""The three ways in which Grafana lets a variable be written, the first two with a format."""

_LABEL_VALUES: Final = re.compile(
    r"\s*label_values\(\s*(?:(.+?)\s*,\s*)?([a-zA-Z_][\w.]*|\"[^\"]+\")\s*\)\s*", re.DOTALL
)
_LABEL_NAMES: Final = re.compile(r"\s*label_names\((.*)\)\s*", re.DOTALL)
_METRICS: Final = re.compile(r"\s*metrics\((.*)\)\s*", re.DOTALL)
_QUERY_RESULT: Final = re.compile(r"\s*query_result\((.+)\)\s*", re.DOTALL)


class StoredValues(Protocol):
    """What variables ask a Prometheus for; a refused question has no answer."""

    def label_values(self, label: str, selector: str) -> Sequence[str]:
        """Return the values of a label, of the series of `selector` or of all."""

    def label_names(self, selector: str) -> Sequence[str]:
        """Return the names of labels."""

    def results(self, expr: str) -> Sequence[str]:
        """Return the series of an instant query, written `name{a="b"} value time`."""

    def series(self, selector: str) -> Sequence[str]:
        """Return the series of a selector, written `name{a="b"}`."""


class VariableValues:
    """The values of one dashboard's variables, each settled when it is first used."""

    def __init__(
        self,
        board: Board,
        settled: Mapping[str, VariableValue],
        stored: StoredValues | None = None,
    ) -> None:
        """Know some values; without `stored` the choices of queries are unknown."""
        self.board = board
        self.stored = stored
        self.variables = {variable.name: variable for variable in board.variables}
        self._settled = dict(settled)
        self._open: set[str] = set()

    def with_own(self, own: Mapping[str, str]) -> VariableValues:
        """Return the same values beside others of Grafana's own variables."""
        values = {name: VariableValue(name, (text,)) for name, text in own.items()}
        return VariableValues(self.board, self._settled | values, self.stored)

    def settle(self) -> None:
        """Settle every variable, so that no question is asked for every query again."""
        for name in self.variables:
            self.get(name)

    def fixed(self, name: str, choice: str) -> VariableValues:
        """Return the same values with one variable set to one choice, as in a repeated panel."""
        several = name in self.variables and _several(self.variables[name])
        value = VariableValue(name, (choice,), several=several)
        return VariableValues(self.board, self._settled | {name: value}, self.stored)

    def get(self, name: str) -> VariableValue | None:
        """Return what a variable stands for; None when there is no such variable."""
        if name in self._settled:
            return self._settled[name]
        variable = self.variables.get(name)
        if variable is None or name in self._open:
            return None
        self._open.add(name)  # a variable that asks for itself ends here
        try:
            value = self._settle(variable)
        finally:
            self._open.discard(name)
        self._settled[name] = value
        return value

    def substitute(self, text: str) -> str:
        """Replace `$name`, `${name:format}` and `[[name]]`; a name unknown stays as it is."""

        def write(match: re.Match[str]) -> str:
            name = match[1] or match[3] or match[5]
            value = self.get(name)
            if value is None:
                return match.group()
            return write_value(value, match[2] or match[4] or "")

        return _USE.sub(write, text)

    def used(self, text: str) -> list[VariableValue]:
        """Return the values of the variables that stand in a text."""
        names = dict.fromkeys(m[1] or m[3] or m[5] for m in _USE.finditer(text))
        values = [self.get(name) for name in names if name in self.variables]
        return [value for value in values if value is not None]

    def choices(self, variable: Variable) -> Sequence[Option] | None:
        """Return what can be chosen; None when only a server would know."""
        if variable.kind == "query" and variable.asks:
            if self.stored is None:
                return None
            returned = list(self._asked(self.substitute(variable.query)))[:CHOICES_MAX]
            options = through_regex(returned, self.substitute(variable.regex))
            return ordered(options, variable.sort)
        return variable.options

    def _settle(self, variable: Variable) -> VariableValue:
        if variable.kind in ("textbox", "constant", "adhoc", "datasource"):
            return self._plain(variable, variable.chosen[:1] or ("",))
        if variable.kind == "interval":
            return self._plain(variable, (self._interval(variable),))
        options = self.choices(variable)
        if options is None:
            return self._before_asking(variable)
        if variable.kind == "query" and not variable.asks and not options:
            return self._before_asking(variable)  # of another source, which nobody can ask
        values = {option.value: option for option in options}
        chosen = [values[value] for value in variable.chosen if value in values]
        if not chosen and len(variable.chosen_texts) == 1 and ALL not in variable.chosen:
            chosen = [o for o in options if o.text == variable.chosen_texts[0]][:1]
        if ALL in variable.chosen or (not chosen and variable.include_all):
            return self._everything(variable, options)
        return self._chosen(variable, chosen or options[:1])

    def _plain(self, variable: Variable, values: tuple[str, ...]) -> VariableValue:
        return VariableValue(variable.name, values)

    def _chosen(self, variable: Variable, options: Sequence[Option]) -> VariableValue:
        return VariableValue(
            variable.name,
            tuple(option.value for option in options),
            tuple(option.text for option in options),
            is_list=variable.multi,
            several=_several(variable),
        )

    def _everything(self, variable: Variable, options: Sequence[Option]) -> VariableValue:
        return VariableValue(
            variable.name,
            tuple(option.value for option in options),
            is_list=True,
            several=_several(variable),
            literal=self.substitute(variable.all_value) if variable.all_value else None,
            stands_for_all=True,
        )

    def _before_asking(self, variable: Variable) -> VariableValue:
        chosen = tuple(value for value in variable.chosen if value)
        if not chosen or ALL in chosen:
            literal = variable.all_value or UNKNOWN
            return VariableValue(variable.name, (), literal=literal, stands_for_all=ALL in chosen)
        options = [Option(value, value) for value in chosen]
        return self._chosen(variable, options)

    def _interval(self, variable: Variable) -> str:
        values = [option.value for option in variable.options]
        chosen = variable.chosen[0] if variable.chosen else ""
        auto = next((value for value in values if value.startswith(AUTO)), "")
        if (chosen.startswith("$__auto") or chosen == "auto") and auto:
            value = auto
        elif chosen in values:
            value = chosen
        else:
            value = next((text for text in values if parse_interval_s(text)), auto or chosen)
        if value.startswith(AUTO):
            _, steps, least = value.split(":", 2)
            return auto_interval(self.board.range_s, decimal(steps) or AUTO_STEPS, least)
        return value

    def _asked(self, query: str) -> Sequence[str]:
        """Return what a query of a variable returns, in the forms of Grafana's data source."""
        stored = self.stored
        if stored is None:
            return ()
        if (match := _LABEL_VALUES.fullmatch(query)) is not None:
            return stored.label_values(match[2].strip('"'), match[1] or "")
        if (match := _LABEL_NAMES.fullmatch(query)) is not None:
            return stored.label_names(match[1].strip())
        if (match := _METRICS.fullmatch(query)) is not None:
            return [n for n in stored.label_values("__name__", "") if _matches(match[1], n)]
        if (match := _QUERY_RESULT.fullmatch(query)) is not None:
            return stored.results(match[1])
        return stored.series(query)


def question_reads(query: str) -> str:
    """Return an expression that reads what the query of a variable asks for, "" for nothing."""
    if (match := _LABEL_VALUES.fullmatch(query)) is not None:
        return match[1] or '{__name__=~".+"}'
    if _LABEL_NAMES.fullmatch(query) or _METRICS.fullmatch(query):
        return '{__name__=~".+"}'
    match = _QUERY_RESULT.fullmatch(query)
    return match[1] if match is not None else query


def names_metrics(variable: Variable) -> bool:
    """Return whether the choices of a variable may be names of metrics."""
    query = variable.query
    return variable.asks and (
        _METRICS.fullmatch(query) is not None
        or "__name__" in query
        or (bool(variable.regex) and _LABEL_VALUES.fullmatch(query) is None)
    )


def _several(variable: Variable) -> bool:
    return variable.multi or variable.include_all


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern.strip(), text) is not None
    except re.error:
        return False
