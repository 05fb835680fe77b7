"""The three dashboards: 6 + 6 + 8 panels in the current classic format, each fit to be read."""

from __future__ import annotations

import copy
import json
import re

import pytest

from exporter.history.samples import EPOCH_S
from tests.observability.names import EXPORTED, canonical, metrics_of
from tests.verifier.simulations import scenario_of, simulate
from verifier.servers.prometheus import Prometheus, RangeQuery

PANELS = {
    "sla": ["stat", "gauge", "timeseries", "timeseries", "stat", "stat"],
    "throughput": ["timeseries", "timeseries", "heatmap", "heatmap", "stat", "timeseries"],
    "capacity": [
        "stat", "gauge", "timeseries", "timeseries", "timeseries", "stat", "piechart", "timeseries",
    ],
}  # fmt: skip
ERRORS = (
    'sum(rate(http_requests_total{{status=~"5.."}}[{0}])) / sum(rate(http_requests_total[{0}]))'
)
SLOTS = "sum by (sandbox_type) (agentaskit_sandbox_pool_{})"
QUANTILE = "histogram_quantile({}, sum by (le) (rate({}_duration_seconds_bucket[5m]))) * 1000"
QUERIES = {
    "sla": [
        f"100 * (1 - {ERRORS.format('5m')})",
        f"100 * (0.001 - {ERRORS.format('30d')}) / 0.001",
        QUANTILE.format("0.95", "http_request"),
        QUANTILE.format("0.99", "http_request"),
        f"{ERRORS.format('1h')} / 0.001",
        f"{ERRORS.format('6h')} / 0.001",
    ],
    "throughput": [
        "sum(rate(agentaskit_tasks_processed_total[1m]))",
        "sum(rate(agentaskit_inter_agent_messages_total[1m]))",
        "sum by (le) (rate(agentaskit_agent_startup_duration_seconds_bucket[5m]))",
        "sum by (le) (rate(agentaskit_response_duration_seconds_bucket[5m]))",
        QUANTILE.format("0.95", "agentaskit_response"),
        "sum by (tier) (agentaskit_active_agents)",
    ],
    "capacity": [
        "sum(agentaskit_active_agents)",
        "100 * sum(agentaskit_active_agents) / 928",
        "sum by (priority) (agentaskit_task_queue_depth)",
        "sum by (tier) (agentaskit_memory_bytes) / 1e6",
        '100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))',
        f"100 * {SLOTS.format('available')} / {SLOTS.format('total')}",
        "sum by (sandbox_type) (increase(agentaskit_sandbox_executions_total[5m]))",
        "sum(rate(agentaskit_network_bytes_sent[1m]))",
        "sum(rate(agentaskit_network_bytes_received[1m]))",
    ],
}
THRESHOLDS = {
    "Availability": [("red", None), ("yellow", 99), ("green", 99.9)],
    "Burn rate 1h": [("green", None), ("red", 14.4)],
    "Burn rate 6h": [("green", None), ("red", 6)],
    "Tasks processed": [("red", None), ("green", 10000)],
    "Inter-agent messages": [("red", None), ("green", 100000)],
    "Response time P95": [("green", None), ("yellow", 50), ("red", 100)],
    "Agents running": [("blue", None), ("green", 700), ("yellow", 850), ("red", 928)],
}
RUNBOOKS = "https://github.com/agentaskit/agentaskit-sim/blob/main/observability/runbooks"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def cells(panel):
    """Return the cells of the 24-column grid that a panel covers."""
    at = panel["gridPos"]
    columns = range(at["x"], at["x"] + at["w"])
    return {(x, y) for x in columns for y in range(at["y"], at["y"] + at["h"])}


def describe_panel(panel):
    """Return what is wrong with a panel, as short names."""
    wrong = []
    defaults = panel["fieldConfig"]["defaults"]
    unit = defaults.get("unit") or panel["options"].get("yAxis", {}).get("unit")
    first, *rest = [step["value"] for step in defaults["thresholds"]["steps"]]
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    if len(panel.get("description", "")) < 20:
        wrong.append("description")
    if not unit:
        wrong.append("unit")
    if first is not None or rest != sorted(rest):
        wrong.append("thresholds")
    if any(source != SOURCE for source in sources):
        wrong.append("datasource")
    if any(not metrics_of(target["expr"]) <= EXPORTED for target in panel["targets"]):
        wrong.append("metric")
    if max(x for x, _ in cells(panel)) >= 24:
        wrong.append("width")
    return wrong


def faults(dashboard):
    """Return one line for everything that is wrong with a dashboard."""
    mistakes = []
    taken = set()
    for panel in dashboard["panels"]:
        wrong = describe_panel(panel)
        if cells(panel) & taken:
            wrong.append("overlap")
        taken |= cells(panel)
        mistakes += [f"{panel['title']}: {word}" for word in wrong]
    if len({panel["id"] for panel in dashboard["panels"]}) != len(dashboard["panels"]):
        mistakes.append("ids")
    if dashboard.get("schemaVersion") != 42:
        mistakes.append("schemaVersion")
    if not re.fullmatch(r"[a-z0-9-]{8,40}", dashboard.get("uid", "")):
        mistakes.append("uid")
    if [v["name"] for v in dashboard["templating"]["list"] if v["type"] == "datasource"] != [
        "datasource"
    ]:
        mistakes.append("variable")
    return mistakes


@pytest.fixture
def dashboards(pack):
    """Return {file stem: dashboard}."""
    paths = sorted((pack / "dashboards").glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths}


def test_there_are_twenty_panels_of_the_types_of_the_contract(dashboards):
    """6 + 6 + 8, in the contract's order; no legacy `graph`."""
    assert {n: [p["type"] for p in d["panels"]] for n, d in dashboards.items()} == PANELS
    assert [len(types) for types in PANELS.values()] == [6, 6, 8]


def test_every_panel_has_the_query_of_the_contract(dashboards):
    """Compared as PromQL, written out here once more by hand."""
    for name, dashboard in dashboards.items():
        queries = [t["expr"] for panel in dashboard["panels"] for t in panel["targets"]]
        assert list(map(canonical, queries)) == list(map(canonical, QUERIES[name])), name


def test_the_thresholds_are_those_of_the_contract(dashboards):
    """Colour by colour."""
    panels = {p["title"]: p for d in dashboards.values() for p in d["panels"]}
    for title, expected in THRESHOLDS.items():
        steps = panels[title]["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert [(step["color"], step["value"]) for step in steps] == expected, title


def test_the_agents_by_tier_are_stacked_and_the_pie_is_a_pie(dashboards):
    """So that the whole can be read from the parts."""
    tiers = dashboards["throughput"]["panels"][5]
    assert tiers["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
    for panel in dashboards["throughput"]["panels"][2:4]:
        assert [target["format"] for target in panel["targets"]] == ["heatmap"]


def test_every_panel_is_described_has_a_unit_and_its_own_place(dashboards):
    """And reads an exported metric from the data source that the reader chose."""
    for name, dashboard in dashboards.items():
        assert faults(dashboard) == [], name
    assert len({dashboard["uid"] for dashboard in dashboards.values()}) == 3


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (lambda d: d["panels"][0].pop("description"), "Availability: description"),
        (lambda d: d["panels"][0]["fieldConfig"]["defaults"].pop("unit"), "Availability: unit"),
        (lambda d: d["panels"][1]["gridPos"].update(x=5), "Error budget remaining: overlap"),
        (lambda d: d["panels"][5]["gridPos"].update(x=19), "Burn rate 6h: width"),
        (lambda d: d["panels"][0].update(datasource=None), "Availability: datasource"),
        (lambda d: d["panels"][4]["targets"][0].update(expr="gone"), "Burn rate 1h: metric"),
        (lambda d: d["panels"][1].update(id=1), "ids"),
        (lambda d: d.update(schemaVersion=36), "schemaVersion"),
        (lambda d: d["templating"]["list"].clear(), "variable"),
        (lambda d: d.pop("uid"), "uid"),
        (
            lambda d: d["panels"][4]["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse(),
            "Burn rate 1h: thresholds",
        ),
    ],
)
def test_a_panel_that_is_wrong_is_caught(dashboards, change, mistake):
    """One good document, one mutation each."""
    changed = copy.deepcopy(dashboards["sla"])
    change(changed)
    assert faults(changed) == [mistake]


def marked_alerts(dashboard):
    """Return the names of the alerts whose firing a dashboard marks on its time axes."""
    expr = dashboard["annotations"]["list"][1]["target"]["expr"]
    return re.search(r'alertname=~"([^"]+)"', expr)[1].split("|")


def test_each_of_the_nineteen_alerts_is_marked_where_it_belongs(dashboards, nineteen):
    """On one dashboard each; a misspelt name would never be shown."""
    marked = [name for dashboard in dashboards.values() for name in marked_alerts(dashboard)]
    assert sorted(marked) == sorted({rule["alert"] for rule in nineteen})


def test_every_dashboard_shows_the_times_of_simulated_faults(dashboards):
    """A fault is shown by name beside the metrics that it changes."""
    for name, dashboard in dashboards.items():
        annotation = dashboard["annotations"]["list"][2]
        target = annotation["target"]
        assert metrics_of(target["expr"]) == {"agentaskit_sim_faults_active"}, name
        assert target["expr"].endswith("> 0"), name
        assert (annotation["datasource"], annotation["enable"]) == (SOURCE, True), name
        assert target["datasource"] == SOURCE, name
        assert annotation["titleFormat"] == "{{fault}}", name


ONE_FAULT = """\
duration: 5m
load: {rate: 500}
faults:
- {name: gone, fault: traffic_drop, start: 70s, duration: 2m, parameters: {share: 0.4}}
"""


def test_a_fault_is_marked_from_its_start_to_its_end_and_at_no_other_time(dashboards):
    """The annotation's own query, asked of a real Prometheus over a scenario with one fault."""
    target = dashboards["capacity"]["annotations"]["list"][2]["target"]
    scenario = scenario_of(ONE_FAULT)
    with Prometheus() as server:
        server.push(simulate(scenario).history)
        window = RangeQuery(target["expr"], EPOCH_S, EPOCH_S + scenario.duration_s, 15.0)
        (series,) = server.query_range(window)
    (fault,) = scenario.plan.faults
    assert series.labels == {"fault": fault.kind}
    first_s, last_s = series.times_s[0] - EPOCH_S, series.times_s[-1] - EPOCH_S
    assert fault.start_s <= first_s <= fault.start_s + 30
    assert fault.end_s <= last_s + 15 <= fault.end_s + 30
    assert len(series.times_s) == (last_s - first_s) / 15 + 1


def broken_links(dashboard, runbooks):
    """Return what is wrong with the links of a dashboard, as short lines."""
    links = [(dashboard["title"], link) for link in dashboard["links"]]
    links += [(p["title"], link) for p in dashboard["panels"] for link in p.get("links", ())]
    wrong = []
    for owner, link in links:
        if link["type"] == "dashboards":
            if not set(link["tags"]) & set(dashboard["tags"]):
                wrong.append(f"{owner}: leads to no dashboard of the pack")
            continue
        page = link["url"].removeprefix(RUNBOOKS)
        if page == link["url"]:
            wrong.append(f"{owner}: {link['url']} is no runbook")
        elif page and page.strip("/") not in runbooks:
            wrong.append(f"{owner}: there is no {page.strip('/')}")
        elif page and link["title"] != f"Runbook: {page.strip('/').removesuffix('.md')}":
            wrong.append(f"{owner}: {link['title']} leads to {page.strip('/')}")
    return wrong


@pytest.fixture
def runbooks(pack):
    """Return the names of the runbooks' files."""
    return {path.name for path in (pack / "runbooks").glob("*.md")}


def test_every_alert_has_a_panel_that_leads_to_its_runbook(dashboards, nineteen, runbooks):
    """A panel that names an alert links its page, and every link leads somewhere."""
    alerts = {rule["alert"] for rule in nineteen}
    linked = set()
    for dashboard in dashboards.values():
        assert broken_links(dashboard, runbooks) == []
        for panel in dashboard["panels"]:
            pages = {link["title"].removeprefix("Runbook: ") for link in panel.get("links", ())}
            named = set(re.findall(r"\w+", panel["description"])) & alerts
            assert named <= pages, panel["title"]
            linked |= pages
    assert linked == alerts


def test_the_dashboards_lead_to_one_another_and_keep_the_time(dashboards):
    """By the tag that all of them carry; each has its own address."""
    shared = set.intersection(*(set(dashboard["tags"]) for dashboard in dashboards.values()))
    assert len({dashboard["uid"] for dashboard in dashboards.values()}) == len(dashboards)
    for dashboard in dashboards.values():
        (link,) = [link for link in dashboard["links"] if link["type"] == "dashboards"]
        assert set(link["tags"]) <= shared
        assert (link["keepTime"], link["includeVars"]) == (True, True)


def test_a_mark_of_a_firing_alert_leads_to_its_runbook(dashboards, runbooks):
    """The address is made of the alert's name, for each alert that is marked."""
    for dashboard in dashboards.values():
        text = dashboard["annotations"]["list"][1]["textFormat"]
        address = re.search(r'href="([^"]+)"', text)[1]
        assert address.startswith(RUNBOOKS)
        pages = {address.replace("{{alertname}}", name) for name in marked_alerts(dashboard)}
        assert {page.rpartition("/")[2] for page in pages} <= runbooks


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        (lambda d: d["links"][0].update(tags=["other"]), "leads to no dashboard of the pack"),
        (lambda d: d["panels"][0]["links"][0].update(url="https://example.com"), "is no runbook"),
        (lambda d: d["panels"][0]["links"][0].update(url=f"{RUNBOOKS}/A.md"), "there is no A.md"),
        (lambda d: d["panels"][0]["links"][0].update(title="Runbook: A"), "Runbook: A leads to"),
    ],
)
def test_a_link_that_leads_nowhere_is_caught(dashboards, runbooks, change, mistake):
    """One good document, one mutation each."""
    changed = copy.deepcopy(dashboards["sla"])
    change(changed)
    (line,) = broken_links(changed, runbooks)
    assert mistake in line
