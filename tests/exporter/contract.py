"""The metrics that dashboards and alerts rely on, written out by hand: a second opinion."""

from __future__ import annotations

TIERS = ("cecca", "board", "executive", "stack_chief", "specialist", "micro")
PRIORITIES = ("critical", "high", "normal", "low")
SANDBOXES = ("A", "B", "C")
MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
CPUS = tuple(str(number) for number in range(16))

# name -> (type, {label: values}); an empty mapping means a single series without labels
METRICS = {
    "http_requests_total": ("counter", {"status": ("200", "429", "500", "503", "504")}),
    "http_request_duration_seconds": ("histogram", {}),
    "agentaskit_response_duration_seconds": ("histogram", {}),
    "agentaskit_tasks_processed_total": (
        "counter",
        {"priority": PRIORITIES, "outcome": ("completed", "failed")},
    ),
    "agentaskit_task_duration_seconds": ("histogram", {}),
    "agentaskit_task_queue_depth": ("gauge", {"priority": PRIORITIES}),
    "agentaskit_active_agents": ("gauge", {"tier": TIERS}),
    "agentaskit_agents_started_total": ("counter", {}),
    "agentaskit_agent_startup_duration_seconds": ("histogram", {}),
    "agentaskit_inter_agent_messages_total": ("counter", {"tier": TIERS}),
    "agentaskit_inter_agent_messages_dropped_total": ("counter", {}),
    "agentaskit_memory_bytes": ("gauge", {"tier": TIERS}),
    "node_cpu_seconds_total": ("counter", {"cpu": CPUS, "mode": MODES}),
    "agentaskit_sandbox_pool_total": ("gauge", {"sandbox_type": SANDBOXES}),
    "agentaskit_sandbox_pool_available": ("gauge", {"sandbox_type": SANDBOXES}),
    "agentaskit_sandbox_executions_total": ("counter", {"sandbox_type": SANDBOXES}),
    "agentaskit_network_bytes_sent": ("unknown", {"traffic": ("message", "request")}),
    "agentaskit_network_bytes_received": ("unknown", {"traffic": ("message", "request")}),
}

THRESHOLDS_S = ("0.05", "0.1", "1.0")

SUMMED = ("sim_conservation_error",)
MOVED_BY = {
    "now_ns": ("sim_time_seconds",),
    "http_requests": ("http_requests_total",),
    "http_request_duration": ("http_request_duration_seconds",),
    "response_duration": ("response_duration_seconds",),
    "task_duration": ("task_duration_seconds",),
    "tasks_arrived": ("tasks_arrived_total", *SUMMED),
    "tasks_rejected": ("tasks_rejected_total", *SUMMED),
    "tasks_timed_out": ("tasks_timed_out_total", *SUMMED),
    "tasks_processed": ("tasks_processed_total", *SUMMED),
    "tasks_in_flight": ("tasks_in_flight", *SUMMED),
    "tasks_retried": ("tasks_retried_total",),
    "queue_depth": ("task_queue_depth", *SUMMED),
    "dispatched": ("agent_tasks_dispatched_total", *SUMMED),
    "undispatched": ("agent_tasks_returned_total", *SUMMED),
    "finished": ("agent_tasks_finished_total", *SUMMED),
    "in_flight_by_tier": ("agent_tasks_in_flight", *SUMMED),
    "backpressure_level": ("backpressure_level",),
    "saturation": ("saturation_ratio",),
    "arrival_rate": ("sim_load_tasks_per_second",),
    "agents": ("active_agents", "agents"),
    "agents_started": ("agents_started_total",),
    "agents_crashed": ("agents_crashed_total",),
    "startup_duration": ("agent_startup_duration_seconds",),
    "memory_bytes": ("memory_bytes",),
    "cpu_ns": ("node_cpu_seconds_total",),
    "messages_sent": ("inter_agent_messages_sent_total", *SUMMED),
    "messages_delivered": ("inter_agent_messages_total", *SUMMED),
    "messages_dropped": ("inter_agent_messages_dropped_total", *SUMMED),
    "messages_waiting": ("inter_agent_messages_waiting", *SUMMED),
    "network_sent_bytes": ("network_bytes_sent",),
    "network_received_bytes": ("network_bytes_received",),
    "sandbox_total": ("sandbox_pool_total", *SUMMED),
    "sandbox_in_use": ("sandbox_slots", *SUMMED),
    "sandbox_leaked": ("sandbox_slots", *SUMMED),
    "sandbox_down": ("sandbox_slots", *SUMMED),
    "sandbox_available": ("sandbox_pool_available", "sandbox_slots", *SUMMED),
    "sandbox_executions": ("sandbox_executions_total",),
    "exporter_restarts": ("sim_exporter_restarts",),
}
"""By field of a snapshot, the metrics that show it, without `agentaskit_`; a sum that a field
alone breaks shows it as well."""
