"""The dashboards are what Grafana's own published schema says a dashboard is."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from tests.observability.grafana.grafana_types import fetch_grafana_types

DASHBOARDS = Path(__file__).parents[3] / "observability" / "dashboards"


@pytest.fixture(scope="module")
def types(repository):
    """Return Grafana's types; without a network, and without them from before, skip loudly."""
    types = fetch_grafana_types(repository)
    if isinstance(types, str):
        pytest.skip(f"NO GRAFANA SCHEMA: dashboards were not checked against it: {types}")
    return types


@pytest.fixture(scope="module")
def dashboards():
    """Return the dashboards of the pack, by name."""
    return {path.stem: json.loads(path.read_text("utf-8")) for path in DASHBOARDS.glob("*.json")}


def unknown_key(sla):
    """Name something that no dashboard has."""
    sla["colour"] = "red"


def old_annotation(sla):
    """Write an annotation's query where Grafana had it before."""
    sla["annotations"]["list"][1]["expr"] = "up"


def half_a_link(sla):
    """Leave out what a link must say."""
    del sla["links"][1]["keepTime"]


def unknown_word(sla):
    """Misspell a word of a panel's options."""
    sla["panels"][0]["options"]["colorMode"] = "backgroud"


def unknown_option(sla):
    """Give a panel an option of another kind of panel."""
    sla["panels"][0]["options"]["calculate"] = True


def text_for_a_number(sla):
    """Write a number as a text."""
    sla["panels"][0]["gridPos"]["h"] = "7"


def no_query(sla):
    """Forget the query of an annotation."""
    del sla["annotations"]["list"][2]["target"]["expr"]


def unknown_style(sla):
    """Misspell how a line is drawn."""
    sla["panels"][2]["fieldConfig"]["defaults"]["custom"]["drawStyle"] = "lines"


PLANTED = (
    unknown_key, old_annotation, half_a_link, unknown_word, unknown_option, text_for_a_number,
    no_query, unknown_style,
)  # fmt: skip


@pytest.mark.ci
def test_every_dashboard_is_valid_and_each_planted_mistake_is_reported(types, dashboards):
    """All in one run of the compiler, which takes seconds to start."""
    assert set(dashboards) == {"sla", "throughput", "capacity"}
    planted = {}
    for plant in PLANTED:
        planted[plant.__name__] = copy.deepcopy(dashboards["sla"])
        plant(planted[plant.__name__])
    faults = types.faults({**dashboards, **planted})
    assert {name: faults[name] for name in dashboards} == {name: [] for name in dashboards}
    assert [name for name in planted if not faults[name]] == []


@pytest.mark.ci
def test_without_a_network_the_reason_is_said(repository, tmp_path, monkeypatch):
    """Never an answer that looks like a pass: the fixture skips with it."""
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    (tmp_path / "tools").symlink_to(repository / "tools")
    reason = fetch_grafana_types(tmp_path)
    assert isinstance(reason, str)
    assert "schema 13.2.3 cannot be fetched" in reason


@pytest.mark.ci
def test_a_script_that_dies_is_no_reason_to_skip(tmp_path):
    """Planted: a traceback was once taken for a network that is not there."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "grafana_schema.py").write_text("raise TypeError('filter')\n")
    with pytest.raises(AssertionError, match="TypeError: filter"):
        fetch_grafana_types(tmp_path)
