"""Requests that nobody sends by mistake: each is refused with a sentence, and nothing changes."""

from __future__ import annotations

import gzip
import json
from itertools import product

import pytest

from scenarios.injection_form import FaultForm
from simulator.faults.kinds.catalogue import FAULTS
from simulator.world import World
from tests.exporter.server.fault_api.served import DROP, TOKEN
from tests.simulator.faults.samples import SAMPLES
from tests.simulator.worlds import fault, small

JSON = {"Content-Type": "application/json"}
HUGE = (10**400, -(10**400), 2**63, 2**64, -(2**63), 1e300, -1e300, 1e-300, 5e-324, 1e18)
LITERALS = ("9" * 5_000, "-" + "9" * 5_000, "1e400", "-1e400", "1e99999999", "NaN", "Infinity",
            '"\\ud800"', '"\\udfff\\ud800"', "[" * 5_000, '{"a":' * 2_000, '"' + "x" * 10_000 + '"',
            "[]", "{}", "null", "true", '""', '"9' + "9" * 400 + 's"')  # fmt: skip


def document(**changes):
    """Return the body of an injection as JSON text, `changes` being literals."""
    parts = {"fault": '"traffic_drop"', "parameters": '{"share": 0.5}', **changes}
    return ("{" + ", ".join(f'"{key}": {value}' for key, value in parts.items()) + "}").encode()


async def refuse(served, body, method="POST", path="", **headers):
    """Send a body; expect a refusal with one sentence that changes nothing."""
    before = served.state()
    status, answer = await served.call(method, path, data=body, headers={**JSON, **headers})
    assert 400 <= status < 500
    assert answer["error"]
    assert "\n" not in answer["error"]
    assert served.state() == before
    return status


@pytest.mark.sampled(3)
@pytest.mark.parametrize("key", ["fault", "name", "duration", "ramp", "targets", "parameters"])
async def test_no_value_of_any_key_is_more_than_refused(served, key):
    """Numbers of thousands of digits, half characters, depth: 400 with a sentence."""
    for literal in LITERALS:
        if (key, literal) not in {("targets", "{}"), ("targets", "null")}:
            await refuse(served, document(**{key: literal}))


async def test_no_parameter_is_more_than_refused(served):
    """Nor a key."""
    for literal in LITERALS:
        await refuse(served, document(parameters=f'{{"share": {literal}}}'))
        await refuse(served, document(parameters=f'{{"share": 0.5, {json.dumps(literal)}: 1}}'))


@pytest.mark.sampled(8)
@pytest.mark.parametrize("kind", FAULTS)
async def test_whatever_number_a_parameter_has_the_api_works_afterwards(served, kind):
    """Taken whole or refused whole: what was refused is not in effect, what was taken can end."""
    written = FaultForm(small()).write(fault(kind, **SAMPLES[kind]))["parameters"]
    for key, number in product(written, HUGE):
        body = {"fault": kind, "name": "huge", "parameters": {**written, key: number}}
        before = served.state()
        status, answer = await served.call("POST", data=json.dumps(body).encode(), headers=JSON)
        assert status in {201, 400}
        if status == 400:
            assert answer["error"]
            assert served.state() == before
            continue
        served.advance(0.2)
        assert (await served.call("GET"))[0] == 200
        assert (await served.call("DELETE"))[0] == 200


class FaultlessWorld:
    """A world that cannot calculate with the fault it is given."""

    def __init__(self, world, failing):
        """Stand before `world`; its method `failing` fails."""
        self._world, self._failing = world, failing

    def __getattr__(self, name):
        """Be as the world, or fail."""
        if name == self._failing:
            raise OverflowError("cannot convert float infinity to integer")
        return getattr(self._world, name)


@pytest.mark.parametrize("failing", ["advance_ns", "snapshot"])
async def test_what_cannot_be_calculated_with_is_never_in_effect(served, monkeypatch, failing):
    """It was refused with 500, and in effect from then on: every further call failed."""
    await served.call("POST", body={**DROP, "name": "held"})
    monkeypatch.setattr(
        served.world,
        "fork",
        lambda: FaultlessWorld(World.fork(served.world), failing),
        raising=False,
    )
    before = served.state()
    for method, path, body in (
        ("POST", "", DROP),
        ("PATCH", "/held", {"parameters": {"share": 0.25}}),
    ):
        status, answer = await served.call(method, path, body)
        assert status == 400
        assert answer["error"] == "the fault has a number with which nothing can be calculated"
        assert served.state() == before


async def test_a_key_that_stands_twice_is_refused(served):
    """At any depth."""
    assert await refuse(served, b'{"fault": "agent_hang", "fault": "agent_hang"}') == 400
    assert await refuse(served, document(parameters='{"share": 0.5, "share": 0.5}')) == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
async def test_a_compressed_body_is_refused_before_it_is_read(served, encoding):
    """Whether it is what it says or garbage."""
    for body in (b"garbage", gzip.compress(json.dumps(DROP).encode())):
        assert await refuse(served, body, **{"Content-Encoding": encoding}) in {400, 415}


@pytest.mark.parametrize(
    "token", ["\udcff", "Bearer \udcff", "Bearer \u00ff", "Bearer " + "x" * 4000]
)
async def test_a_token_of_any_bytes_is_a_wrong_token(serve, token):
    """Also bytes that are no UTF-8."""
    served = await serve(TOKEN)
    body = json.dumps(DROP).encode()
    assert await refuse(served, body, Authorization=token.encode("utf-8", "surrogateescape").decode(
        "latin-1")) == 401  # fmt: skip
