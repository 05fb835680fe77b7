"""Keys, types and descriptions of a file follow from the simulator's own fields."""

import pytest

from scenarios.schema.derived import describe, field_values, key_of, parameters_model
from simulator.faults.kinds.catalogue import FAULTS


@pytest.mark.parametrize(
    ("field", "key"),
    [("alive_s", "alive"), ("rate_per_s", "rate_per_s"), ("share", "share"), ("bytes", "bytes")],
)
def test_a_key_is_its_field_without_the_unit_of_seconds(field, key):
    """A duration carries its unit in the value; a rate keeps its own in the key."""
    assert key_of(field) == key


def test_values_of_a_file_come_back_under_the_names_of_fields():
    """Only those that the file gives: defaults stay the simulator's."""
    kind, model = FAULTS["dependency_outage"], parameters_model("dependency_outage")
    read = model.model_validate({"share": 0.5, "latency": "300ms"})
    assert field_values(kind, read) == {"share": 0.5, "latency_s": 0.3}
    assert field_values(kind, model.model_validate({"share": 0.5})) == {"share": 0.5}


def test_a_description_uses_the_keys_of_the_file():
    """The first line of the class, its fields named as keys."""

    class Slow:
        """Takes `delay_s` longer, `rate_per_s` times.

        Not this line.
        """

    assert describe(Slow) == "Takes `delay` longer, `rate_per_s` times."
