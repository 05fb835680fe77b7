"""Requests that nobody sends by mistake: each is refused with a sentence, and nothing changes."""

from __future__ import annotations

import gzip
import json

import pytest

from scenarios.injection_form import FaultForm
from simulator.faults.kinds.catalogue import FAULTS
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


@pytest.mark.parametrize("literal", LITERALS)
@pytest.mark.parametrize("key", ["fault", "name", "duration", "ramp", "targets", "parameters"])
async def test_no_value_of_any_key_is_more_than_refused(served, key, literal):
    """Numbers of thousands of digits, half characters, depth: 400 with a sentence."""
    if (key, literal) in {("targets", "{}"), ("targets", "null")}:
        return
    await refuse(served, document(**{key: literal}))


@pytest.mark.parametrize("literal", LITERALS)
async def test_no_parameter_is_more_than_refused(served, literal):
    """Nor a key."""
    await refuse(served, document(parameters=f'{{"share": {literal}}}'))
    await refuse(served, document(parameters=f'{{"share": 0.5, {json.dumps(literal)}: 1}}'))


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("number", HUGE)
async def test_whatever_number_a_parameter_has_the_api_works_afterwards(served, kind, number):
    """Taken whole or refused whole: what was refused is not in effect, what was taken can end."""
    written = FaultForm(small()).write(fault(kind, **SAMPLES[kind]))["parameters"]
    for key in written:
        parameters = {**written, key: number}
        data = json.dumps({"fault": kind, "name": "huge", "parameters": parameters}).encode()
        before = served.state()
        status, answer = await served.call("POST", data=data, headers=JSON)
        assert status in {201, 400}
        if status == 400:
            assert answer["error"]
            assert served.state() == before
        served.advance(0.2)
        assert (await served.call("GET"))[0] == 200
        assert (await served.call("DELETE"))[0] == 200


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
