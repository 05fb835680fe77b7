"""The metric catalogue: the only place where a metric name is typed.

`WORLD` is read from a snapshot and is the same in real time and in virtual time; `RUN` is what only
a served process has: its version, its scenario, how well it keeps real time. Label values are
closed lists, present at 0 from the first reading, and never name a single agent. Rules and
dashboards rely on these names: add, but do not rename. A new metric is one entry here; `make docs`
then adds its row to docs/serve.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from exporter.metrics.charted import ChartedQuantity
from exporter.metrics.readings import first_began_s, law_errors, sum_by_fault
from exporter.metrics.series import Catalogue, Label, LabelSet, Metric, cumulate
from simulator.faults.kinds.catalogue import FAULTS
from simulator.snapshot import (
    AGENT_STATES,
    CPU_MODES,
    DURATION_BOUNDS_S,
    OUTCOMES,
    STATUSES,
    TRAFFIC,
    DurationHistogram,
    Snapshot,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

    from simulator.pacer import Pace

__all__ = [
    "BESIDE_MAPPED", "RUN", "WORLD", "Catalogue", "LabelSet", "RunStatus", "catalogue_burst",
    "catalogue_run", "catalogue_world",
]  # fmt: skip

Source = TypeVar("Source")

SLOT_STATES: Final = ("available", "in_use", "leaked", "down")
LAWS: Final = ("tasks", "dispatch", "messages", "sandboxes")
SCRAPE_OUTCOMES: Final = ("served", "refused")
IDLE: Final = '{mode="idle"}'
STEADY_COUNTER: Final = "node_cpu_seconds_total"
"""It grows from scrape to scrape whatever else happens: a restart of the exporter always shows."""
STEADY_BESIDE_MAPPED: Final = "agentaskit_sim_cpu_seconds_total"
"""The same beside metrics of the user, who may have one of that name."""


def _fixed(name: str, values: tuple[str, ...]) -> Label[Snapshot]:
    """Build a label whose values are the same in every system."""
    return Label(name, lambda _: values)


PRIORITY: Label[Snapshot] = Label("priority", lambda s: s.priorities)
TIER: Label[Snapshot] = Label("tier", lambda s: s.tiers)
SANDBOX: Label[Snapshot] = Label("sandbox_type", lambda s: s.sandboxes)
CPU: Label[Snapshot] = Label("cpu", lambda s: tuple(str(i) for i in range(len(s.cpu_ns))))
OUTCOME = _fixed("outcome", OUTCOMES)
FAULT = _fixed("fault", tuple(FAULTS))


def _counter(
    name: str,
    text: str,
    read: Callable[[Source], ArrayLike],
    *labels: Label[Source],
    unit: str = "",
) -> Metric[Source]:
    return Metric(
        name=name, kind="counter", help=text, read=read, labels=labels, unit=unit, monotone=True
    )


def _gauge(
    name: str,
    text: str,
    read: Callable[[Source], ArrayLike],
    *labels: Label[Source],
    unit: str = "",
) -> Metric[Source]:
    return Metric(name=name, kind="gauge", help=text, read=read, labels=labels, unit=unit)


def _rated(name: str, text: str, read: Callable[[Snapshot], ArrayLike]) -> Metric[Snapshot]:
    """Build a counter without `_total`: its type is unknown, or OpenMetrics would rename it."""
    traffic = _fixed("traffic", TRAFFIC)
    return Metric(name=name, kind="unknown", help=text, read=read, labels=(traffic,), monotone=True)


def _durations(
    name: str, text: str, read: Callable[[Snapshot], DurationHistogram]
) -> Metric[Snapshot]:
    return Metric(
        name=name,
        kind="histogram",
        help=text,
        read=lambda s: cumulate(read(s)),
        unit="seconds",
        bounds_s=DURATION_BOUNDS_S,
        monotone=True,
    )


WORLD_TIME: Final = "agentaskit_sim_time_seconds"
CONTRACT: tuple[Metric[Snapshot], ...] = (
    _counter("http_requests_total", "Requests answered by the HTTP gateway, by status code.",
             lambda s: s.http_requests, _fixed("status", STATUSES)),
    _durations("http_request_duration_seconds",
               "Time from a request's arrival at the gateway until its response is written.",
               lambda s: s.http_request_duration),
    _durations("agentaskit_response_duration_seconds",
               "Time the orchestrator took to answer a request, without what the gateway adds.",
               lambda s: s.response_duration),
    _counter("agentaskit_tasks_processed_total", "Tasks that an agent ended, by outcome.",
             lambda s: s.tasks_processed, PRIORITY, OUTCOME),
    _durations("agentaskit_task_duration_seconds",
               "Time from a task's dispatch to an agent until its end.", lambda s: s.task_duration),
    _gauge("agentaskit_task_queue_depth", "Tasks waiting in the queue of a priority.",
           lambda s: s.queue_depth, PRIORITY),
    _gauge("agentaskit_active_agents", "Agents running (idle, busy or hung), by tier.",
           lambda s: s.active_agents, TIER),
    _counter("agentaskit_agents_started_total", "Agents that finished starting up.",
             lambda s: s.agents_started),
    _durations("agentaskit_agent_startup_duration_seconds", "Time an agent took to start up.",
               lambda s: s.startup_duration),
    _counter("agentaskit_inter_agent_messages_total",
             "Messages handled by their receiver, by its tier.",
             lambda s: s.messages_delivered, TIER),
    _counter("agentaskit_inter_agent_messages_dropped_total",
             "Messages lost to a full inbox or to a partitioned bus.",
             lambda s: s.messages_dropped),
    _gauge("agentaskit_memory_bytes", "Memory held by the agents of a tier.",
           lambda s: s.memory_bytes, TIER, unit="bytes"),
    _counter(STEADY_COUNTER, "Seconds each CPU of the simulated hosts spent in a mode.",
             lambda s: s.cpu_ns / 1e9, CPU, _fixed("mode", CPU_MODES), unit="seconds"),
    _gauge("agentaskit_sandbox_pool_total", "Slots that a sandbox pool has in all.",
           lambda s: s.sandbox_total, SANDBOX),
    _gauge("agentaskit_sandbox_pool_available", "Slots of a sandbox pool that are free.",
           lambda s: s.sandbox_available, SANDBOX),
    _counter("agentaskit_sandbox_executions_total", "Executions begun in a sandbox pool.",
             lambda s: s.sandbox_executions, SANDBOX),
    _rated("agentaskit_network_bytes_sent", "Bytes sent, by kind of traffic.",
           lambda s: s.network_sent_bytes),
    _rated("agentaskit_network_bytes_received", "Bytes received, by kind of traffic.",
           lambda s: s.network_received_bytes),
)  # fmt: skip

STATE: tuple[Metric[Snapshot], ...] = (
    _counter("agentaskit_tasks_arrived_total", "Tasks that arrived at the gateway.",
             lambda s: s.tasks_arrived, PRIORITY),
    _counter("agentaskit_tasks_rejected_total",
             "Tasks turned away: rate limited, shed or stopped by a full queue.",
             lambda s: s.tasks_rejected, PRIORITY),
    _counter("agentaskit_tasks_timed_out_total", "Tasks that waited too long in their queue.",
             lambda s: s.tasks_timed_out, PRIORITY),
    _counter("agentaskit_tasks_retried_total", "Further attempts at a task that had failed.",
             lambda s: s.tasks_retried, PRIORITY),
    _gauge("agentaskit_tasks_in_flight", "Tasks held by an agent.",
           lambda s: s.tasks_in_flight, PRIORITY),
    _counter("agentaskit_agent_tasks_dispatched_total", "Attempts given to an agent.",
             lambda s: s.dispatched, TIER),
    _counter("agentaskit_agent_tasks_returned_total",
             "Attempts that came back from an agent for another try.",
             lambda s: s.undispatched, TIER),
    _counter("agentaskit_agent_tasks_finished_total", "Tasks ended by an agent, by outcome.",
             lambda s: s.finished, TIER, OUTCOME),
    _gauge("agentaskit_agent_tasks_in_flight", "Tasks held by the agents of a tier.",
           lambda s: s.in_flight_by_tier, TIER),
    _gauge("agentaskit_agents", "Agents in each state; the states sum to the fleet.",
           lambda s: s.agents, TIER, _fixed("state", AGENT_STATES)),
    _counter("agentaskit_agents_crashed_total", "Agents that died.", lambda s: s.agents_crashed),
    _gauge("agentaskit_backpressure_level",
           "Backpressure: 0 normal, 1 caution, 2 warning, 3 critical, 4 emergency.",
           lambda s: s.backpressure_level),
    _gauge("agentaskit_saturation_ratio",
           "How full the fullest queue is; sets the backpressure level.",
           lambda s: s.saturation, unit="ratio"),
    _counter("agentaskit_inter_agent_messages_sent_total",
             "Messages sent; they are delivered, waiting in an inbox or dropped.",
             lambda s: s.messages_sent),
    _gauge("agentaskit_inter_agent_messages_waiting", "Messages waiting in an inbox.",
           lambda s: s.messages_waiting),
    _gauge("agentaskit_sandbox_slots", "Slots of a sandbox pool, by state.",
           lambda s: np.stack((s.sandbox_available, s.sandbox_in_use,
                               s.sandbox_leaked, s.sandbox_down), axis=1),
           SANDBOX, _fixed("state", SLOT_STATES)),
    Metric(name=WORLD_TIME, kind="gauge", help="Virtual time since the world began.",
           read=lambda s: s.time_s, unit="seconds", clock=True),
    _gauge("agentaskit_sim_load_tasks_per_second",
           "Arrival rate of now: what faults of the load make of its profile.",
           lambda s: s.arrival_rate),
    _gauge("agentaskit_sim_faults_active", "Fault windows in effect, by kind of fault.",
           sum_by_fault(lambda _: 1.0), FAULT),
    _gauge("agentaskit_sim_fault_magnitude",
           "Strength of the faults in effect, in the unit of the fault's magnitude.",
           sum_by_fault(lambda f: f.magnitude), FAULT),
    _gauge("agentaskit_sim_fault_effect",
           "Measured effect of the faults in effect, in the fault's unit of effect.",
           sum_by_fault(lambda f: f.effect), FAULT),
    _gauge("agentaskit_sim_fault_effect_expected",
           "Expected effect of the faults in effect, by what they declare, in that unit.",
           sum_by_fault(lambda f: f.expected), FAULT),
    _gauge("agentaskit_sim_fault_start_time_seconds",
           "Virtual time at which the first of the faults in effect began; 0 without one.",
           first_began_s, FAULT, unit="seconds"),
    _gauge("agentaskit_sim_exporter_restarts",
           "Times the exporter restarted: counters began at 0 again.",
           lambda s: s.exporter_restarts),
    _gauge("agentaskit_sim_conservation_error",
           "By how much a conservation law is broken; anything but 0 is a bug of the simulator.",
           law_errors, _fixed("law", LAWS)),
)  # fmt: skip

WORLD: tuple[Metric[Snapshot], ...] = CONTRACT + STATE

BESIDE_MAPPED: tuple[Metric[Snapshot], ...] = (
    *(replace(each, name=STEADY_BESIDE_MAPPED) for each in CONTRACT if each.name == STEADY_COUNTER),
    *(each for each in STATE if each.name.startswith("agentaskit_sim_")),
)
"""What the page shows of the simulator itself beside metrics of the user."""


CHARTED: Final = (
    ChartedQuantity("Requests by status", "requests/s",
                    "sum by (status) (rate(http_requests_total[WINDOW])) > 0"),
    ChartedQuantity("Tasks that wait, by priority", "tasks",
                    "sum by (priority) (agentaskit_task_queue_depth)"),
    ChartedQuantity("Agents by tier", "agents", "sum by (tier) (agentaskit_active_agents)",
                    stacked=True),
    ChartedQuantity("Messages delivered", "messages/s",
                    "sum(rate(agentaskit_inter_agent_messages_total[WINDOW]))"),
    ChartedQuantity("Messages dropped", "messages/s",
                    "sum(rate(agentaskit_inter_agent_messages_dropped_total[WINDOW]))"),
    ChartedQuantity("Response time, 95th percentile", "s",
                    "histogram_quantile(0.95, sum by (le) "
                    "(rate(agentaskit_response_duration_seconds_bucket[WINDOW])))"),
    ChartedQuantity("Free sandbox slots", "slots",
                    "sum by (sandbox_type) (agentaskit_sandbox_pool_available)"),
    ChartedQuantity("Memory of the agents", "bytes", "sum(agentaskit_memory_bytes)"),
    ChartedQuantity("CPU in use", "ratio", f"1 - avg(rate({STEADY_COUNTER}{IDLE}[WINDOW]))"),
)  # fmt: skip
"""What reports draw of the world, as far as rules and panels made it recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """A served process at one instant: what it runs, its pace, its scrapes so far."""

    version: str
    python_version: str
    scenario: str
    seed: int
    pace: Pace
    scrapes_served: int
    scrapes_refused: int
    series_dropped: int


RUN: tuple[Metric[RunStatus], ...] = (
    Metric(name="agentaskit_sim_build_info", kind="info", help="The program that runs.",
           read=lambda _: 1.0,
           labels=(Label("version", lambda r: (r.version,)),
                   Label("python_version", lambda r: (r.python_version,)))),
    Metric(name="agentaskit_sim_run_info", kind="info", help="What replays this run.",
           read=lambda _: 1.0,
           labels=(Label("scenario", lambda r: (r.scenario,)),
                   Label("seed", lambda r: (str(r.seed),)))),
    _gauge("agentaskit_sim_clock_drift_seconds",
           "How far the virtual clock is behind the real one.",
           lambda r: r.pace.drift_s, unit="seconds"),
    _gauge("agentaskit_sim_times_real_time",
           "Virtual seconds simulated per second of computing; below 1 the world falls behind.",
           lambda r: r.pace.times_real_time),
    _counter("agentaskit_sim_computing_seconds_total", "Real time spent in advancing the world.",
             lambda r: r.pace.computing_s, unit="seconds"),
    _counter("agentaskit_sim_ticks_total", "Steps in which the world was advanced.",
             lambda r: r.pace.ticks),
    _counter("agentaskit_sim_late_ticks_total", "Steps that ended behind the real clock.",
             lambda r: r.pace.late_ticks),
    _gauge("agentaskit_sim_loop_lag_seconds", "How late the event loop woke for the last step.",
           lambda r: r.pace.loop_lag_s, unit="seconds"),
    _gauge("agentaskit_sim_loop_lag_max_seconds",
           "The latest that the event loop woke for a step within the last half to full minute.",
           lambda r: r.pace.loop_lag_max_s, unit="seconds"),
    _counter("agentaskit_sim_scrapes_total", "Scrapes before this one, by outcome.",
             lambda r: (r.scrapes_served, r.scrapes_refused),
             Label("outcome", lambda _: SCRAPE_OUTCOMES)),
    _counter("agentaskit_sim_series_dropped_total",
             "Series left off pages by the series limit, summed over the pages.",
             lambda r: r.series_dropped),
)  # fmt: skip


BURST: tuple[Metric[int], ...] = (
    _gauge("agentaskit_sim_burst_series", "Series that exist only while a cardinality burst lasts.",
           np.ones, Label("value", lambda count: tuple(str(i) for i in range(count)))),
)  # fmt: skip


def catalogue_burst(count: int) -> Catalogue[int]:
    """Lay out `count` further series, each of a value that no other has."""
    return Catalogue(BURST, count)


def catalogue_world(
    snapshot: Snapshot, metrics: tuple[Metric[Snapshot], ...] = WORLD
) -> Catalogue[Snapshot]:
    """Lay out every metric of the world over the axes of `snapshot`, or those of a mapping."""
    return Catalogue(metrics, snapshot)


def catalogue_run(status: RunStatus) -> Catalogue[RunStatus]:
    """Lay out the metrics of the process itself."""
    return Catalogue(RUN, status)
