"""`send`: what it prints, its exit status, and how it refuses."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import deque
from functools import partial

import pytest

from exporter.history.samples import EPOCH_S
from tests.agentaskit_sim.leaks import SECRETS
from tests.schemas.validation import validate
from tests.verifier.stores.pieces import piece
from tests.verifier.stores.scripted_store import ScriptedStore
from verifier.cluster.cells.running import CellsLostError
from verifier.cluster.connection import SchedulerLostError
from verifier.stores import connection
from verifier.stores.receipt import SCHEMA
from verifier.stores.sender import SendingSetup

SECRET = SECRETS["password"]


@pytest.fixture
def sent(command, monkeypatch):
    """Return a function that sends a few hundred samples in place of what is simulated."""

    def simulate(_, needs, *__, stream, **___):
        assert needs.need("up", 0.0).depth_s == 585.0
        stream._sink(piece(0))
        stream._sink(piece(1))

    monkeypatch.setattr("verifier.stores.scenario_sending.simulate", simulate)
    monkeypatch.setattr(connection, "BACK_OFF_S", 0.005)
    monkeypatch.setattr(
        "agentaskit_sim.commands.send.command.SendingSetup", partial(SendingSetup, readable_s=0.1)
    )
    quick = ("--past", "10m", "--safe-after", "50ms", "--retry-for", "5s", "--at", str(EPOCH_S))

    def send(store, *options, to=None):
        to = to or f"{store.url}/api/v1/write"
        return command("send", "traffic-drop", "--to", to, *quick, *options)

    return send


def test_the_document_is_by_the_published_schema_and_no_secret_shows(sent, tmp_path):
    """A header of the store's file goes with every request, and into no output."""
    with ScriptedStore() as store:
        (tmp_path / "store.yaml").write_text(
            f"url: {store.url}/api/v1/write\nheaders: {{X-Scope-OrgID: {SECRET}}}\n"
        )
        done = sent(store, "--json", to="store.yaml")
    document = json.loads(done.out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert done.status == 0
    assert document["samples"] == store.samples == 3074
    assert (document["from"], document["to"]) == ("2026-01-05T00:00:00Z", "2026-01-05T00:49:45Z")
    assert all(each["X-Scope-OrgID"] == SECRET for each in store.headers)
    assert SECRET not in done.out + done.err


def test_a_second_run_of_the_same_times_is_refused(sent):
    """What the first one stored would be taken for the second's."""
    with ScriptedStore() as store:
        first, second = sent(store), sent(store)
    assert first.status == 0
    assert first.out.splitlines()[-1] == "Found again: every sample, none twice"
    assert second.status == 3
    assert "samples of the same series and times already" in second.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        (["refuse:400"] * 50, 3, "refused a request (400: not now)"),
        (["refuse:401"] * 50, 3, "it asks who you are"),
        (["break"] * 2, 0, "2 attempts more"),
    ],
)
def test_the_store_decides_the_status(sent, script, status, said):
    """Refused for good: one line. Cut off: tried again."""
    with ScriptedStore(script=deque(script)) as store:
        done = sent(store)
    assert done.status == status
    assert said in (done.err if status else done.out)


def test_ctrl_c_says_what_is_left_behind_and_ends_the_threads(sent, monkeypatch):
    """What was taken stays in the store; nobody goes on writing."""
    before = set(threading.enumerate())
    with ScriptedStore() as store:

        def simulate(*_, stream, **__):
            stream._sink(piece(0))
            while store.samples < 1537:
                time.sleep(0.005)
            time.sleep(0.1)
            raise KeyboardInterrupt

        monkeypatch.setattr("verifier.stores.scenario_sending.simulate", simulate)
        done = sent(store)
        others = {thread for thread in threading.enumerate() if thread.name == "store"}
    assert done.status == 130
    assert "Ended early: 1,537 samples were taken, and stay there; " in done.err
    assert not others - before


def test_what_is_missing_is_status_1(sent, monkeypatch):
    """The last count is what decides, whatever was asked before."""
    monkeypatch.setattr("verifier.stores.confirmation.Confirmation._are_whole", lambda *_: True)
    monkeypatch.setattr("verifier.stores.confirmation.Confirmation._is_whole", lambda *_: True)
    with ScriptedStore(script=deque(["lose"])) as store:
        done = sent(store)
    assert done.status == 1
    assert "NOT FOUND AGAIN: " in done.out.splitlines()[-1]
    assert "100 of 200 samples, from 2026-01-05T00:00:00Z" in done.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--to", "nowhere.yaml"), "nowhere.yaml: no such file"),
        (("--to", "http://a/api/v1/receive"), "--to does not say where the store is asked"),
        (("--to", f"http://me:{SECRET}@a/api/v1/write"), "--to must be an HTTP URL without"),
        (("--to", "http://a/api/v1/write", "--header", f"Host={SECRET}"), "--header must be a"),
        (("--to", "http://a/api/v1/write", "--past", "1000d"), "--past must be at most 400d"),
        (("--to", "http://a/api/v1/write", "--past", "1"), "--past must be"),
        (("--to", "http://a/api/v1/write", "--at", "soon"), "--at must be RFC3339"),
        (("--to", "http://a/api/v1/write", "--cluster", "here"), "--cluster must be the address"),
        (
            ("--to", "http://a/api/v1/write", "--cluster", "tcp://a:1"),
            "traffic-drop has one: leave",
        ),
    ],
)
def test_bad_input_is_one_line(command, options, message):
    """Status 2, before anything is simulated, and no secret is repeated."""
    done = command("send", "traffic-drop", *options)
    assert done.status == 2
    assert message in done.err
    assert len(done.err.splitlines()) == 1
    assert SECRET not in done.err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            CellsLostError("tcp://b:2"),
            "worker tcp://b:2 was lost, and the cells that it simulated with it; ",
        ),
        (SchedulerLostError("tcp://a:1"), "the scheduler at tcp://a:1 is gone, or the connection"),
    ],
    ids=["worker", "scheduler"],
)
def test_what_is_left_behind_when_cells_are_lost_is_said(command, monkeypatch, error, sentence):
    """Begun anew it would be a second run of the same times, which the store's side refuses."""

    @contextlib.contextmanager
    def worlds(address, cells):
        assert (address, cells) == ("tcp://a:1", 4)
        yield None

    def lost(*_, stream, **__):
        stream._sink(piece(0))
        raise error

    monkeypatch.setattr("verifier.cluster.cells.running.worlds_on_cluster", worlds)
    monkeypatch.setattr("verifier.stores.scenario_sending.simulate", lost)
    with ScriptedStore() as store:
        to = f"{store.url}/api/v1/write"
        done = command("send", "cell-failover", "--to", to, "--cluster", "tcp://a:1")
    assert done.status == 3
    said = done.err.splitlines()[-1]
    assert said.startswith(sentence)
    assert said.endswith("send it all again with another --at")
