"""What `up` prints about its servers, and what a user's own servers need in their files."""

import shlex
from pathlib import Path

import pytest

from agentaskit_sim.terminal.addresses import (
    BREAK_IT,
    Addresses,
    describe_addresses,
    describe_alertmanager,
    describe_prometheus,
)
from documents.yaml_reader import parse

WORLD = "http://127.0.0.1:1234"


def described(**changes):
    """Return the lines for a run of four servers."""
    values = {"world": WORLD, "prometheus": "http://a/alerts", "alertmanager": "http://b/#/alerts",
              "receiver": "http://c"}  # fmt: skip
    return describe_addresses(Addresses(**{**values, **changes}))


def test_an_unknown_alertmanager_is_left_out():
    """Where notifications go only through the user's own."""
    assert "Alertmanager: http://b/#/alerts" in described()
    assert described(alertmanager=None) == [
        line for line in described() if not line.startswith("Alertmanager")
    ]


def test_the_command_that_breaks_the_world_can_be_typed():
    """It names the world unless that is at the default address, and the token that it needs."""
    usual, other, guarded = (
        shlex.split(described(**changes)[-2])
        for changes in (
            {"world": "http://127.0.0.1:9464"},
            {"world": "http://127.0.0.1:1"},
            {"world": "http://127.0.0.1:9464", "token_file": Path("my token")},
        )
    )
    assert usual == ["agentaskit-sim", *BREAK_IT]
    assert other == [*usual, "--url", "http://127.0.0.1:1"]
    assert guarded == [*usual, "--token-file", "my token"]


def test_an_alertmanager_without_a_page_has_a_command():
    """It stands between the addresses and what to break."""
    lines = described(amtool="amtool --alertmanager.url=http://b alert")
    assert lines[lines.index("  amtool --alertmanager.url=http://b alert") - 1].endswith(
        "in another terminal:"
    )


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
