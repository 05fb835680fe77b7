"""`agentaskit-sim fault` against a served world: its tables, its JSON, and every mistake."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from exporter.server.app import bind, build_app, describe_url
from exporter.server.exposition import Exposition
from exporter.server.fault_api.control import FaultControl
from exporter.server.fault_api.handlers import build_fault_api
from exporter.server.landing import API
from scenarios.injection_form import FaultForm
from simulator.cells.system import build_system
from simulator.load import Load
from simulator.plan import Plan
from tests.agentaskit_sim.served import running
from tests.fakes import MockClock
from tests.simulator.worlds import small

TOKEN = "correct-horse"  # noqa: S105 - opens nothing


@pytest.fixture
def world(request):
    """Return a small world after one second, or so many cells of it."""
    topology = replace(small(), cells=getattr(request, "param", 1))
    world = build_system(topology, Plan(load=Load(rate=400.0)), 7)
    world.advance(1.0)
    return world


@pytest.fixture
def serve(world):
    """Return a context manager that serves the world, its clock stopped, and gives the URL."""

    @contextmanager
    def start(token=None):
        exposition = Exposition(world, MockClock(), version="1", scenario="calm")
        app = build_app(exposition)
        control = FaultControl(world, exposition)
        app.add_subapp(API, build_fault_api(control, FaultForm(world.topology), token))
        with bind("127.0.0.1", 0) as listener, running(app, listener):
            yield describe_url(listener)

    return start


def cells(text, row):
    """Return the cells of the row of a table that begins with `row`."""
    (line,) = (line for line in text.splitlines() if line.split()[:1] == [row])
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_fault_is_injected_listed_changed_and_ended(command, serve, world):
    """From its injection to its end, as the terminal shows it."""
    with serve() as url:
        at = ("--url", url)
        done = command("fault", "inject", "traffic_drop", "share=0.5", "--name", "gone", *at)
        assert done.status == 0
        assert cells(done.out, "gone") == [
            "gone", "traffic_drop", "all", "0.5", "0 arrivals per second", "0", "5m",
        ]  # fmt: skip
        assert world.snapshot().arrival_rate == 200.0
        assert cells(command("fault", "list", *at).out, "gone")[-1] == "5m"
        done = command("fault", "change", "gone", "share=0.25", "--duration", "30m", *at)
        assert cells(done.out, "gone")[3:] == ["0.25", "0 arrivals per second", "0", "30m"]
        assert command("fault", "end", "gone", *at).status == 0
        assert command("fault", "list", *at).out == "no fault is in effect\n"
    assert world.snapshot().arrival_rate == 400.0


def test_the_expected_effect_stands_beside_the_measured_effect(command, serve, world):
    """Half of 400 tasks a second are gone: about 200 are left, and 200 are expected."""
    with serve() as url:
        command("fault", "inject", "traffic_drop", "share=0.5", "--url", url)
        world.advance(world.now_s + 20.0)
        measured, expected = cells(command("fault", "list", "--url", url).out, "traffic-drop")[4:6]
        assert 180 < float(measured.removesuffix(" arrivals per second")) < 220
        assert expected == "200"


def test_large_figures_are_written_in_full_and_small_figures_with_four_digits(command, serve):
    """No powers of ten in a table for people; a ramp shows how far it is."""
    with serve() as url:
        burst = ("cardinality_burst", "series=10000", "--url", url)
        assert cells(command("fault", "inject", *burst).out, "cardinality-burst")[3] == "10,000"
        ramp = ("traffic_drop", "share=0.4", "--ramp", "1m", "--url", url)
        row = cells(command("fault", "inject", *ramp).out, "traffic-drop")
        assert row[3] == "0.003333 of 0.4"


def test_every_option_of_an_injection_reaches_the_world(command, serve):
    """Targets, ramp, duration; numbers as numbers and durations as text."""
    with serve() as url:
        done = command(
            "fault", "inject", "crash_loop", "alive=2s", "--name", "loop", "--duration", "10m",
            "--ramp", "1m", "--tiers", "worker, lead", "--hosts", "0,1", "--fraction", "0.5",
            "--json", "--url", url,
        )  # fmt: skip
        injected = json.loads(done.out)
        assert injected["parameters"] == {"alive": "2s"}
        assert injected["targets"] == {
            "tiers": ["worker", "lead"], "hosts": [0, 1], "fraction": 0.5,
        }  # fmt: skip
        assert (injected["duration"], injected["ramp"]) == ("10m", "1m")
        leak = ("inject", "sandbox_leak", "share=1", "--sandboxes", "A,B", "--json", "--url", url)
        assert json.loads(command("fault", *leak).out)["targets"] == {"sandboxes": ["A", "B"]}
        listed = json.loads(command("fault", "list", "--json", "--url", url).out)
        assert [fault["name"] for fault in listed["faults"]] == ["loop", "sandbox-leak"]
        table = command("fault", "list", "--url", url).out
        assert cells(table, "sandbox-leak")[2] == "sandboxes A, B"
        ended = json.loads(command("fault", "end", "--all", "--json", "--url", url).out)
        assert ended == listed


@pytest.mark.parametrize("world", [3], indirect=True)
def test_cells_are_targets_where_there_are_several(command, serve, world):
    """As they are listed: one by itself, several with a comma; none means no list at all."""
    with serve() as url:
        at = ("--url", url)
        done = command("fault", "inject", "cell_brownout", "factor=3", "--cells", "1", *at)
        assert cells(done.out, "cell-brownout")[2:4] == ["cell 1", "3"]
        command("fault", "inject", "cell_down", "--cells", "0, 2", *at)
        assert cells(command("fault", "list", *at).out, "cell-down")[2] == "cells 0, 2"
        assert cells(command("fault", "catalogue", *at).out, "cell_down")[-1] == "cells"
        done = command("fault", "inject", "cell_down", "--name", "x", "--cells", "3", *at)
        assert (done.status, "cells must be 0 to 2, got 3" in done.err) == (2, True)
    assert [fault.targets.cells for fault in world.plan.faults] == [(1,), (0, 2)]


def test_the_catalogue_lists_every_kind_and_the_parameters_of_each(command, serve):
    """As a table, in full for a single kind, and as JSON Schema."""
    with serve() as url:
        table = command("fault", "catalogue", "--url", url).out
        assert cells(table, "traffic_drop")[2:] == ["share", "-"]
        assert cells(table, "agent_hang")[-1] == "tiers, hosts, fraction"
        crash_loop = ("fault", "catalogue", "crash_loop", "--url", url)
        assert "alive: duration (Default: 200ms.)" in command(*crash_loop).out
        document = json.loads(command(*crash_loop, "--json").out)
        assert document["parameters"]["additionalProperties"] is False


@pytest.mark.parametrize("world", [3], indirect=True)
def test_the_catalogue_needs_no_world(command, serve):
    """It lists what a system may target, as one of several cells does, which is asked if named."""
    assert cells(command("fault", "catalogue").out, "cell_down")[-1] == "cells"
    with serve() as url:
        for words in ([], ["crash_loop", "--json"], ["agent_hang"]):
            alone, asked = (
                command("fault", "catalogue", *words, *at) for at in ([], ["--url", url])
            )
            assert (alone.status, alone.out) == (0, asked.out)
    assert command("fault", "catalogue", "--url", url).status == 3
    assert "did you mean 'agent_hang'?" in command("fault", "catalogue", "agent_hung").err


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("inject", "trafic_drop"), "did you mean 'traffic_drop'?"),
        (
            ("inject", "nosuch"),
            "no fault is called 'nosuch': `agentaskit-sim fault catalogue` lists them",
        ),
        (("inject", "traffic_drop"), "the key 'share' is missing in parameters"),
        (("inject", "traffic_drop", "share"), "a parameter must be KEY=VALUE, got 'share'"),
        (("inject", "traffic_drop", "share=1", "share=1"), "parameter 'share' is given twice"),
        (("inject", "traffic_drop", "share=many"), "parameters.share must be a number, got 'many'"),
        (("inject", "traffic_drop", "share=nan"), "this is not JSON"),
        (("inject", "agent_hang", "--tiers", "wroker"), "did you mean 'worker'?"),
        (("inject", "agent_hang", "--hosts", "a"), "targets.hosts[0] must be a whole number"),
        (("inject", "agent_hang", "--duration", "2h"), "at most 1h, got 2h"),
        (("change", "held"), "a change needs parameters, duration or both, got neither"),
        (("change", "hedl", "--duration", "1m"), "did you mean 'held'?"),
        (("end", "hedl"), "no fault called 'hedl' is in effect, did you mean 'held'?"),
        (("end", "../faults"), "a fault's name must be lower-case words"),
        (("end",), "give fault names or --all"),
        (
            ("end", "held", "--all"),
            "give fault names or --all, not both",
        ),
        (
            ("catalogue", "agent_hung"),
            "no fault is called 'agent_hung', did you mean 'agent_hang'?",
        ),
    ],
)
def test_a_mistake_is_one_line_with_status_2_and_changes_nothing(
    command, serve, world, arguments, message
):
    """Most are found by the world, whose own sentence is printed."""
    with serve() as url:
        command("fault", "inject", "agent_hang", "--name", "held", "--url", url)
        before = world.fingerprint(), world.plan
        done = command("fault", *arguments, "--url", url)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert (world.fingerprint(), world.plan) == before


def test_the_token_comes_from_a_file_or_the_environment(command, serve, monkeypatch, tmp_path):
    """Without it the world refuses, and the error names both."""
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "empty").write_text("\n")
    with serve(TOKEN) as url:
        hang = ("fault", "inject", "agent_hang", "--url", url)
        done = command(*hang)
        assert (done.status, "--token-file or AGENTASKIT_SIM_TOKEN" in done.err) == (2, True)
        assert command(*hang, "--token-file", "token").status == 0
        monkeypatch.setenv("AGENTASKIT_SIM_TOKEN", TOKEN)
        assert command("fault", "end", "--all", "--url", url).status == 0
        for name, complaint in (("empty", "1 to 4096 printable"), ("none", "no such file")):
            done = command(*hang, "--token-file", name)
            assert done.status == 2
            assert complaint in done.err


def test_serve_refuses_an_empty_token_file_before_anything_is_prepared(command, tmp_path):
    """An empty secret would be no secret."""
    (tmp_path / "empty").write_text(" \n")
    done = command("serve", "--port", "0", "--token-file", "empty")
    assert done.status == 2
    assert "the token in empty must be" in done.err
    assert "Preparing" not in done.out
