"""`doctor`: what it finds, what it says of what it does not find, and its exit status."""

import json
import os
import socket
import sys

import pytest
import typer
from typer.testing import CliRunner

from agentaskit_sim.commands import doctor

APP = typer.Typer()
APP.command()(doctor.doctor)
RUNNER = CliRunner()


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Make programs that state a version, and nothing else, be what is found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("AGENTASKIT_SIM_TOOLS", "")
    monkeypatch.setattr("verifier.servers.binaries.PROJECT_TOOLS", tmp_path / "none")

    def make(**versions):
        for name, version in versions.items():
            script = tmp_path / name.replace("_", "-")
            script.write_text(f"#!/bin/sh\necho {name}, version {version} >&2\n")
            script.chmod(0o755)
        return tmp_path

    return make


def found(name):
    """Return the one finding of that name."""
    (finding,) = (one for one in doctor.examine() if one.name == name)
    return finding


def test_with_everything_there_verify_can_run(programs):
    """Each program with its version and path, and exit status 0."""
    folder = programs(
        prometheus="2.42.0+ds", promtool="2.42.0", prometheus_alertmanager="0.25.0", amtool="0.25.0"
    )
    result = RUNNER.invoke(APP, [])
    assert result.exit_code == 0
    assert "verify can run" in result.output
    assert found("prometheus").found == "2.42.0+ds"
    assert found("alertmanager").path == str(folder / "prometheus-alertmanager")


def test_without_prometheus_the_status_is_3_and_the_way_out_is_named(programs):
    """The only program that `verify` cannot do without."""
    programs(promtool="2.42.0")
    result = RUNNER.invoke(APP, [])
    assert result.exit_code == doctor.EXIT_UNABLE == 3
    assert "apt-get install prometheus" in result.output
    assert "brew install prometheus" in result.output
    assert found("prometheus").state == "missing"
    assert found("amtool").state == "note"


@pytest.mark.parametrize(
    ("version", "state"),
    [("2.31.2", "missing"), ("2.41.9", "missing"), ("2.42.0", "ok"), ("3.5.0", "ok")],
)
def test_a_prometheus_older_than_2_42_does_not_do(programs, version, state):
    """The judge needs its remote write receiver and what came until then."""
    programs(prometheus=version)
    assert found("prometheus").state == state


@pytest.mark.parametrize(("version", "state"), [("0.24.0", "note"), ("0.25.0", "ok")])
def test_an_alertmanager_older_than_0_25_is_noted(programs, version, state):
    """Live runs have it save its notification log every second, which came with 0.25."""
    programs(prometheus_alertmanager=version)
    assert found("alertmanager").state == state


def test_a_program_that_does_not_run_is_told_apart_from_one_that_is_not_there(programs):
    """A broken file on PATH is the harder mistake to see."""
    broken = programs() / "prometheus"
    broken.write_text("not a program")
    broken.chmod(0o755)
    finding = found("prometheus")
    assert (finding.state, finding.found) == ("missing", "does not run")
    assert str(broken) in finding.advice


def test_json_is_one_document_and_nothing_else(programs):
    """A script reads `ready` and each finding."""
    programs(prometheus="2.53.3")
    result = RUNNER.invoke(APP, ["--json"])
    document = json.loads(result.output)
    assert document["ready"] is True
    names = [finding["name"] for finding in document["findings"]]
    assert names[:3] == ["python", "kernel", "prometheus"]
    assert {"pack", "library", "port 9464", "port 9090", "port 9093"} <= set(names)


def test_a_port_in_use_is_noted_and_does_not_keep_verify_from_running(programs, monkeypatch):
    """`verify` takes free ports of its own."""
    programs(prometheus="2.42.0")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(doctor, "PORTS", {port: "this test"})
        finding = found(f"port {port}")
        assert (finding.state, finding.found) == ("note", "not free (address already in use)")
        assert "this test" in finding.advice
        assert RUNNER.invoke(APP, []).exit_code == 0
    assert doctor.find_port(port).state == "ok"


def test_the_kernel_says_where_its_cache_is():
    """With the compiler switched off there is none, and that is said instead."""
    finding = doctor.find_kernel()
    if os.environ.get("NUMBA_DISABLE_JIT", "0") == "0":
        assert finding.state == "ok"
        assert finding.path is not None
    else:
        assert "NUMBA_DISABLE_JIT" in finding.advice
    assert finding.found.startswith("numba ")


def test_a_folder_that_cannot_be_written_to_is_seen(tmp_path):
    """Also when it is its parent that is there: numba makes the folder itself."""
    assert doctor.can_write(tmp_path)
    assert doctor.can_write(tmp_path / "not" / "yet")
    (tmp_path / "file").write_text("")
    assert not doctor.can_write(tmp_path / "file")


def test_missing_data_is_a_damaged_installation(tmp_path):
    """An empty folder in place of the pack keeps `verify` from running."""
    assert doctor.find_data("pack", tmp_path).state == "missing"
    (tmp_path / "slo.yaml").write_text("groups: []")
    assert doctor.find_data("pack", tmp_path).state == "ok"


def test_an_unsupported_python_is_told(monkeypatch):
    """Someone may have installed past the version check."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    assert doctor.find_python().advice == "use Python 3.11 to 3.14"
