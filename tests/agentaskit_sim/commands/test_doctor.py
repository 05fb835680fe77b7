"""`doctor`: its checks of this machine, the advice for what is missing, and its exit status."""

import json
import os
import socket
import sys
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import typer
from typer.testing import CliRunner

from agentaskit_sim.commands import doctor
from tests.simulator.worlds import make
from verifier.servers.prometheus import Prometheus

APP = typer.Typer()
APP.command()(doctor.doctor)
RUNNER = CliRunner()


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Return a function that installs programs which only state a version; there are no others."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AGENTASKIT_SIM_TOOLS", "")
    monkeypatch.setattr("verifier.servers.binaries.PROJECT_TOOLS", tmp_path / "none")

    def install(**versions):
        for name, version in versions.items():
            script = tmp_path / name.replace("_", "-")
            script.write_text(f"#!/bin/sh\necho {name}, version {version} >&2\n")
            script.chmod(0o755)
        return tmp_path

    return install


def check_of(name):
    """Return the check of that name."""
    (check,) = (check for check in doctor.check_machine() if check.name == name)
    return check


def test_with_every_program_installed_verify_can_run(programs):
    """Each program with its version and path, and exit status 0."""
    folder = programs(
        prometheus="2.42.0+ds", promtool="2.42.0", prometheus_alertmanager="0.25.0", amtool="0.25.0"
    )
    result = RUNNER.invoke(APP, [])
    assert result.exit_code == 0
    assert "verify can run" in result.output
    assert check_of("prometheus").result == "2.42.0+ds"
    assert check_of("alertmanager").path == str(folder / "prometheus-alertmanager")


def test_without_prometheus_the_status_is_3_and_the_advice_says_how_to_get_it(programs):
    """The only program that `verify` cannot do without."""
    programs(promtool="2.42.0")
    result = RUNNER.invoke(APP, [])
    assert result.exit_code == doctor.EXIT_UNABLE == 3
    assert "verify cannot run until everything marked missing is installed" in result.output
    assert "apt-get install prometheus" in result.output
    assert "brew install prometheus" in result.output
    assert check_of("prometheus").state == "missing"
    assert check_of("amtool").state == "note"


@pytest.mark.parametrize(
    ("version", "state"),
    [("2.31.2", "missing"), ("2.41.9", "missing"), ("2.42.0", "ok"), ("3.5.0", "ok")],
)
def test_a_prometheus_older_than_2_42_counts_as_missing(programs, version, state):
    """The judge needs its remote write receiver."""
    programs(prometheus=version)
    assert check_of("prometheus").state == state


@pytest.mark.parametrize(("version", "state"), [("0.24.0", "note"), ("0.25.0", "ok")])
def test_an_alertmanager_older_than_0_25_gets_a_note(programs, version, state):
    """Runs in real time have it save its notification log every second, which came with 0.25."""
    programs(prometheus_alertmanager=version)
    assert check_of("alertmanager").state == state


@pytest.mark.parametrize(
    ("stated", "state", "result"),
    [
        (None, "note", "not found (only verify --engine victoria-metrics needs it)"),
        ("echo", "ok", "states no version, as Debian's builds do not"),
        ("echo victoria-metrics-20260101-tags-v1.145.0-0-gabc", "ok", "1.145.0"),
        ("no such word |", "note", "does not run"),
    ],
)
def test_victoria_metrics_is_known_and_not_needed(programs, stated, state, result):
    """With its version where a build states one; without it `verify` runs all the same."""
    folder = programs(prometheus="2.42.0")
    if stated:
        script = folder / "victoria-metrics"
        script.write_text(f"#!/bin/sh\n{stated}\n" if "|" not in stated else stated)
        script.chmod(0o755)
    check = check_of("victoria-metrics")
    assert (check.state, check.result) == (state, result)
    assert (check.advice is None) == (state == "ok")
    assert RUNNER.invoke(APP, []).exit_code == 0


def test_a_program_that_does_not_run_is_distinguished_from_a_missing_program(programs):
    """A broken file on PATH is the harder mistake to see."""
    broken = programs() / "prometheus"
    broken.write_text("not a program")
    broken.chmod(0o755)
    check = check_of("prometheus")
    assert (check.state, check.result) == ("missing", "does not run")
    assert str(broken) in check.advice


def test_json_is_one_document_and_nothing_else(programs):
    """A script reads `ready` and each finding."""
    programs(prometheus="2.53.3")
    result = RUNNER.invoke(APP, ["--json"])
    document = json.loads(result.output)
    assert document["ready"] is True
    assert [*document] == ["ready", "version", "findings"]
    assert [*document["findings"][0]] == ["name", "state", "found", "path", "advice"]
    names = [finding["name"] for finding in document["findings"]]
    assert names[:3] == ["python", "kernel", "prometheus"]
    assert {"pack", "library", "port 9464", "port 9090", "port 9093"} <= set(names)


def test_a_port_in_use_gets_a_note_and_does_not_keep_verify_from_running(programs, monkeypatch):
    """`verify` takes free ports of its own."""
    programs(prometheus="2.42.0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        usual = doctor.UsualPort("world", "/x", b"x", "use it", "this test")
        monkeypatch.setattr(doctor, "PORTS", {port: usual})
        check = check_of(f"port {port}")
        assert (check.state, check.result) == ("note", "not free (address already in use)")
        assert "this test" in check.advice
        assert RUNNER.invoke(APP, []).exit_code == 0
    assert doctor.check_port(port, usual).state == "ok"


def test_the_check_of_the_kernel_shows_its_cache_and_that_it_is_compiled():
    """With the compiler switched off there is no cache, which the check reports."""
    make().advance(0.1)
    check = doctor.check_kernel()
    if os.environ.get("NUMBA_DISABLE_JIT", "0") == "0":
        assert check.state == "ok"
        assert check.path is not None
        assert check.result.endswith(", compiled already")
    else:
        assert "NUMBA_DISABLE_JIT" in check.advice
    assert check.result.startswith("numba ")


def test_a_folder_that_cannot_be_written_to_is_detected(tmp_path):
    """Also when only its parent exists: numba makes the folder itself."""
    assert doctor.can_write(tmp_path)
    assert doctor.can_write(tmp_path / "not" / "yet")
    (tmp_path / "file").write_text("")
    assert not doctor.can_write(tmp_path / "file")


def test_missing_data_is_a_damaged_installation(tmp_path):
    """An empty folder in place of the pack keeps `verify` from running."""
    assert doctor.check_data("pack", tmp_path).state == "missing"
    (tmp_path / "slo.yaml").write_text("groups: []")
    assert doctor.check_data("pack", tmp_path).state == "ok"


def test_an_unsupported_python_gets_advice(monkeypatch):
    """Someone may have installed past the version check."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    assert doctor.check_python().advice == "use Python 3.11 to 3.14"


def test_a_server_of_the_user_on_its_usual_port_is_no_fault():
    """It is named, with what it is good for; a program is known by its answer."""
    with Prometheus() as prometheus:
        url, port = prometheus.url, urlsplit(prometheus.url).port
        path = urlsplit(url).path
        usual = replace(doctor.PORTS[9090], path=f"{path}/-/healthy")
        check = doctor.check_port(port, usual)
        assert (check.state, check.result) == ("ok", "a Prometheus of yours")
        assert "up --prometheus" in check.advice
        other = doctor.check_port(port, replace(usual, answer=b"Alertmanager"))
        assert (other.state, other.advice) == ("note", usual.otherwise)


def test_a_folder_of_tools_that_leads_nowhere_gets_a_note(programs, monkeypatch, tmp_path):
    """What is found on PATH is used in its place, which is easily missed."""
    programs(prometheus="3.9.1")
    assert doctor.check_tools_folder() == []
    monkeypatch.setenv("AGENTASKIT_SIM_TOOLS", str(tmp_path / "nowhere"))
    (check,) = doctor.check_tools_folder()
    assert (check.state, check.result) == ("note", "there is no such folder")
    (tmp_path / "nowhere").mkdir()
    assert doctor.check_tools_folder()[0].result == "no program in it"
    monkeypatch.setenv("AGENTASKIT_SIM_TOOLS", str(tmp_path))
    assert doctor.check_tools_folder() == []
    assert check_of("prometheus").advice is None


def test_an_old_program_that_the_user_chose_is_not_to_be_installed_over(programs, monkeypatch):
    """The advice is about the choice."""
    folder = programs(prometheus="2.31.0")
    monkeypatch.setenv("AGENTASKIT_SIM_TOOLS", str(folder))
    advice = check_of("prometheus").advice
    assert advice == "let AGENTASKIT_SIM_TOOLS name a folder with a newer one, or unset it"
