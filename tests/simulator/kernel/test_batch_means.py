"""The statistics by which the physics is judged: right where the answer is known, able to fail."""

import numpy as np
import pytest

from tests.simulator.kernel.batch_means import agrees, erlang_c


@pytest.mark.parametrize(
    ("servers", "offered", "waits"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (10, 9.0, 0.6687)]
)
def test_erlang_c_gives_the_values_of_the_tables(servers, offered, waits):
    """One server: the load itself; two at half load: a third; ten at nine: the printed value."""
    assert erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5)


def test_a_mean_that_is_off_is_refused():
    """Ten standard errors away is no agreement."""
    batches = np.random.default_rng(1).normal(5.0, 0.1, 32)
    error = agrees(batches, 5.0)
    with pytest.raises(AssertionError, match="sigma from"):
        agrees(batches, 5.0 + 10 * error)
