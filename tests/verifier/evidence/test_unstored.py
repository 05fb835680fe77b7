"""Expressions that need a metric that is not stored: told without asking, and never wrongly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row
from verifier.dashboards.reader import load_dashboards
from verifier.evidence.emptiness import EmptinessCheck, Recording
from verifier.evidence.relaxed import is_unstored, relax
from verifier.evidence.stock import EvaluationSpan, Stock
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


STATE = 'ALERTS{alertname="Known"}'
SPAN = EvaluationSpan(EPOCH_S, EPOCH_S, EPOCH_S + 60, 15.0)


@pytest.mark.parametrize(
    "expr",
    [
        f"depth + on() {STATE}",
        f"{STATE} + on() depth",
        f"depth and on() {STATE}",
        f"sum(depth) / on() count({STATE})",
        f"rate({STATE}[1m])",
        "depth",
        "depth > 99",
    ],
)
def test_a_side_that_had_no_value_this_time_makes_nothing_empty_for_ever(
    server: Prometheus, expr: str
) -> None:
    """The state of an alert that a rule defines, and that never came."""
    check = EmptinessCheck(Stock(server), alerts={"Known"})
    assert [check.reason(root, SPAN) for root in relax(parse(expr)).roots] == [None]


RECORDINGS = (
    Recording("r", parse("depth > 100"), {"kind": "one"}),
    Recording("r", parse("gone > 5"), {"kind": "never"}),
    Recording("r", parse("-depth > 200"), {"kind": "two", "job": "b"}),
)


@pytest.mark.parametrize(
    ("selector", "reason"),
    [
        ("r", None),
        ('r{kind="one"}', None),
        ('r{kind="two"}', None),
        ('r{job="a"}', None),
        ('r{job="b"}', None),
        ('r{kind="one", job="a"}', None),
        ('r{kind="two", job="a"}', 'no series of r has kind="two", job="a" together'),
        ('r{kind="three"}', 'no series of r has kind="three": kind is one, two'),
        ('r{kind="never"}', 'no series of r has kind="never": kind is one, two'),
    ],
)
def test_any_of_several_recordings_of_a_name_may_be_the_one_that_is_read(
    server: Prometheus, selector: str, reason: str | None
) -> None:
    """With the labels of each that could have had a value; none was stored this time."""
    check = EmptinessCheck(Stock(server), RECORDINGS)
    roots = relax(parse(f"{selector} > 1")).roots
    assert [check.reason(root, SPAN) for root in roots] == [reason]


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
