"""Who is notified of which alert: amtool's own answer for the labels of every rule."""

from __future__ import annotations

import copy

import pytest

from documents.yaml_reader import load

RECEIVER = {"critical": "pagerduty-critical", "warning": "slack-warnings"}


@pytest.fixture
def config(pack):
    """Return the path of the Alertmanager configuration."""
    return pack / "alertmanager" / "alertmanager.yml"


@pytest.fixture
def misrouted(run_tool):
    """Return a function that lists the alerts routed to other receivers than the contract's."""

    def wrong_alerts(config, rules):
        wrong = []
        for rule in rules:
            labels = {"alertname": rule["alert"], **rule["labels"]}
            pairs = [f"{name}={value}" for name, value in labels.items()]
            expected = {RECEIVER[labels["severity"]]}
            if labels.get("slo") == "burn_rate":
                expected.add("sre-oncall")
            status, output = run_tool(
                "amtool", "config", "routes", "test", f"--config.file={config}", *pairs
            )
            receivers = set(output.splitlines()[0].split(","))
            if status != 0 or receivers != expected:
                wrong.append(rule["alert"])
        return wrong

    return wrong_alerts


def test_every_alert_reaches_exactly_the_receivers_of_the_contract(config, every_rule, misrouted):
    """Critical pages, warnings go to Slack, burn rates also to the SRE on call."""
    assert len(every_rule) >= 19
    assert misrouted(config, every_rule) == []


@pytest.mark.parametrize(
    ("right", "wrong", "lost"),
    [
        ("continue: true", "continue: false", ["FastBurnRateHigh", "SlowBurnRateHigh"]),
        ('slo="burn_rate"', 'slo="burn"', ["FastBurnRateHigh", "SlowBurnRateHigh"]),
    ],
)
def test_a_route_that_is_never_reached_is_caught(
    config, nineteen, misrouted, tmp_path, *, right, wrong, lost
):
    """Without `continue`, or with another label, one side of a burn-rate alert is not notified."""
    broken = tmp_path / "alertmanager.yml"
    broken.write_text(config.read_text().replace(right, wrong))
    assert misrouted(broken, nineteen) == lost


def test_amtool_accepts_the_configuration_and_refuses_a_broken_one(config, run_tool, tmp_path):
    """`amtool check-config` applies the checks of Alertmanager itself at start-up."""
    assert run_tool("amtool", "check-config", config)[0] == 0
    broken = tmp_path / "alertmanager.yml"
    broken.write_text(config.read_text().replace("receiver: sre-oncall", "receiver: nobody"))
    assert run_tool("amtool", "check-config", broken)[0] != 0


def test_notifications_are_grouped_by_alertname_and_component(config):
    """As the contract has it."""
    assert load(config).data["route"]["group_by"] == ["alertname", "component"]


def secrets_and_foreign_receivers(config):
    """Return receivers that hold a secret in the file or notify another machine."""
    receivers = []
    for receiver in config["receivers"]:
        for kind, entries in receiver.items():
            if kind == "name":
                continue
            local = all(e.get("url", "").startswith("http://127.0.0.1:") for e in entries)
            if kind != "webhook_configs" or not local:
                receivers.append(receiver["name"])
    return receivers


def test_no_receiver_holds_a_secret_or_notifies_another_machine(config):
    """The file runs as it is and notifies no receiver by mistake."""
    data = load(config).data
    assert secrets_and_foreign_receivers(data) == []
    planted = copy.deepcopy(data)
    planted["receivers"][0]["pagerduty_configs"] = [{"routing_key": "0123456789abcdef"}]
    planted["receivers"][1]["webhook_configs"][0]["url"] = "https://hooks.example.com/x"
    assert secrets_and_foreign_receivers(planted) == ["pagerduty-critical", "slack-warnings"]
