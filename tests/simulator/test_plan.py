"""A plan: two faults of one name are refused."""

from __future__ import annotations

import pytest

from simulator.bounds import BoundError
from simulator.plan import Plan
from tests.simulator.worlds import fault


def test_two_faults_of_one_name_are_refused():
    """`end` and `change` find a fault by its name."""
    same = fault("agent_hang", name="twice")
    with pytest.raises(BoundError, match="each with a name of its own") as raised:
        Plan(faults=(same, fault("counter_reset", name="twice")))
    assert raised.value.field == "faults"
