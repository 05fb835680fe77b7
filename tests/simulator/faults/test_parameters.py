"""What every kind must have, and the bounds of its numbers: checked where they are declared."""

from __future__ import annotations

import re

import pytest

from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.parameters import Bound, TimeScale, parameter_facts
from tests.simulator.faults.samples import SAMPLES
from tests.simulator.worlds import small

SHARE, FACTOR = "above 0 and at most 1", "1 to 1000000"
NUMBERS = {
    "agent_crash": ("agents", {"rate_per_s": ("above 0 and at most 1000000", None)}),
    "crash_loop": ("agents", {"alive_s": ("0.001 to 86400 s", 0.2)}),
    "agent_hang": ("agents", {}),
    "slow_start": ("agents", {"factor": (FACTOR, None)}),
    "task_slowdown": ("agents", {"factor": (FACTOR, None)}),
    "task_failure": ("agents", {"share": (SHARE, None)}),
    "dependency_outage": ("nothing", {"share": (SHARE, None), "latency_s": ("0 to 3600 s", 0.2)}),
    "traffic_surge": ("nothing", {"factor": ("1 to 100", None)}),
    "traffic_drop": ("nothing", {"share": (SHARE, None)}),
    "capacity_demand": ("nothing", {"agents": ("1 to 100000", None)}),
    "bus_partition": ("agents", {"loss": (SHARE, 1.0)}),
    "message_flood": ("agents", {"rate_per_s": ("0.001 to 10000000", None)}),
    "slow_consumer": ("agents", {"factor": (FACTOR, None)}),
    "sandbox_leak": ("sandboxes", {"share": (SHARE, None)}),
    "sandbox_crash": ("sandboxes", {"share": (SHARE, None)}),
    "memory_leak": ("agents", {"bytes_per_s": ("above 0 and at most 1073741824", None)}),
    "cpu_contention": ("hosts", {"share": (SHARE, None)}),
    "slow_host": ("hosts", {"factor": (FACTOR, None)}),
    "exporter_down": ("nothing", {}),
    "counter_reset": ("nothing", {}),
    "scrape_slow": ("nothing", {"delay_s": ("above 0 and at most 60 s", None)}),
    "scrape_truncated": ("nothing", {"share": (SHARE, None)}),
    "series_vanish": ("nothing", {"share": (SHARE, None)}),
    "cardinality_burst": ("nothing", {"series": ("1 to 10000", None)}),
    "cell_down": ("cells", {}),
    "cell_brownout": ("cells", {"factor": (FACTOR, None)}),
    "router_stale": ("router", {}),
}
"""What each kind aims at, and the rule and the default of each of its numbers."""
DECIDES = {
    "traffic_surge": {"traffic": 1.5},
    "traffic_drop": {"traffic": 0.7},
    "memory_leak": {"felt_s": 10.0, "compressed": {"bytes_per_s": 1e7}},
    "exporter_down": {"interrupts": True},
    "counter_reset": {"interrupts": True},
    "scrape_slow": {"interrupts": True, "compressed": {"delay_s": 1.5}},
    "scrape_truncated": {"interrupts": True},
    "series_vanish": {"interrupts": True},
    "cardinality_burst": {"interrupts": True, "further": 100},
    "cell_down": {"interrupts": True},
}
"""What a kind decides that most leave as it is."""
PLAIN = {"traffic": 1.0, "felt_s": 0.0, "interrupts": False, "further": 0}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bound_is_what_is_checked(fault):
    """The number at an inclusive limit is taken; one just beyond any limit is refused."""
    facts = parameter_facts(FAULTS[fault])
    valid = {fact.field: _inside(fact.bound) for fact in facts}
    for fact in facts:
        bound = fact.bound
        for limit, beyond in ((bound.least, -1e-9), (bound.most, 1e-9), (bound.above, 0.0)):
            if limit is None:
                continue
            if limit != bound.above:
                FAULTS[fault](**{**valid, fact.field: limit})
            rule = re.escape(f"{fault}: {fact.field} must be {bound.rule}, got ")
            with pytest.raises(ValueError, match=rule):
                FAULTS[fault](**{**valid, fact.field: limit + beyond * max(1, abs(limit))})
        with pytest.raises(ValueError, match=" must be "):
            FAULTS[fault](**{**valid, fact.field: float("nan")})


def _inside(bound):
    """Return a number that a bound holds."""
    return bound.least if bound.least is not None else 1.0


def test_a_bound_has_its_rule_as_text():
    """Every form that a bound may have."""
    assert Bound(least=1).rule == "at least 1"
    assert Bound(above=0).rule == "above 0"
    assert Bound(least=0, most=5, unit="s").rule == "0 to 5 s"
    assert Bound(above=0, most=5, unit="s").rule == "above 0 and at most 5 s"
    assert Bound(most=5).rule == "at most 5"
    assert Bound(most=5, unit="s").rule == "at most 5 s"
    assert Bound(least=1, unit="s").rule == "at least 1"


def test_every_kind_has_its_targets_rules_and_defaults():
    """In the order of the catalogue, in which people read them."""
    assert list(NUMBERS) == list(FAULTS)
    for name, kind in FAULTS.items():
        numbers = {fact.field: (fact.bound.rule, fact.default) for fact in parameter_facts(kind)}
        assert (kind.facts.aims_at, numbers) == NUMBERS[name]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_kind_decides_what_it_means_to_the_load_to_series_and_to_time(fault):
    """At half of its strength, in a fleet of 40 of which four are recycled a second."""
    parameters = FAULTS[fault](**SAMPLES[fault])
    expected = {**PLAIN, "compressed": SAMPLES[fault], **DECIDES.get(fault, {})}
    compressed = parameters.compressed(TimeScale(factor=10.0, scrape_timeout_share=0.5))
    assert expected == {
        "traffic": pytest.approx(parameters.traffic_factor(0.5)),
        "felt_s": parameters.felt_after_end_s(small(recycle_per_s=4.0)),
        "interrupts": parameters.interrupts_series,
        "further": parameters.further_series(),
        "compressed": {field: getattr(compressed, field) for field in SAMPLES[fault]},
    }


def test_memory_that_leaks_is_felt_no_longer_where_nobody_is_recycled():
    """It would be for ever. A leak in compressed time is as fast as one may be, at most."""
    leak = FAULTS["memory_leak"](bytes_per_s=2e7)
    assert leak.felt_after_end_s(small(recycle_per_s=0.0)) == 0.0
    quick = leak.compressed(TimeScale(factor=60.0, scrape_timeout_share=1.0))
    assert quick.bytes_per_s == 1 << 30
