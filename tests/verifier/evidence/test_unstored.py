"""Expressions that need a metric that is not stored: told without asking, and never wrongly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from verifier.dashboards.reader import load_dashboards
from verifier.evidence.emptiness import EmptinessCheck
from verifier.evidence.relaxed import is_unstored, relax
from verifier.evidence.stock import Stock
from verifier.panels.answers import PanelWindow, answer_panels
from verifier.panels.emptiness import explained
from verifier.promql.parsing import parse
from verifier.servers.prometheus import Prometheus, RangeQuery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WINDOW = PanelWindow(EPOCH_S, EPOCH_S + 60, scrape_s=15.0)
NEVER = (
    "gone",
    "gone > 5",
    "-(gone)",
    "rate(gone[1m])",
    "max_over_time((gone > 1)[30d:1m])",
    "max_over_time(sum by (job) (depth + on() gone)[2m:15s])",
    "depth and on() gone",
    "gone unless depth",
    "depth * 0 + gone",
    "gone or gone_too",
    "depth + on() (gone or gone_too)",
    "topk(scalar(depth), gone)",
    "histogram_quantile(0.9, sum by (le) (rate(gone_bucket[1m])))",
    'label_replace(gone, "a", "$1", "b", "(.*)")',
    '{__name__="gone"}',
    "1 + gone",
)
PERHAPS = (
    "depth",
    "depth > 5",
    "gone or depth",
    "depth unless on() gone",
    "absent(gone)",
    "absent(gone) or depth",
    "vector(scalar(gone))",
    "scalar(gone) + depth",
    "gone or vector(0)",
    "sum(gone) or on() vector(0)",
    'count({__name__=~"gone|depth"})',
    "time()",
    "day_of_week()",
    "depth > bool scalar(gone)",
    "quantile(scalar(gone), depth)",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Return a Prometheus that stores one metric."""
    with Prometheus() as running:
        running.push(history({labels("depth", job="a"): row("3 4 5 6 7")}))
        yield running


@pytest.mark.parametrize(
    ("expr", "never"), [(e, True) for e in NEVER] + [(e, False) for e in PERHAPS]
)
def test_what_is_told_without_asking_is_what_the_engine_answers(
    server: Prometheus, expr: str, *, never: bool
) -> None:
    """The engine has nothing for what can never have a value, and something for all the rest."""
    assert is_unstored(relax(parse(expr)).roots[0], server.metric_names()) == never
    filterless = expr.removesuffix(" > 5")
    answer = server.query_range(RangeQuery(filterless, EPOCH_S, EPOCH_S + 60, 15.0))
    assert (not answer) == never


def test_a_panel_without_its_metric_is_asked_once(
    server: Prometheus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither over the whole scenario nor part by part; an engine's error is still its answer."""
    sent: list[str] = []
    ask = type(server._client)._ask

    def spied(client: object, path: str, form: dict[str, str] | None = None) -> object:
        sent.append((form or {}).get("query", ""))
        return ask(client, path, form)

    targets = [
        {"expr": "max_over_time((gone > 1)[30d:1m]) * 2", "instant": True},
        {"expr": "max_over_time(gone) * 2", "instant": True},
    ]
    board = tmp_path / "board.json"
    board.write_text(json.dumps({"panels": [{"title": "gone", "targets": targets}]}))
    monkeypatch.setattr(type(server._client), "_ask", spied)
    answers = answer_panels(server, load_dashboards([board]).panels, WINDOW)
    missing, refused = explained(answers, EmptinessCheck(Stock(server)), WINDOW)
    assert missing.reason == "query returns nothing: no metric gone exists"
    assert refused.reason.startswith("query fails")
    assert [query for query in sent if "gone" in query] == [each["expr"] for each in targets]
