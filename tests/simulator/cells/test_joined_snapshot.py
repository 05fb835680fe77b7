"""The reading of a whole system: every field is there, added up, side by side, or the worst."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from simulator.cells.joined_snapshot import join
from simulator.snapshot import CPU_MODES, ScrapePath, Snapshot
from tests.simulator.cells.test_system import cells
from tests.simulator.worlds import fault


def test_every_field_of_a_reading_is_joined():
    """A system of two copies of a cell counts twice as much, or stands at the same."""
    system = cells(2)
    system.advance(3.5)
    part = system.cells[0].snapshot()
    whole = join([part, part], 7, ())
    twice = {
        field.name
        for field in fields(Snapshot)
        if isinstance(value := getattr(part, field.name), (int, float, np.ndarray))
        and np.array_equal(getattr(whole, field.name), 2 * np.asarray(value))
        and np.any(value)
    }
    alike = {
        field.name
        for field in fields(Snapshot)
        if field.name not in twice
        and "duration" not in field.name
        and repr(getattr(whole, field.name)) == repr(getattr(part, field.name))
    }
    assert {"tasks_arrived", "agents", "messages_sent", "arrival_rate", "sandbox_total"} <= twice
    assert alike >= {"now_ns", "tiers", "priorities", "sandboxes", "saturation", "exporter_up"}
    histograms = {name for name in Snapshot.__dataclass_fields__ if "duration" in name}
    assert set(Snapshot.__dataclass_fields__) == twice | alike | histograms | {
        "seed", "cpu_ns", "cells"
    }  # fmt: skip


def test_counts_are_added_up_and_cpus_stand_side_by_side():
    """Of three cells, one of them down."""
    system = cells(3, fault("cell_down", start_s=1.0, duration_s=30.0, cells=(1,)), seed=5)
    system.advance(4.5)
    whole, parts = system.snapshot(), [cell.snapshot() for cell in system.cells]
    assert whole.seed == 5
    assert whole.targets == whole.cells
    assert [cell.now_ns for cell in whole.cells] == [whole.now_ns] * 3
    assert whole.http_requests.tolist() == sum(part.http_requests for part in parts).tolist()
    assert whole.task_duration.sum_ns == sum(part.task_duration.sum_ns for part in parts)
    assert whole.saturation == max(part.saturation for part in parts) > 0
    assert whole.cpu_ns.shape == (3 * len(parts[0].cpu_ns), len(CPU_MODES))
    assert np.array_equal(whole.cpu_ns[-len(parts[2].cpu_ns) :], parts[2].cpu_ns)
    assert [status.name for status in whole.faults] == ["cell_down"]
    assert (whole.exporter_up, parts[1].exporter_up) == (True, False)
    assert not whole.agents.flags.writeable


def test_the_worst_of_unlike_cells_gives_what_has_no_sum():
    """Whichever of them it is; two that wait are no fuller than the fuller one."""
    system = cells(2)
    system.advance(3.5)
    part = system.cells[0].snapshot()
    calm = replace(part, saturation=0.25, backpressure_level=2)
    busy = replace(part, saturation=0.5, backpressure_level=3)
    for parts in ([calm, busy], [busy, calm], [busy, busy]):
        whole = join(parts, 7, ())
        assert (whole.saturation, whole.backpressure_level) == (0.5, 3)


def test_a_fault_in_several_cells_is_listed_once_as_in_the_first_and_the_routers_come_last():
    """The path to a system's page is nobody's: each cell has its own."""
    slow = fault("scrape_slow", start_s=1.0, duration_s=30.0, delay_s=3.0)
    flood = fault("message_flood", start_s=1.0, duration_s=30.0, rate_per_s=500.0)
    system = cells(2, fault("router_stale", start_s=1.0, duration_s=30.0), slow, flood)
    system.advance(3.5)
    whole, parts = system.snapshot(), [cell.snapshot() for cell in system.cells]
    assert [each.name for each in whole.faults] == ["scrape_slow", "message_flood", "router_stale"]
    assert whole.faults[:2] == parts[0].faults
    assert parts[0].faults != parts[1].faults
    assert whole.scrape_path == ScrapePath()
    assert parts[0].scrape_path == ScrapePath(delay_s=3.0)
