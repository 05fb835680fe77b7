"""The stream of the page and what a newcomer is shown: as documented, bounded, one for all."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator, ValidationError

from exporter.server.connection_limits import ConnectionLimits, GuardedSite, build_runner
from exporter.server.live_page import feed as module
from exporter.server.live_page.feed import LiveFeed
from exporter.server.live_page.stack_board import AlertShown, NotificationShown, StackBoard
from exporter.server.live_page.viewers import BEHIND_MAX, VIEWERS_MAX, Viewer, Viewers
from tests.exporter.server.live_page.watched import (
    CHART,
    HOSTILE,
    STREAM,
    build,
    next_moment,
    start,
)
from tests.fakes import MockClock


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """Let a second pass in a twentieth of one."""
    monkeypatch.setattr(module, "EVERY_S", 0.05)


@pytest.fixture
async def served():
    """Return a served world with its client."""
    world, exposition, client = await start()
    yield world, exposition, client
    await client.close()


async def validator(client, name):
    """Return a validator of a component of the server's own document."""
    document = await (await client.get("/openapi.json")).json()
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return Draft202012Validator(schema)


async def test_the_page_counts_from_the_instant_from_which_the_console_counts():
    """When the run began: not from when the world did, nor from when the page was made."""
    clock = MockClock()
    _, exposition, _ = build(clock=clock)
    clock.now_s += 5.0
    while exposition.pace().drift_s > 0.001:
        exposition.pacer.step()
    recent = json.loads(await LiveFeed(exposition).newcomer())
    assert recent["now"]["at_s"] == pytest.approx(5.0)
    assert recent["chart"]["end_s"] == pytest.approx(exposition.pace().elapsed_s) == 5.0
    assert recent["chart"]["starts_unix_s"] == pytest.approx(time.time() - 5.0, abs=1.0)
    facts = dict(recent["now"]["facts"])
    assert (facts["Running for"], facts["Virtual time"]) == ("0:00:05", "0:00:06")


async def test_moments_come_one_after_the_other_as_documented(served):
    """The first at once, then each with the next number and a value for every series."""
    _, _, client = served
    check = await validator(client, "Moment")
    async with client.get(STREAM) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        numbers = []
        for _ in range(4):
            number, moment = await next_moment(answer)
            check.validate(moment)
            assert moment["reading"] == number
            numbers.append(number)
    assert numbers[1:] == list(range(numbers[1], numbers[1] + 3))
    assert len(moment["rows"]["queues"]) == 4


async def test_a_newcomer_is_shown_the_last_minutes_as_documented(served):
    """Rows whose series have a value for each time; an undocumented key would be noticed."""
    _, _, client = served
    check = await validator(client, "Recent")
    await asyncio.sleep(0.3)
    answer = await client.get(CHART)
    assert answer.headers["Content-Encoding"] in {"gzip", "deflate"}
    recent = await answer.json()
    check.validate(recent)
    (load,) = (row for row in recent["chart"]["rows"] if row["id"] == "load")
    assert len(load["times_s"]) == len(load["series"][0]["values"]) == recent["reading"] >= 3
    assert load["series"][0]["values"][-1] == 400
    with pytest.raises(ValidationError):
        check.validate({**recent, "colour": 1})
    recent["chart"]["rows"][0]["colour"] = 1
    with pytest.raises(ValidationError):
        check.validate(recent)


async def test_who_comes_later_is_shown_what_came_since(served):
    """Newcomers between the same two readings share one document, later ones do not."""
    _, _, client = served
    first = (await (await client.get(CHART)).json())["reading"]
    await asyncio.sleep(0.2)
    assert (await (await client.get(CHART)).json())["reading"] > first


async def test_all_viewers_get_the_same_bytes_made_once(served, monkeypatch):
    """Ten who look on cost what one costs: a moment is written once for all of them."""
    _, _, client = served
    written = []
    write = LiveFeed._write

    def count(self, reading):
        written.append(reading)
        return write(self, reading)

    answers = [await client.get(STREAM) for _ in range(10)]
    firsts = [await next_moment(answer) for answer in answers]
    monkeypatch.setattr(LiveFeed, "_write", count)
    last = max(number for number, _ in firsts)
    moments = []
    for answer in answers:
        number = 0
        while number < last + 3:
            number, moment = await next_moment(answer)
        moments.append(moment)
        answer.close()
    assert all(moment == moments[0] for moment in moments)
    readings = [reading.number for reading in written if reading is not None]
    assert len(readings) == len(set(readings))


async def test_without_a_viewer_nothing_is_written(served, monkeypatch):
    """Readings are taken all the same, for whoever comes."""
    _, _, client = served
    monkeypatch.setattr(LiveFeed, "_write", None)
    before = int((await client.get("/-/healthy")).status)
    await asyncio.sleep(0.3)
    monkeypatch.undo()
    assert before == 200
    assert (await (await client.get(CHART)).json())["reading"] >= 3


async def test_only_so_many_may_look_on(served):
    """The next is told so, and one that goes makes room."""
    _, _, client = served
    answers = [await client.get(STREAM) for _ in range(VIEWERS_MAX)]
    refused = await client.get(STREAM)
    assert refused.status == 503
    assert "at most 32 can look on" in (await refused.json())["error"]
    answers.pop().close()
    await asyncio.sleep(0.3)
    again = await client.get(STREAM)
    assert again.status == 200
    for answer in (*answers, again):
        answer.close()


async def test_a_stream_ends_with_its_server(served):
    """At once: nothing waits for those who look on."""
    _, _, client = served
    answer = await client.get(STREAM)
    await next_moment(answer)
    started_s = asyncio.get_running_loop().time()
    await client.server.close()
    assert asyncio.get_running_loop().time() - started_s < 10.0  # it would wait for a minute
    async with asyncio.timeout(5):
        await answer.content.read()


async def test_a_stream_has_a_bounded_life(monkeypatch):
    """It ends cleanly, so that a browser opens the next and who sleeps does not stay."""
    monkeypatch.setattr(module, "Viewers", lambda: Viewers(life_s=0.2))
    _, _, client = await start()
    answer = await client.get(STREAM)
    async with asyncio.timeout(5):
        assert (await answer.content.read()).startswith(b"retry: 2000\n\nid: ")
    await client.close()


async def test_events_wait_in_order_and_no_more_of_them_than_may():
    """One too many is refused; the end comes after what waits."""
    viewer = Viewer(None)
    for number in range(BEHIND_MAX):
        assert viewer.push(b"%d" % number)
    assert not viewer.push(b"one too many")
    viewer.end()
    assert [await viewer.next_event() for _ in range(BEHIND_MAX + 1)] == [
        b"0", b"1", b"2", b"3", b"4", b""
    ]  # fmt: skip


async def test_a_viewer_that_sleeps_is_dropped_and_the_others_go_on(monkeypatch):
    """It does not read: its events pile up, first in the kernel, then here, then it is cut."""
    large = json.dumps("x" * 200_000)
    monkeypatch.setattr(LiveFeed, "_write", lambda *_: large)
    _, _, app = build()
    runner = build_runner(app, shutdown_s=0.2)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    # Longer than the test: the stream itself has to notice.
    site = GuardedSite(runner, listener, ConnectionLimits(unsent_s=60.0))
    await site.start()
    try:
        sleeper = socket.create_connection(listener.getsockname())
        sleeper.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        async with asyncio.timeout(20):
            while len(site.guard.connections) == 2 or not site.guard.connections:
                assert await reader.read(1 << 20)
        assert await reader.read(1 << 20)
        (left,) = site.guard.connections
        assert left.busy
        writer.close()
        sleeper.close()
    finally:
        await runner.cleanup()


async def test_a_foreign_page_or_name_reads_neither(served):
    """As the fault API: Host and Origin are checked before anything is read."""
    _, _, client = served
    for path in (STREAM, CHART):
        for header in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            answer = await client.get(path, headers=header)
            assert answer.status == 403, (path, header)
    assert (await client.head(STREAM)).status == 405


async def test_each_label_set_shows_its_own_notifications():
    """Two tiers fire, one of them was notified."""
    board = StackBoard({})
    _, _, client = await start(board=board, token="a-long-enough-token")  # noqa: S106 - opens nothing
    starts_s = (await (await client.get(CHART)).json())["chart"]["starts_unix_s"]
    micro, lead = (("tier", "micro"),), (("tier", "lead"),)
    alerts = [
        AlertShown(
            alert="Slow", labels=each, severity="page", pending_s=starts_s, firing_s=starts_s
        )
        for each in (micro, lead)
    ]
    notified = NotificationShown(
        receiver="pager", alert="Slow", labels=lead, status="firing", at_s=starts_s + 1
    )
    board.show(alerts, [notified], (), starts_s + 2)
    async with client.get(STREAM) as answer:
        _, moment = await next_moment(answer)
    lanes = {lane["labels"]["tier"]: len(lane["notifications"]) for lane in moment["lanes"]}
    assert lanes == {"micro": 0, "lead": 1}
    assert (await (await client.get(CHART)).json())["token_needed"] is True
    await client.close()


async def test_the_stack_is_on_the_same_axis_whatever_it_says():
    """Its alerts and notifications, in seconds since the chart's start; markup stays text."""
    board = StackBoard(
        rules={"Calm": "x < 1 for 5m"}, links=(("Prometheus", "http://127.0.0.1:1/"),), factor=10
    )
    _, _, client = await start(board=board, scenario=HOSTILE)
    starts_s = (await (await client.get(CHART)).json())["chart"]["starts_unix_s"]
    labels = (("host", HOSTILE),)
    board.show(
        [AlertShown(alert="Loud", labels=labels, severity="page",
                    pending_s=starts_s + 2, firing_s=starts_s + 5)],
        [NotificationShown(receiver=HOSTILE, alert="Loud", labels=labels, status="firing",
                           at_s=starts_s + 6)],
        ("your Prometheus does not answer",),
        starts_s + 7,
    )  # fmt: skip
    check = await validator(client, "Moment")
    async with client.get(STREAM) as answer:
        _, moment = await next_moment(answer)
    check.validate(moment)
    calm, loud = moment["lanes"]
    assert (calm["alert"], calm["episodes"]) == ("Calm", [])
    (episode,) = loud["episodes"]
    assert (episode["pending_s"], episode["firing_s"]) == pytest.approx((2, 5), abs=2e-3)
    assert loud["labels"] == {"host": HOSTILE}
    (notified,) = loud["notifications"]
    assert (notified["receiver"], notified["status"]) == (HOSTILE, "firing")
    assert notified["at_s"] == pytest.approx(6, abs=2e-3)
    assert moment["unreachable"] == ["your Prometheus does not answer"]
    assert moment["severities"]["Loud"] == "page"
    recent = await (await client.get(CHART)).json()
    assert (recent["links"], recent["compressed"]) == (dict(board.links), 10)
    assert recent["token_needed"] is False
    assert HOSTILE not in await (await client.get("/")).text()
    await client.close()


async def test_a_feed_that_ends_ends_its_streams():
    """Nobody is left to wait for events that no one sends."""
    _, exposition, _ = build()
    feed = LiveFeed(exposition)
    running = asyncio.create_task(feed.run())
    await asyncio.sleep(0)
    with feed.viewers._seat(SimpleNamespace(transport=None)) as viewer:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert await viewer.next_event() == b""


async def test_a_stream_is_neither_kept_nor_gathered_on_its_way(served):
    """By no cache and no proxy."""
    _, _, client = served
    answer = await client.get(STREAM)
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    answer.close()
    assert (await client.get(CHART)).headers["Cache-Control"] == "no-store"


async def test_a_newcomer_is_told_what_the_rules_are_and_how_fast_time_goes():
    """With a token, that it is needed; without a stack there is neither."""
    board = StackBoard({"Slow": "latency > 1"}, [("Prometheus", "http://a:9090")], factor=10.0)
    _, exposition, _ = build()
    shown = json.loads(await LiveFeed(exposition, board, token_needed=True).newcomer())
    assert (shown["conditions"], shown["compressed"]) == ({"Slow": "latency > 1"}, 10.0)
    assert (shown["links"], shown["token_needed"]) == ({"Prometheus": "http://a:9090"}, True)
    alone = json.loads(await LiveFeed(exposition).newcomer())
    assert (alone["conditions"], alone["compressed"], alone["links"]) == ({}, 1, {})
    assert alone["token_needed"] is False
