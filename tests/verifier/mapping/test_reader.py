"""Mapping files: one good document, and one mistake each with its place and its sentence."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from simulator.topology import Tier, Topology
from verifier.mapping.reader import load_mapping

GOOD = """\
target: {job: shop}
metrics:
- name: requests_total
  type: counter
  from: http_requests_total
  where: {status: [200, 503, 504]}
  labels:
    code: {from: status, values: {504: 503}}
    method: GET
    handler: {share: {/a: 0.75, /b: 0.25}}
- name: duration_ms
  type: histogram
  from: http_request_duration_seconds
  factor: 1000
  buckets: [10, 33, 100]
- name: agents
  type: gauge
  from: agentaskit_active_agents
  labels: {tier: {from: tier}}
"""


def read(tmp_path, text):
    """Read a mapping file with this text."""
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    return load_mapping(path)


def test_a_good_file_is_read_as_it_says(tmp_path):
    """Numbers in label values are text; the target's instance stays ours."""
    mapping = read(tmp_path, GOOD).mapping
    requests, duration, agents = mapping.metrics
    assert (mapping.target.job, mapping.target.instance) == ("shop", "127.0.0.1:9464")
    assert requests.where == (("status", ("200", "503", "504")),)
    assert [(each.name, each.fixed or each.source) for each in requests.labels][:2] == [
        ("code", "status"),
        ("method", "GET"),
    ]
    assert requests.labels[0].values == (("504", "503"),)
    assert requests.labels[2].shares == (("/a", 0.75), ("/b", 0.25))
    assert duration.bounds == (10.0, 33.0, 100.0)
    assert (agents.kind, agents.source) == ("gauge", "agentaskit_active_agents")


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ("from: http_requests_total", "from: http_request_total",
         "5:9: no quantity is called 'http_request_total', did you mean 'http_requests_total'?"),
        ("type: counter", "type: gauge",
         "4:9: type must be counter, as http_requests_total is, got 'gauge'"),
        ("type: counter", "type: summary",
         "4:9: metrics[0].type must be 'counter', 'gauge' or 'histogram', got 'summary'"),
        ("name: requests_total", "name: requests-total",
         "3:9: name must be a metric's name, got 'requests-total'"),
        ("name: requests_total", "name: up",
         "3:9: name must be none that the simulator or Prometheus itself writes, got 'up'"),
        ("name: duration_ms", "name: duration_ms_bucket",
         ("11:9: name must be the name without _bucket, _count or _sum, which it gets,"
         " got 'duration_ms_bucket'")),
        ("status: [200,", "state: [200,",
         "6:11: no label of http_requests_total is called 'state', did you mean 'status'?"),
        ("[200, 503", "[201, 503",
         ("6:20: status must be '200', '429', '500', '503' or '504', got '201', "
         "did you mean '200'?")),
        ("{from: status,", "{from: statu,",
         "8:18: no label of http_requests_total is called 'statu', did you mean 'status'?"),
        ("{from: status,", "{form: status,", "8:12: unknown key 'form', did you mean 'from'?"),
        ("{504: 503}", "{505: 503}",
         ("8:35: status must be '200', '429', '500', '503' or '504', got '505', "
         "did you mean '504'?")),
        ("method: GET", "method: {}",
         "9:13: label method must have exactly one of the keys 'value', 'from' and 'share'"),
        ("method: GET", "code: GET", "9:5: duplicate key 'code', first given in line 8"),
        ("method: GET", "le: GET",
         "9:5: a label must be the name of a label that an exporter may set, got 'le'"),
        ("/b: 0.25", "/b: 0.2", "10:22: shares of handler must add up to 1, got 0.95"),
        ("/b: 0.25", "/b: 0.250001", ("10:37: share of /b must be above 0, at most 1, and a"
         " multiple of 0.0001, got 0.250001")),
        ("/b: 0.25", "/b: -0.25", ("10:37: share of /b must be above 0, at most 1, and a"
         " multiple of 0.0001, got -0.25")),
        ("factor: 1000", "factor: 0", "14:11: factor must be above 0, got 0.0"),
        ("33, 100", "33, 31000",
         ("15:21: a bucket must be at most 30000, the last bound of http_request_duration_seconds"
         " in this unit: nothing is known of what lies above, got 31000.0")),
        ("[10, 33", "[33, 10", "15:17: buckets must ascend from above 0, got 10.0"),
        ("from: agentaskit_active_agents", "from: agentaskit_active_agents\n  buckets: [1]",
         "19:3: buckets must be left out: only a histogram has any"),
        ("name: agents", "name: requests_total",
         "16:9: requests_total must have the type and the buckets of its other entry in line 3"),
    ],
)  # fmt: skip
def test_a_mistake_has_its_place_and_a_way_out(tmp_path, right, wrong, line):
    """Each planted alone in the good document."""
    assert right in GOOD
    with pytest.raises(InputError) as caught:
        read(tmp_path, GOOD.replace(right, wrong, 1))
    assert f"{tmp_path}/mapping.yaml:{line}" in str(caught.value).splitlines()


def test_a_series_that_two_entries_make_is_a_mistake(tmp_path):
    """Two samples of one series on a page would fail every scrape."""
    again = "- {name: requests_total, type: counter, from: http_requests_total, labels: {L}}\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, "metrics:\n" + again.replace("{L}", "{}") * 2)
    assert (
        "mapping.yaml:3:10: requests_total{} is made twice: the entry in line 2 makes it too"
        in (str(caught.value))
    )
    turned = again.replace("{L}", "{a: b, c: d}") + again.replace("{L}", "{c: d, a: b}")
    with pytest.raises(InputError, match="is made twice: the entry in line 2 makes it too"):
        read(tmp_path, f"metrics:\n{turned}")
    apart = again.replace("{L}", "{a: b}") + again.replace("{L}", "{a: c}")
    assert len(read(tmp_path, f"metrics:\n{apart}").mapping.metrics) == 2


def test_another_topology_is_checked_with_its_own_names(tmp_path):
    """A tier that only the built-in system has selects nothing in another one."""
    file = read(tmp_path, GOOD.replace("labels: {tier", "where: {tier: micro}\n  labels: {tier"))
    file.check(Topology())
    tiers = tuple(
        Tier(**{f: getattr(tier, f) for f in tier.__dataclass_fields__} | {"name": f"t{i}"})
        for i, tier in enumerate(Topology().tiers)
    )
    with pytest.raises(InputError, match=r"mapping.yaml:19:17: tier must be .*, got 'micro'"):
        file.check(Topology(tiers=tiers))
