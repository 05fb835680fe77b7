"""Mapping files at their limits: what is just allowed, what just is not, and what is left open."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from exporter.target import Target
from verifier.mapping.reader import load_mapping

COUNTER = "{name: a_total, type: counter, from: http_requests_total, "
HISTOGRAM = "{name: a, type: histogram, from: http_request_duration_seconds, "
GAUGE = "{name: a, type: gauge, from: agentaskit_saturation_ratio"
QUEUE = "{name: a, type: gauge, from: agentaskit_task_queue_depth, where: {priority: low}"
HUNDRED = ", ".join(f"v{i}: 0.01" for i in range(100))
OF_AN_EXPORTER = "a label must be the name of a label that an exporter may set, got"
NOT_OURS = "name must be none that the simulator or Prometheus itself writes, got"
LENGTH, ORDER = "buckets must be a list of 1 to 200, got", "buckets must ascend from above 0, got"
LAST, UNKNOWN = "a bucket must be at most", " nothing is known of what lies above"
RATIO, DURATION = "agentaskit_saturation_ratio", "http_request_duration_seconds"
PARTS = "name must be the name without _bucket, _count or _sum, which it gets, got"


def tenths(count):
    """Return so many bounds."""
    return ", ".join(str(i / 10) for i in range(1, count + 1))


def mapped(tmp_path, *entries, target=""):
    """Return the mapping that some entries are read as."""
    path = tmp_path / "m.yaml"
    path.write_text(target + "metrics:\n" + "".join(f"- {entry}\n" for entry in entries))
    return load_mapping(path).mapping


@pytest.mark.parametrize(
    ("entry", "part", "read"),
    [
        (COUNTER + "labels: {x: {share: {only: 1}}}}", "shares", (("only", 1.0),)),
        (COUNTER + f"labels: {{x: {{share: {{{HUNDRED}}}}}}}}}", "shares",
         tuple((f"v{i}", 0.01) for i in range(100))),
        (COUNTER + "labels: {x: 5}}", "fixed", "5"),
        (COUNTER + "labels: {x: {value: y}}}", "fixed", "y"),
        (COUNTER + "labels: {x: {from: status, values: {200: 1}}}}", "values", (("200", "1"),)),
        (COUNTER + "where: {status: 200}}", "where", (("status", ("200",)),)),
        (COUNTER + "factor: 0.001}", "factor", 0.001),
        (COUNTER + "help: so}", "help", "so"),
        (COUNTER[:-2] + "}", "labels", ()),
        (COUNTER.replace("a_total", "a:sum") + "}", "name", "a:sum"),
        (HISTOGRAM + "factor: 1000, buckets: [30000]}", "bounds", (30000.0,)),
        (HISTOGRAM + "buckets: [30]}", "bounds", (30.0,)),
        (HISTOGRAM + f"buckets: [{tenths(200)}]}}", "bounds",
         tuple(i / 10 for i in range(1, 201))),
    ],
)  # fmt: skip
def test_what_is_just_allowed_is_read(tmp_path, entry, part, read):
    """At each limit, and where a number stands for text."""
    (metric,) = mapped(tmp_path, entry).metrics
    of_label = part in ("shares", "fixed", "values")
    assert getattr(metric.labels[0] if of_label else metric, part) == read


def test_the_buckets_of_a_histogram_are_ours_in_its_unit(tmp_path):
    """Where it names none."""
    (metric,) = mapped(tmp_path, HISTOGRAM + "factor: 1000}").metrics
    assert (len(metric.bounds), metric.bounds[:3], metric.bounds[-1]) == (30, (1, 2.5, 5), 30000)


def test_the_target_is_ours_where_a_mapping_names_none(tmp_path):
    """Its job and its instance each by itself."""
    ours = Target("agentaskit", "127.0.0.1:9464")
    assert mapped(tmp_path, GAUGE + "}").target == ours
    named = mapped(tmp_path, GAUGE + "}", target="target: {job: 5}\n").target
    assert named == Target("5", ours.instance)
    placed = mapped(tmp_path, GAUGE + "}", target="target: {instance: i}\n").target
    assert placed == Target(ours.job, "i")


def test_entries_of_one_name_and_ten_thousand_series_are_allowed(tmp_path):
    """As long as a label tells them apart."""
    assert len(mapped(tmp_path, GAUGE + "}", QUEUE + ", labels: {x: y}}").metrics) == 2
    shares = f"x: {{share: {{{HUNDRED}}}}}, y: {{share: {{{HUNDRED}}}}}"
    assert len(mapped(tmp_path, COUNTER + f"labels: {{{shares}}}}}").metrics) == 1


@pytest.mark.parametrize(
    ("entry", "sentences"),
    [
        (COUNTER + "labels: {x: {share: {a: 1.5, b: 0, c: -0.5}}}}",
         [f"share of {name} must be above 0, at most 1, and a multiple of 0.0001, got {share}"
          for name, share in (("a", 1.5), ("b", 0.0), ("c", -0.5))]),
        (COUNTER + "labels: {x: {share: {a: 0.3333, b: 0.3333, c: 0.3333}}}}",
         ["shares of x must add up to 1, got 0.9999"]),
        (COUNTER + f"labels: {{x: {{share: {{{HUNDRED}, w: 0.01}}}}}}}}",
         ["share of x must have at most 100 values, got 101",
          "shares of x must add up to 1, got 1.01"]),
        (COUNTER + "labels: {x: true}}", ["metrics[0].labels.x.value must be text, got true"]),
        (COUNTER + "labels: {__x: a}}", [f"{OF_AN_EXPORTER} '__x'"]),
        (COUNTER + "labels: {x-y: a}}", [f"{OF_AN_EXPORTER} 'x-y'"]),
        (COUNTER + "labels: {x: {value: a, values: {200: b}}}}",
         ["values must be left out: it is for a label that is made 'from' one of ours"]),
        (COUNTER + "labels: {x: {value: a, from: status}}}",
         ["label x must have exactly one of the keys 'value', 'from' and 'share'"]),
        (COUNTER + "where: {status: []}}", ["a_total has no series: 'where' selects nothing"]),
        (COUNTER + "where: {status: [true]}}",
         ["metrics[0].where.status[0] must be text, got true"]),
        (COUNTER + "factor: -1}", ["factor must be above 0, got -1.0"]),
        (HISTOGRAM + "buckets: [30.1]}",
         [f"{LAST} 30, the last bound of {DURATION} in this unit:{UNKNOWN}, got 30.1"]),
        (HISTOGRAM + "buckets: []}", [f"{LENGTH} 0"]),
        (HISTOGRAM + f"buckets: [{tenths(201)}]}}", [f"{LENGTH} 201"]),
        (HISTOGRAM + "buckets: [0, 1, 1]}",
         [f"{ORDER} 0.0", f"{ORDER} 1.0"]),
        (HISTOGRAM.replace("a,", "a_sum,") + "}", [f"{PARTS} 'a_sum'"]),
        (HISTOGRAM.replace("a,", "a_count,") + "}", [f"{PARTS} 'a_count'"]),
        (COUNTER.replace("a_total", "agentaskit_sim_x") + "}", [f"{NOT_OURS} 'agentaskit_sim_x'"]),
        (COUNTER.replace("a_total", "scrape_duration_seconds") + "}",
         [f"{NOT_OURS} 'scrape_duration_seconds'"]),
        (GAUGE + ", where: {t: x}}",
         [f"no label of {RATIO} is called 't': {RATIO} has no labels"]),
        (COUNTER + f"labels: {{x: {{share: {{{HUNDRED}}}}}, y: {{share: {{{HUNDRED}}}}},"
         " z: {share: {a: 0.5, b: 0.5}}}}", ["series in all must be at most 10,000, got 20000"]),
    ],
)  # fmt: skip
def test_what_just_is_not_allowed_is_said(tmp_path, entry, sentences):
    """Every mistake of the entry, and no other."""
    with pytest.raises(InputError) as caught:
        mapped(tmp_path, entry)
    assert [mistake.sentence for mistake in caught.value.mistakes] == sentences


def test_the_sum_of_a_histogram_may_be_another_entry_already(tmp_path):
    """Its count and its sum are series, too."""
    with pytest.raises(
        InputError, match=r"m.yaml:3:10: a_sum\{\} is made twice: the entry in line 2"
    ):
        mapped(tmp_path, COUNTER.replace("a_total", "a_sum") + "}", HISTOGRAM + "}")
    with pytest.raises(InputError) as caught:
        mapped(tmp_path, HISTOGRAM + "buckets: [1]}", HISTOGRAM + "buckets: [2], labels: {x: y}}")
    assert "a must have the type and the buckets of its other entry in line 2" in str(caught.value)
