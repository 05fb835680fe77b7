"""The numbers of a minute: what a stranger's SplitMix64 gives, whichever minutes are asked for."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import pytest

from verifier.virtual_time.minute_draws import MinuteDraws

BITS = (1 << 64) - 1


def split_mix(key: int, step: int) -> int:
    """Return output `step` of the published generator, in whole numbers of any size."""
    z = (key + step * 0x9E3779B97F4A7C15) & BITS
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & BITS
    return z ^ (z >> 31)


def test_the_reference_is_the_published_generator():
    """Its first numbers from the state 0, as its authors' program prints them."""
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [split_mix(0, step) for step in (1, 2, 3)] == expected


@pytest.mark.parametrize(("seed", "purpose"), [(0, "resample"), (42, "resample"), (42, "other")])
def test_a_minute_has_the_number_of_its_seed_purpose_and_place(seed, purpose):
    """Exactly, for minutes before the scenario too; the upper 53 bits of 64."""
    minutes = [-43_200, -1, 0, 1, 2, 1440]
    key = int.from_bytes(blake2b(f"{seed} {purpose}".encode(), digest_size=8).digest(), "big")
    expected = [(split_mix(key, minute) >> 11) / 2**53 for minute in minutes]
    assert MinuteDraws(seed, purpose).uniform(np.array(minutes)).tolist() == expected
