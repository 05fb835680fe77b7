"""Proposed mappings: by type, by the words of the name, by labels and by unit."""

from __future__ import annotations

import pytest

from documents.yaml_reader import parse
from verifier.check.exports.page_reader import read_page
from verifier.mapping.likeness import likeness
from verifier.mapping.mapping_text import proposal_text
from verifier.mapping.proposal import even_shares, propose
from verifier.mapping.reader import read_mapping_document


def entry_of(page):
    """Return the only entry proposed for a page, or why its only metric is left out."""
    proposal = propose(read_page(page, "page"))
    if proposal.metrics:
        read_mapping_document(parse(proposal_text(proposal, "page"), "proposal"))
        (entry,) = proposal.metrics
        return entry
    (unmapped,) = proposal.unmapped
    return unmapped.reason


@pytest.mark.parametrize(
    ("page", "quantity"),
    [
        ("# TYPE rpc_calls_total counter\nrpc_calls_total 1", "http_requests_total"),
        ("# TYPE inflight_requests gauge\ninflight_requests 1", "agentaskit_tasks_in_flight"),
        ("# TYPE jobs_waiting gauge\njobs_waiting 1", "agentaskit_task_queue_depth"),
        ("# TYPE heap_bytes gauge\nheap_bytes 1", "agentaskit_memory_bytes"),
        ("# TYPE events_dropped_total counter\nevents_dropped_total 1",
         "agentaskit_inter_agent_messages_dropped_total"),
    ],
)  # fmt: skip
def test_the_nearest_quantity_of_the_type_is_taken(page, quantity):
    """By what the name is about, whatever its words are."""
    assert entry_of(page)["from"] == quantity


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("# TYPE feature_flag gauge\nfeature_flag 1", "no gauge of ours is near"),
        ("# TYPE go_gc_total counter\ngo_gc_total 1", "of the exporter's process, which"),
        ("requests 1", "its type is unknown"),
        ('# TYPE d histogram\nd_bucket{le="+Inf"} 1\nd_count 1\nd_sum 1', "no histogram of ours"),
        ('# TYPE request_seconds histogram\nrequest_seconds_bucket{le="60"} 1',
         "none of its buckets lies below the last of ours"),
    ],
)  # fmt: skip
def test_what_is_left_out_has_its_reason(page, reason):
    """Nothing is guessed."""
    assert reason in entry_of(page)


OWN = "name must be none that the simulator or Prometheus itself writes, got"


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ('up{job="x"}', f"{OWN} 'up'"),
        ("agentaskit_sim_tasks_in_flight", f"{OWN} 'agentaskit_sim_tasks_in_flight'"),
        ('jobs_waiting{__queue="a"}', "a label must be the name of a label that an exporter may"),
        ('jobs_waiting{le="1"}', None),
    ],
)
def test_what_a_mapping_may_not_have_is_left_out_with_the_reason_of_its_reader(metric, reason):
    """And costs no other metric its place in the proposal."""
    name = metric.partition("{")[0]
    page = f"# TYPE {name} gauge\n{metric} 1\n# TYPE inflight_requests gauge\ninflight_requests 1"
    proposal = propose(read_page(page, "page"))
    read_mapping_document(parse(proposal_text(proposal, "page"), "proposal"))
    assert "inflight_requests" in [each["name"] for each in proposal.metrics]
    left_out = [each.reason for each in proposal.unmapped]
    assert left_out == [] if reason is None else left_out[0].startswith(reason)


def test_our_own_page_is_proposed_without_what_the_simulator_says_of_itself():
    """Its names begin with those of our metrics, and no mapping may have them."""
    page = "".join(
        f"# TYPE {name} gauge\n{name} 1\n"
        for name in ("agentaskit_sim_tasks_in_flight", "agentaskit_tasks_in_flight", "up")
    )
    proposal = propose(read_page(page, "page"))
    assert [each["name"] for each in proposal.metrics] == ["agentaskit_tasks_in_flight"]
    assert len(proposal.unmapped) == 2


def test_codes_are_our_statuses_and_classes_are_spelt():
    """`2xx` says what a status says; a label of one value is fixed, others are shared evenly."""
    series = [f'{{code="{c}",method="GET",route="/{r}"}} 1' for c in ("2xx", "5xx") for r in "ab"]
    page = "# TYPE requests_total counter\n" + "\n".join(f"requests_total{s}" for s in series)
    labels = entry_of(page)["labels"]
    assert labels["code"]["from"] == "status"
    assert (labels["code"]["values"]["429"], labels["code"]["values"]["504"]) == ("4xx", "5xx")
    assert (labels["method"], labels["route"]) == ("GET", {"share": {"/a": 0.5, "/b": 0.5}})
    codes = page.replace("2xx", "200").replace("5xx", "500")
    assert entry_of(codes)["labels"]["code"] == {"from": "status"}


def test_failures_are_a_part_of_the_whole():
    """A counter of errors is made of the requests that failed."""
    entry = entry_of("# TYPE http_errors_total counter\nhttp_errors_total 1")
    assert entry["where"] == {"status": ["500", "503", "504"]}


@pytest.mark.parametrize(
    ("name", "bound", "factor"),
    [
        ("request_duration_seconds", "0.5", None),
        ("request_duration_milliseconds", "500", 1e3),
        ("request_latency_us", "500000", 1e6),
        ("request_latency", "500", 1e3),
        ("request_latency", "0.5", None),
    ],
)
def test_the_unit_is_read_off_the_name_or_the_buckets(name, bound, factor):
    """Seconds where nothing says otherwise."""
    entry = entry_of(f'# TYPE {name} histogram\n{name}_bucket{{le="{bound}"}} 1')
    assert (entry.get("factor"), entry["buckets"]) == (factor, [float(bound)])


def test_a_summary_gives_its_count_and_its_sum():
    """Its quantiles are of no world."""
    page = '# TYPE call_ms summary\ncall_ms{quantile="0.5"} 1\ncall_ms_sum 3\ncall_ms_count 3'
    proposal = propose(read_page(page, "page"))
    made = {each["name"]: each["from"] for each in proposal.metrics}
    assert made["call_ms_count"].endswith("_count")
    assert made["call_ms_sum"].endswith("_sum")
    assert [each.metric for each in proposal.unmapped] == ["call_ms"]


def test_words_that_yaml_takes_for_something_else_stay_text():
    """A handler called `on`, and one with a quote."""
    page = '# TYPE requests_total counter\nrequests_total{a="on",b="x\\"y"} 1'
    assert entry_of(page)["labels"] == {"a": "on", "b": 'x"y'}


@pytest.mark.parametrize("count", [1, 3, 7, 20])
def test_even_shares_add_up(count):
    """Whatever is left over goes to the first."""
    shares = even_shares([str(i) for i in range(count)])
    assert sum(round(share * 10_000) for share in shares.values()) == 10_000


def test_likeness_is_0_of_names_without_a_known_word():
    """And 1 of the same concepts in other words."""
    assert likeness("feature_flag", "http_requests_total") == 0
    assert likeness("rpc_calls_total", "http_requests_total") > likeness("rpc_calls_total", "tasks")
