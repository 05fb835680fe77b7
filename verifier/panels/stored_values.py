"""What the variables of dashboards ask, answered by the Prometheus that holds a run.

Each question is asked once. One that the engine refuses has no answer, as in Grafana.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from verifier.servers.prometheus import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verifier.servers.prometheus import Prometheus, Series

ANY_SERIES = '{__name__=~".+"}'


class ServerValues:
    """The series of one run, from `start_s` to `end_s`, Unix seconds."""

    def __init__(self, server: Prometheus, start_s: float, end_s: float) -> None:
        """Ask nothing yet."""
        self._server = server
        self._start_s, self._end_s = start_s, end_s
        self._label_sets = lru_cache(maxsize=256)(self._asked)

    def label_values(self, label: str, selector: str) -> Sequence[str]:
        """Return the values of a label, sorted, of the series of `selector` or of all."""
        return sorted({s[label] for s in self._label_sets(selector or ANY_SERIES) if label in s})

    def label_names(self, selector: str) -> Sequence[str]:
        """Return the names of labels, sorted."""
        return sorted({name for s in self._label_sets(selector or ANY_SERIES) for name in s})

    def series(self, selector: str) -> Sequence[str]:
        """Return the series of a selector, written `name{a="b"}`."""
        return [_series_text(labels) for labels in self._label_sets(selector)]

    def results(self, expr: str) -> Sequence[str]:
        """Return the series of an instant query at the end, written `name{a="b"} value time`."""
        try:
            answer = self._server.query(expr, self._end_s)
        except QueryError:
            return ()
        return [_result_text(series) for series in answer]

    def _asked(self, selector: str) -> tuple[Mapping[str, str], ...]:
        try:
            return tuple(self._server.label_sets(selector, self._start_s, self._end_s))
        except QueryError:
            return ()


def _series_text(labels: Mapping[str, str]) -> str:
    others = ",".join(f'{name}="{text}"' for name, text in labels.items() if name != "__name__")
    return f"{labels.get('__name__', '')}{{{others}}}"


def _result_text(series: Series) -> str:
    value = float(series.values[-1])
    number = str(int(value)) if value.is_integer() else repr(value)
    return f"{_series_text(series.labels)} {number} {round(float(series.times_s[-1]) * 1000)}"
