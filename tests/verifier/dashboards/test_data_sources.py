"""The kind of a source: what it states, else what its variable is, else what its name tells."""

from __future__ import annotations

from typing import Any

import pytest

from verifier.dashboards.data_sources import MIXED, PROMETHEUS, DataSources

SOURCES = DataSources()
SOURCES.add_input({"name": "DS_A", "type": "datasource", "pluginId": "loki"})
SOURCES.add_input({"name": "DS_B", "type": "constant", "pluginId": "loki"})
SOURCES.add_variable({"name": "logs", "query": "loki"})
SOURCES.add_variable({"name": "loki_like", "query": "prometheus"})


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (None, "as its panel"),
        ("", "as its panel"),
        ("default", "as its panel"),
        ({}, "as its panel"),
        ({"type": "prometheus", "uid": "loki"}, PROMETHEUS),
        ({"type": "loki", "uid": "prometheus"}, "Loki"),
        ({"type": "mixed"}, MIXED),
        ({"type": "datasource", "uid": "${DS_A}"}, "Loki"),
        ("$logs", "Loki"),
        ("[[logs]]", "Loki"),
        ({"uid": "$loki_like"}, PROMETHEUS),  # declared: its name says nothing
        ("${DS_LOKI}", "Loki"),  # not declared: its name is all there is
        ("${DS_B}", PROMETHEUS),
        ("team-loki (eu)", "Loki"),
        ("P8E80F9AEF21F6940", PROMETHEUS),
    ],
)
def test_a_source_has_the_kind_that_is_said_most_plainly(source: Any, kind: str) -> None:
    """Whether it is a name, a reference or both."""
    assert SOURCES.kind(source, "as its panel") == kind
