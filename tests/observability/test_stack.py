"""Prometheus, Grafana and compose files: they load, agree with each other, stay on loopback."""

from __future__ import annotations

import re

import pytest

from documents.yaml_reader import load


@pytest.fixture
def compose(pack):
    """Return the compose file as plain values."""
    return load(pack / "compose.yaml").data


@pytest.fixture
def prometheus(pack):
    """Return the Prometheus configuration as plain values."""
    return load(pack / "prometheus" / "prometheus.yml").data


def test_promtool_accepts_the_configuration_with_the_three_rule_files(pack, run_tool, tmp_path):
    """And refuses one with a setting that does not exist."""
    config = pack / "prometheus" / "prometheus.yml"
    status, output = run_tool("promtool", "check", "config", config)
    assert status == 0, output
    assert output.count("rules found") == 3
    assert sum(map(int, re.findall(r"(\d+) rules found", output))) == 19
    broken = tmp_path / "prometheus.yml"
    broken.write_text(config.read_text().replace("scrape_timeout", "scrape_time_out"))
    assert run_tool("promtool", "check", "config", broken)[0] != 0


def test_the_system_is_scraped_as_the_extras_expect(prometheus):
    """Job agentaskit on the exporter's own port; alerts go to Alertmanager."""
    jobs = {job["job_name"]: job["static_configs"] for job in prometheus["scrape_configs"]}
    assert jobs["agentaskit"] == [{"targets": ["127.0.0.1:9464"]}]
    assert prometheus["alerting"]["alertmanagers"] == [
        {"static_configs": [{"targets": ["127.0.0.1:9093"]}]}
    ]


def exposed(service):
    """Return what makes a service reachable from other machines, or its version float."""
    mistakes = []
    if not re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]):
        mistakes.append("image")
    command = service.get("command", [])
    listens = [f.split("=", 1)[1] for f in command if "listen-address=" in f]
    listens += [
        str(v) for k, v in service.get("environment", {}).items() if k == "GF_SERVER_HTTP_ADDR"
    ]
    if service.get("network_mode") == "host":
        if not listens or any(a and not a.startswith("127.0.0.1") for a in listens):
            mistakes.append("listens")
    elif any(not str(port).startswith("127.0.0.1:") for port in service.get("ports", [])):
        mistakes.append("ports")
    return mistakes


def test_every_image_is_pinned_and_nothing_listens_beyond_loopback(compose):
    """Prometheus listens on every address by default, Alertmanager gossips, Grafana too."""
    assert set(compose["services"]) == {"prometheus", "alertmanager", "grafana"}
    for name, service in compose["services"].items():
        assert exposed(service) == [], name
    assert "--cluster.listen-address=" in compose["services"]["alertmanager"]["command"]


@pytest.mark.parametrize(
    ("name", "change", "mistake"),
    [
        ("grafana", {"image": "grafana/grafana:latest"}, "image"),
        ("grafana", {"environment": {}}, "listens"),
        ("prometheus", {"command": ["--web.listen-address=0.0.0.0:9090"]}, "listens"),
        ("prometheus", {"network_mode": "bridge", "ports": ["9090:9090"]}, "ports"),
    ],
)
def test_an_exposed_service_is_caught(compose, name, change, mistake):
    """One good service, one mutation each."""
    assert exposed(compose["services"][name] | change) == [mistake]


def test_prometheus_keeps_more_than_the_thirty_days_that_the_budget_asks_for(compose):
    """The default of 15 days would make ErrorBudgetExhausted read half its window."""
    flags = dict(f.split("=", 1) for f in compose["services"]["prometheus"]["command"])
    days = re.fullmatch(r"(\d+)d", flags["--storage.tsdb.retention.time"])
    assert int(days.group(1)) > 30


def test_grafana_finds_its_data_source_and_the_dashboards(pack, compose):
    """The folder in the container is where compose mounts the pack."""
    provisioning = pack / "grafana" / "provisioning"
    [source] = load(provisioning / "datasources" / "prometheus.yaml").data["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://127.0.0.1:9090")
    [provider] = load(provisioning / "dashboards" / "agentaskit.yaml").data["providers"]
    [mount] = [v for v in compose["services"]["grafana"]["volumes"] if v.startswith("./:")]
    container = mount.split(":")[1]
    folder = pack / provider["options"]["path"].removeprefix(f"{container}/")
    assert len(list(folder.glob("*.json"))) == 3
    for service in ("prometheus", "alertmanager"):
        [config] = [c for c in compose["services"][service]["command"] if "config.file" in c]
        assert (pack / config.split("=")[1].removeprefix(f"{container}/")).is_file()
