"""Faults of the fault API are read with the keys, units and mistakes of scenario files."""

from __future__ import annotations

import json

import pytest

from documents.mistakes import InputError
from scenarios.injection_form import FaultForm
from simulator.faults.kinds.agents import CrashLoop
from simulator.faults.kinds.catalogue import FAULTS
from simulator.faults.targets import Targets
from simulator.topology import Topology


@pytest.fixture
def form():
    """Return the form of the built-in system."""
    return FaultForm(Topology())


def injection(**changes):
    """Return the body of an injection."""
    document = {"fault": "crash_loop", "duration": "5m", "targets": {"fraction": 0.5}, **changes}
    return json.dumps(document).encode()


def test_an_injection_is_a_fault_that_starts_now(form):
    """It is called by its kind, unless it has a name."""
    fault = form.read_injection(injection(), 7.0)
    assert (fault.name, fault.start_s, fault.duration_s) == ("crash-loop", 7.0, 300.0)
    assert form.read_injection(injection(name="mine"), 7.0).name == "mine"


def test_what_is_written_can_be_sent_again(form):
    """The API shows faults in the form in which it takes them."""
    fault = form.read_injection(injection(parameters={"alive": "1m30s"}, ramp="10s"), 0.0)
    assert form.read_injection(json.dumps(form.write(fault)).encode(), 0.0) == fault


def test_what_a_change_leaves_out_stays_to_the_last_digit(form):
    """Though a duration as it is written has been rounded."""
    body = {"fault": "dependency_outage", "parameters": {"share": 0.5, "latency": "1234.5678ms"}}
    fault = form.read_injection(json.dumps(body).encode(), 0.0)
    changed = form.read_change(b'{"parameters": {"share": 0.25}}', fault, 60.0)
    assert changed.parameters.latency_s == fault.parameters.latency_s == 1.2345678
    assert changed.parameters.share == 0.25
    assert changed.duration_s == fault.duration_s


def test_every_parameter_can_be_changed(form):
    """A key is changed under the name by which it is sent, not by which the code calls it."""
    body = {"fault": "dependency_outage", "parameters": {"share": 0.5, "latency": "1s"}}
    fault = form.read_injection(json.dumps(body).encode(), 0.0)
    changed = form.read_change(b'{"parameters": {"latency": "3s"}}', fault, 60.0)
    assert (changed.parameters.latency_s, changed.parameters.share) == (3.0, 0.5)


def test_a_change_must_fit_the_system_as_an_injection_must(form):
    """No more agents can be asked for than the fleet has, by either."""
    body = {"fault": "capacity_demand", "parameters": {"agents": 900}}
    fault = form.read_injection(json.dumps(body).encode(), 0.0)
    for ask in (
        lambda: form.read_injection(
            b'{"fault": "capacity_demand", "parameters": {"agents": 929}}', 0.0
        ),
        lambda: form.read_change(b'{"parameters": {"agents": 929}}', fault, 60.0),
    ):
        with pytest.raises(InputError, match=r"agents must be .* 928"):
            ask()
    assert (
        form.read_change(b'{"parameters": {"agents": 928}}', fault, 60.0).parameters.agents == 928
    )


def test_a_new_duration_counts_from_now(form):
    """A minute more, a minute after the start, is two minutes in all."""
    fault = form.read_injection(injection(), 100.0)
    changed = form.read_change(b'{"duration": "1m"}', fault, 160.0)
    assert (changed.duration_s, changed.parameters) == (120.0, CrashLoop())


def test_a_change_of_nothing_is_refused_and_one_of_no_parameter_changes_nothing(form):
    """A key that is there says that somebody meant it."""
    fault = form.read_injection(injection(parameters={"alive": "3s"}, ramp="2s"), 100.0)
    assert form.read_change(b'{"parameters": {}}', fault, 160.0) == fault
    with pytest.raises(InputError) as caught:
        form.read_change(b"{}", fault, 160.0)
    assert str(caught.value) == "a change needs parameters, duration or both, got neither"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("My fault", "lower-case words joined by '-'"),
        ("-", "lower-case words joined by '-'"),
        ("a" * 61, "at most 60 characters long"),
    ],
)
def test_a_name_that_is_sent_is_written_as_in_a_file(form, name, rule):
    """Lower-case words of at most sixty letters together."""
    with pytest.raises(InputError) as caught:
        form.read_injection(injection(name=name), 0.0)
    assert str(caught.value).startswith(f"name must be {rule}, got '{name[:20]}")
    assert form.read_injection(injection(name="a" * 60), 0.0).name == "a" * 60


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"null", "the body must be a JSON object"),
        (b"[]", "the body must be a JSON object"),
        (b"\xff", "the body must be UTF-8 text"),
        (
            b"9" * 5000,
            "body:1:1: a whole number must be one that 64 bits can hold, got a larger one",
        ),
    ],
)
def test_a_body_that_is_no_object_is_refused_whatever_it_is(form, body, sentence):
    """Of an injection and of a change."""
    fault = form.read_injection(injection(), 0.0)
    for read in (form.read_injection, lambda sent, at_s: form.read_change(sent, fault, at_s)):
        with pytest.raises(InputError) as caught:
            read(body, 0.0)
        assert str(caught.value) == sentence


def test_a_duration_is_above_nothing_and_at_most_an_hour(form):
    """An hour itself is allowed, of an injection and of a change."""
    fault = form.read_injection(injection(duration="1h"), 0.0)
    assert form.read_change(b'{"duration": "1h"}', fault, 60.0).duration_s == 3660.0
    for duration in ("0s", "60m1ms"):
        with pytest.raises(InputError, match="duration must be above 0s and at most 1h"):
            form.read_injection(injection(duration=duration), 0.0)
        change = json.dumps({"duration": duration}).encode()
        with pytest.raises(InputError, match="duration must be above 0s and at most 1h"):
            form.read_change(change, fault, 60.0)


def test_mistakes_have_no_places(form):
    """A sender has no need of lines and columns."""
    with pytest.raises(InputError) as caught:
        form.read_injection(injection(ramp="6m", targets={"tiers": ["mirco"]}), 0.0)
    assert str(caught.value).splitlines() == [
        "no tier is called 'mirco', did you mean 'micro'?",
        "fault crash-loop: ramp must be between 0 and its duration, got 6m",
    ]
    assert [mistake.place for mistake in caught.value.mistakes] == [None, None]


def test_the_catalogue_says_what_each_parameter_must_be(form):
    """In the words of a refusal; every parameter of every kind has its own."""
    entries = {entry["fault"]: entry for entry in form.catalogue()["faults"]}
    for fault, entry in entries.items():
        assert entry["bounds"].keys() == entry["parameters"]["properties"].keys(), fault
    assert entries["sandbox_leak"]["bounds"] == {"share": "above 0 and at most 1"}
    assert entries["dependency_outage"]["bounds"]["latency"] == "0s to 1h"
    for share in (0, 1.5):
        body = {"fault": "sandbox_leak", "parameters": {"share": share}}
        with pytest.raises(InputError, match="share must be above 0 and at most 1"):
            form.read_injection(json.dumps(body).encode(), 0.0)


def test_what_an_injection_leaves_out(form):
    """Five minutes, at full strength at once, of all that there is."""
    fault = form.read_injection(b'{"fault": "agent_hang"}', 3.0)
    assert (fault.name, fault.start_s, fault.duration_s) == ("agent-hang", 3.0, 300.0)
    assert (fault.ramp_s, fault.targets) == (0.0, Targets())


def test_the_catalogue_says_what_a_kind_does_to_whom_and_in_what_it_is_measured(form):
    """As the kind itself has it."""
    for entry in form.catalogue()["faults"]:
        facts = FAULTS[entry["fault"]].facts
        assert (entry["aims_at"], entry["effect_unit"]) == (facts.aims_at, facts.effect_unit)


def test_the_catalogue_has_the_two_forms_of_what_may_be_sent_and_the_parts_of_the_system(form):
    """An injection has a kind, a change has none; targets are those of this system or of any."""
    catalogue = form.catalogue()
    assert "fault" in catalogue["injection"]["properties"]
    assert catalogue["change"]["properties"].keys() == {"parameters", "duration"}
    system, topology = catalogue["system"], Topology()
    assert (system["cells"], system["hosts"]) == (1, topology.hosts)
    assert system["tiers"] == [tier.name for tier in topology.tiers]
    assert system["sandboxes"] == ["A", "B", "C"]
    for any_system in (False, True):
        entries = form.catalogue(any_system=any_system)["faults"]
        assert any("cells" in entry["targets"] for entry in entries) is any_system


def test_an_injection_is_written_with_its_own_targets_and_times(form):
    """Only what differs from all; times as durations."""
    body = injection(ramp="10s", duration="2m", targets={"hosts": [0], "fraction": 0.5})
    written = form.write(form.read_injection(body, 0.0))
    assert written["targets"] == {"hosts": [0], "fraction": 0.5}
    assert (written["ramp"], written["duration"]) == ("10s", "2m")
    assert form.write(form.read_injection(b'{"fault": "agent_hang"}', 0.0)) == {
        "name": "agent-hang",
        "fault": "agent_hang",
        "parameters": {},
        "targets": {},
        "ramp": "0s",
        "duration": "5m",
    }
