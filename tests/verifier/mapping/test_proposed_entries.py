"""Each entry that is proposed, as a whole: from which quantity, with which labels and unit."""

from __future__ import annotations

import pytest

from verifier.check.exports.page_reader import read_page
from verifier.mapping.proposal import propose

FAILED = {"status": ["500", "503", "504"]}
CLASSES = {"200": "2xx", "429": "4xx", "500": "5xx", "503": "5xx", "504": "5xx"}
REQUESTS, DURATION = "http_requests_total", "http_request_duration_seconds"
TASKS = "agentaskit_task_duration_seconds"
NO_TYPE = "its type is {}: only counters, gauges and histograms can be made"
OF_THE_PROCESS = "of the exporter's process, which is not simulated"


def page(kind, name, *samples):
    """Return a page of one family; samples of a histogram are the bounds of its buckets."""
    if kind == "histogram":
        samples = [f'_bucket{{le="{bound}"}}' for bound in samples]
    lines = [f"# TYPE {name} {kind}", *(f"{name}{sample} 1" for sample in samples or [""])]
    return "\n".join(lines) + "\n"


def proposed(text):
    """Return the entries that are proposed for a page, and what is left out with the reasons."""
    proposal = propose(read_page(text, "page"))
    return list(proposal.metrics), [(each.metric, each.reason) for each in proposal.unmapped]


def labelled(**labels):
    """Return samples with every combination of two labels' values."""
    (first, values), (second, others) = labels.items()
    return [f'{{{first}="{a}",{second}="{b}"}}' for a in values for b in others]


@pytest.mark.parametrize(
    ("kind", "name", "samples", "entry"),
    [
        # Bounds: finite, above 0, up to our last; above 100 without a unit they are milliseconds.
        ("histogram", "request_latency", ("-1", "0", "0.5", "100", "+Inf", "odd"),
         {"from": DURATION, "buckets": [0.5]}),
        ("histogram", "request_latency", ("5", "100.5", "30000", "30001", "+Inf"),
         {"from": DURATION, "factor": 1000.0, "buckets": [5.0, 100.5, 30000.0]}),
        ("histogram", "request_seconds", ("0.1", "30", "30.5", "200"),
         {"from": DURATION, "buckets": [0.1, 30.0]}),
        ("histogram", "jobs_microseconds", ("100", "1000"),
         {"from": TASKS, "factor": 1e6, "buckets": [100.0, 1000.0]}),
        ("histogram", "jobs_us", ("1",), {"from": TASKS, "factor": 1e6, "buckets": [1.0]}),
        ("histogram", "jobs_millis", ("1",), {"from": TASKS, "factor": 1e3, "buckets": [1.0]}),
        # Units of a counter: those of what is measured in seconds alone.
        ("counter", "cpu_ms_total", (), {"from": "node_cpu_seconds_total", "factor": 1000.0}),
        ("counter", "http_request_ms_total", (), {"from": REQUESTS}),
        ("counter", "http_request_latency_ms_sum", (),
         {"from": f"{DURATION}_sum", "factor": 1000.0}),
        ("counter", "http_request_latency_ms_count", (), {"from": f"{DURATION}_count"}),
        ("counter", "http_request_latency_sum", (), {"from": f"{DURATION}_sum"}),
        # Failures are a part of the whole.
        ("counter", "job_failures_total", (), {"from": REQUESTS, "where": FAILED}),
        ("counter", "processed_jobs_failed_total", (),
         {"from": "agentaskit_tasks_processed_total", "where": {"outcome": ["failed"]}}),
        ("counter", "cpu_failures_seconds_total", (), {"from": "node_cpu_seconds_total"}),
        # Labels: ours by the name or by a value, of one value fixed, else shared evenly.
        ("counter", "rpc_calls_total", labelled(status="ab", shop="x"),
         {"from": REQUESTS, "labels": {"shop": "x", "status": {"from": "status"}}}),
        ("counter", "rpc_calls_total", labelled(code=["2xx"], n=range(22)),
         {"from": REQUESTS, "labels": {
             "code": {"from": "status", "values": CLASSES},
             "n": {"share": dict.fromkeys(sorted(map(str, range(22)))[:20], 0.05)}}}),
        ("counter", "rpc_calls_total", labelled(code=["200", "odd"], n="abc"),
         {"from": REQUESTS, "labels": {
             "code": {"from": "status"}, "n": {"share": {"a": 0.3334, "b": 0.3333, "c": 0.3333}}}}),
        ("counter", "rpc_calls_total", labelled(code=["2xx", "odd"], n="a"),
         {"from": REQUESTS, "labels": {"code": {"share": {"2xx": 0.5, "odd": 0.5}}, "n": "a"}}),
        ("gauge", "workers", labelled(state=["idle", "off"], n="a"),
         {"from": "agentaskit_agents", "labels": {"n": "a", "state": {"from": "state"}}}),
        # Names: whatever their words are, be they joined.
        ("gauge", "pool_connections_idle", (), {"from": "agentaskit_sandbox_pool_available"}),
        ("gauge", "usedMemory", (), {"from": "agentaskit_memory_bytes"}),
        ("gauge", "event_queue", (), {"from": "agentaskit_inter_agent_messages_waiting"}),
        ("gauge", "job_memory_cpu_waiting", (), {"from": "agentaskit_task_queue_depth"}),
        ("untyped", "calls_total", (), {"type": "counter", "from": REQUESTS}),
    ],
)  # fmt: skip
def test_an_entry_is_proposed_as_a_whole(kind, name, samples, entry):
    """Nothing else of the page is left out."""
    entry = {"name": name, "type": kind} | entry
    assert proposed(page(kind, name, *samples)) == ([entry], [])


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("gauge", "cpu_seconds", "no gauge of ours is near"),
        ("counter", "job_queue_started_total", "no counter of ours is near"),
        ("untyped", "calls", NO_TYPE.format("unknown")),
        ("info", "build", NO_TYPE.format("info")),
        *(("gauge", f"{first}_jobs_waiting", OF_THE_PROCESS)
          for first in ("process", "go", "python", "jvm", "nodejs", "promhttp")),
    ],
)  # fmt: skip
def test_what_is_not_near_has_its_reason(kind, name, reason):
    """By its type, its words, or whose it is."""
    assert proposed(page(kind, name)) == ([], [(name, reason)])


def test_a_summary_is_proposed_in_the_unit_of_its_name():
    """Its sum is of milliseconds, its count of calls."""
    text = page("summary", "call_ms", '{quantile="0.5"}', "_sum", "_count")
    assert proposed(text) == (
        [{"name": "call_ms_count", "type": "counter", "from": f"{DURATION}_count"},
         {"name": "call_ms_sum", "type": "counter", "from": f"{DURATION}_sum", "factor": 1000.0}],
        [("call_ms", NO_TYPE.format("summary"))],
    )  # fmt: skip


def test_series_of_one_name_are_proposed_once():
    """A counter that is the sum of a histogram comes after it, and is left out."""
    text = page("histogram", "call_ms", "5") + page("counter", "call_ms_sum")
    entries, left_out = proposed(text)
    assert [each["name"] for each in entries] == ["call_ms"]
    assert left_out == [
        ("call_ms_sum", "another entry makes series of the name call_ms_sum already")]  # fmt: skip
