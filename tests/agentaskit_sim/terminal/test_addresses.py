"""What `up` prints about its servers, and what a user's own servers need in their files."""

from pathlib import Path

import pytest

from agentaskit_sim.terminal.addresses import (
    BREAK_IT,
    describe_alertmanager,
    describe_prometheus,
    describe_urls,
)
from documents.yaml_reader import parse

WORLD = "http://127.0.0.1:1234"


def test_an_unknown_alertmanager_is_left_out():
    """Where notifications go only through the user's own."""
    with_it = describe_urls(WORLD, "http://a", "http://b", "http://c")
    assert "Alertmanager: http://b/#/alerts" in with_it
    without = describe_urls(WORLD, "http://a", None, "http://c")
    assert without == [line for line in with_it if not line.startswith("Alertmanager")]


def test_the_command_that_breaks_the_world_names_it_unless_it_is_at_the_default_address():
    """It is there to be copied."""
    [usual] = [line for line in describe_urls("http://127.0.0.1:9464", "p", "a", "r")
               if BREAK_IT in line]  # fmt: skip
    [other] = [line for line in describe_urls("http://127.0.0.1:1", "p", None, "r")
               if BREAK_IT in line]  # fmt: skip
    assert usual.strip() == BREAK_IT
    assert other.strip() == f"{BREAK_IT} --url http://127.0.0.1:1"


@pytest.mark.parametrize("sd_file", [None, Path("/srv/world.json")])
def test_the_lines_for_prometheus_are_yaml(sd_file):
    """Heading aside, they can be copied into a prometheus.yml as they are."""
    _, *lines = describe_prometheus(WORLD, sd_file, [Path("/a/slo.yaml")])
    data = parse("\n".join(lines), "prometheus.yml").data
    (job,) = data["scrape_configs"]
    assert data["rule_files"] == ["/a/slo.yaml"]
    if sd_file is None:
        assert job["http_sd_configs"][0]["url"].startswith(WORLD)
    else:
        assert job["file_sd_configs"] == [{"files": [str(sd_file)]}]


def test_the_lines_for_alertmanager_are_yaml():
    """Resolved notifications are asked for: the console shows them."""
    _, *lines = describe_alertmanager("http://127.0.0.1:1235/agentaskit-sim")
    data = parse("\n".join(lines), "alertmanager.yml").data
    (webhook,) = data["webhook_configs"]
    assert webhook == {
        "url": "http://127.0.0.1:1235/agentaskit-sim/webhook",
        "send_resolved": True,
    }
