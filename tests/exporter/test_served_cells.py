"""Several cells behind one server: a page for each, discovered with the labels of their history."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from exporter.history.recorder import Recorder
from exporter.history.retention import Need
from exporter.history.system_recorder import SystemRecorder
from exporter.metrics.catalogue import catalogue_world
from exporter.metrics.page import TEXT
from exporter.server.app import build_app
from exporter.server.discovery import TARGETS, TargetsHandler, describe_targets
from exporter.server.exposition import Exposition
from exporter.server.landing import describe_cells
from exporter.server.service import describe_stop
from exporter.target import OURS
from tests.exporter.exposed_hour import WorldClock
from tests.fakes import MockClock
from tests.simulator.cells.test_system import cells
from tests.simulator.worlds import fault

DOWN = fault("cell_down", start_s=2.0, duration_s=4.0, cells=(1,))


def arrived(text):
    """Return the tasks that arrived, as a page shows them."""
    return sum(
        map(float, re.findall(r"^agentaskit_tasks_arrived_total\{.*\} (.+)$", text, re.MULTILINE))
    )


@pytest.fixture
def system():
    """Return three cells, one of which is down from 2 s to 6 s."""
    return cells(3, DOWN)


@pytest.fixture
async def client(system):
    """Return a client of their server, whose world stands where the test has advanced it."""
    exposition = Exposition(system, WorldClock(system), version="1", scenario="cells")
    app = build_app(exposition)
    app.router.add_get(TARGETS, TargetsHandler(len(system.cells)).show)
    async with TestClient(TestServer(app)) as client:
        client.exposition = exposition
        yield client


async def test_each_cell_is_a_target_with_a_page_of_its_own(system, client):
    """Discovery lists them; what one counts is not what another does; there is no page of all."""
    system.advance(1.5)
    groups = await (await client.get(TARGETS, headers={"Host": "127.0.0.1:19464"})).json()
    assert groups[1] == {
        "targets": ["127.0.0.1:19464"],
        "labels": {
            "job": "agentaskit", "instance": "127.0.0.1:19464/cells/1", "cell": "1",
            "__metrics_path__": "/cells/1/metrics",
        },
    }  # fmt: skip
    assert [group["labels"]["cell"] for group in groups] == ["0", "1", "2"]
    assert len({group["labels"]["instance"] for group in groups}) == 3
    for group, cell in zip(groups, system.cells, strict=True):
        answer = await client.get(group["labels"]["__metrics_path__"])
        assert answer.status == 200
        assert arrived(await answer.text()) == cell.snapshot().tasks_arrived.sum()
    for path in ("/metrics", "/cells/3/metrics", "/cells/999999/metrics"):
        refused = await client.get(path)
        assert refused.status == 404
        assert "/cells/0/metrics to /cells/2/metrics" in await refused.text()


async def test_only_the_cell_that_is_down_is_down(system, client):
    """The others answer; back again it counts from 0, and the fault's effect is its own."""
    system.advance(4.5)
    statuses = [(await client.get(f"/cells/{cell}/metrics")).status for cell in range(3)]
    assert statuses == [200, 503, 200]
    assert (await client.get("/-/ready")).status == 200
    system.advance(6.0)
    client.exposition.notice_change()
    system.advance(9.0)
    text = await (await client.get("/cells/1/metrics")).text()
    assert 0 < arrived(text) < system.cells[1].snapshot().tasks_arrived.sum()
    assert 'agentaskit_sim_run_info{scenario="cells",seed="1"} 1' in text
    effects = client.exposition.effects()
    assert [(effect.name, effect.fault) for effect in effects] == [("cell_down", "cell_down")]


async def test_scrapes_are_counted_over_all_cells(system, client):
    """On the page, and in the last line of the console."""
    system.advance(3.0)
    for cell in (0, 1, 2, 0):
        await client.get(f"/cells/{cell}/metrics")
    assert dict(client.exposition.facts())["Scrapes"] == "3 served, 1 refused"
    assert describe_stop(client.exposition) == "stopped (3 scrapes served)"


async def test_the_page_names_the_pages_that_there_are_and_the_cell_that_is_down(system, client):
    """It says to discover them: /metrics is none of them."""
    system.advance(3.5)
    text = await (await client.get("/")).text()
    assert 'href="metrics"' not in text
    assert "static_configs" not in text
    assert 'href="cells/0/metrics"' in text
    assert f"http_sd_configs:\n      - url: http://127.0.0.1:{client.port}/sd/targets<" in text
    facts = dict(client.exposition.facts())
    assert [facts[f"Cell {cell}"] for cell in range(3)] == [
        "up, 50% of the load", "down, 0% of the load", "up, 50% of the load",
    ]  # fmt: skip


def test_many_cells_have_one_row_on_the_page():
    """Which names those that are down, a few of them."""
    up = SimpleNamespace(exporter_up=True, arrival_rate=1.0)
    down = SimpleNamespace(exporter_up=False, arrival_rate=0.0)
    assert describe_cells([up] * 40) == (("Cells", "40 of 40 up"),)
    assert describe_cells([up, down] * 7) == (("Cells", "7 of 14 up, down: 1, 3, 5, 7, 9, 11, 13"),)
    ((_, text),) = describe_cells([down] * 100)
    assert text.endswith("10, 11 and more")


def test_scraped_labels_are_those_of_the_history():
    """A Prometheus that was given the past goes on with the same series."""
    system = cells(2)
    system.advance(1.0)
    snapshot = system.snapshot()
    catalogue = catalogue_world(snapshot.cells[0])
    recorder = SystemRecorder(
        [
            Recorder(catalogue, lambda _: Need(300.0), 0, target=OURS.of_cell(cell))
            for cell in range(2)
        ]
    )
    recorder.record(15.0, recorder.read(snapshot), recorder.arrivals(snapshot))
    history = recorder.history()
    stored = {tuple(pair for pair in labels if pair[0] in {"cell", "instance", "job"})
              for labels in history.series}  # fmt: skip
    groups = describe_targets("127.0.0.1:1", 2, OURS)
    scraped = {
        tuple(sorted(pair for pair in group["labels"].items() if pair[0] != "__metrics_path__"))
        for group in groups
    }
    assert stored == scraped
    up = [column for column, labels in enumerate(history.series) if ("__name__", "up") in labels]
    assert len(up) == 2
    (block,) = history.blocks
    assert block.values.shape == (len(history.series), 1)
    tasks = [
        block.values[column, 0]
        for column, labels in enumerate(history.series)
        if ("__name__", "agentaskit_tasks_arrived_total") in labels
    ]
    assert sum(tasks) == snapshot.tasks_arrived.sum()


def test_a_fresh_exporter_of_each_cell_begins_at_0(system):
    """Whatever its world has counted; one that is not fresh shows all of it."""
    system.advance(1.5)
    for fresh in (True, False):
        exposition = Exposition(
            system, WorldClock(system), version="1", scenario="cells", fresh=fresh
        )
        for page, cell in zip(exposition.cells, system.cells, strict=True):
            text = page.scrape().body(TEXT, compressed=False).decode()
            assert arrived(text) == (0 if fresh else cell.snapshot().tasks_arrived.sum())


def test_a_scrape_of_a_cell_moves_the_others_only_when_they_are_behind_a_tick(system):
    """Of many cells each is scraped: each scrape would else advance all of them."""
    system.advance(1.0)
    clock = MockClock()
    exposition = Exposition(system, clock, version="1", scenario="cells")
    for spent_s, now_s in ((0.045, 1.0), (0.01, 1.055), (0.05, 1.055)):
        clock.spend(spent_s)
        exposition.cells[2].scrape()
        assert system.now_s == pytest.approx(now_s)


@pytest.mark.parametrize("limit", [100, 50_000])
def test_the_limit_on_series_holds_for_the_page_of_each_cell(system, limit):
    """And a run of cells is replayed by the seed of the whole."""
    exposition = Exposition(
        system, WorldClock(system), version="1", scenario="cells", series_limit=limit
    )
    for page in exposition.cells:
        text = page.scrape().body(TEXT, compressed=False).decode()
        assert (len(re.findall("^[^#]", text, re.MULTILINE)) <= 100) is (limit == 100)
        assert page.seed == exposition.seed
