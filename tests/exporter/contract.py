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
