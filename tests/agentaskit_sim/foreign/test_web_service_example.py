"""The worked example: a shop's own alerts do what its scenarios say, in both clocks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SHOP = Path(__file__).parents[3] / "examples" / "web-service"
OPTIONS = (
    *("--rules", SHOP / "rules.yaml", "--mapping", SHOP / "mapping.yaml"),
    *("--dashboards", SHOP / "dashboards"),
)
OVERLAY = ("--overlay", SHOP / "overlay.yaml")
ALERTS = {
    "ShopBudgetBurnsFast", "ShopBudgetBurnsSlowly", "ShopTrafficGone", "ShopCheckoutSlow",
    "ShopCrowded", "ShopDown",
}  # fmt: skip


@pytest.fixture
def errors(tmp_path):
    """Return the shop's failures at a twentieth of the load, which changes no ratio."""
    text = (SHOP / "scenarios" / "shop-errors.yaml").read_text()
    path = tmp_path / "shop-errors.yaml"
    path.write_text(f"{text}load: {{rate: 500}}\n")
    return path


def fired(document):
    """Return which alerts fired in which scenario."""
    return {
        (scenario["name"], alert["alert"])
        for scenario in document["scenarios"]
        for alert in scenario["alerts"]
        if alert["firing_s"] is not None
    }


def test_failures_page_and_nothing_else_speaks(command, errors):
    """One alert fires by its recordings over 5m, 30m, 1h and 6h; four panels have answers."""
    done = command("verify", errors, *OPTIONS, "--json")
    document = json.loads(done.out)
    (scenario,) = document["scenarios"]
    assert (done.status, fired(document)) == (0, {("shop-errors", "ShopBudgetBurnsFast")})
    assert {alert["alert"] for alert in scenario["alerts"]} == ALERTS
    assert {panel["ok"] for panel in scenario["panels"]} == {True}


@pytest.mark.ci
def test_without_the_fault_the_page_is_missed(command, errors):
    """The same files fail when the world is healthy: the pass above is no empty one."""
    errors.write_text(errors.read_text().replace("share: 0.05", "share: 0.001"))
    done = command("verify", errors, *OPTIONS)
    assert done.status == 1
    assert "ShopBudgetBurnsFast: never fired" in done.out


def test_the_example_can_be_checked_without_a_run(command):
    """Its scenarios and its overlay name alerts, causes and receivers that there are."""
    done = command(
        "scenarios", "validate", *sorted((SHOP / "scenarios").iterdir()),
        "--rules", SHOP / "rules.yaml", "--routing", SHOP / "alertmanager.yml",
    )  # fmt: skip
    assert (done.status, done.err) == (0, "")


@pytest.mark.long
def test_every_alert_of_the_shop_fires_where_it_must_in_virtual_time(command):
    """In its own scenarios and in two of the library."""
    done = command(
        "verify", SHOP / "scenarios", "traffic-drop", "exporter-down", *OPTIONS, *OVERLAY, "--json"
    )
    assert done.status == 0
    assert {alert for _, alert in fired(json.loads(done.out))} == ALERTS


@pytest.mark.long
def test_the_shop_s_alerts_notify_their_receivers_in_real_time(command):
    """On a real stack, and at the same evaluations in both clocks."""
    done = command(
        "verify", "--both", "--compress", "20", SHOP / "scenarios" / "shop-errors.yaml",
        "traffic-drop", *OPTIONS, *OVERLAY, "--routing", SHOP / "alertmanager.yml", "--json",
    )  # fmt: skip
    assert done.status == 0
    assert fired(json.loads(done.out)) == {
        ("shop-errors", "ShopBudgetBurnsFast"),
        ("traffic-drop", "ShopTrafficGone"),
    }
