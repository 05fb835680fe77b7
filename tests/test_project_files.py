"""The project's files: Makefile, versions, lock, wheel, scripts; no trace of anyone's machine."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests import conftest
from tests.conftest import LONGEST_FIRST, NICENESS, REAL_TIME

HOSTS = ("pypi." + "org", "pythonhosted." + "org", "debian." + "org", "npmjs." + "org")
"""Put together from pieces, so that this file passes its own test."""
LIBRARY_FILES = tuple(
    f"charts/static/vendor/{name}" for name in ("uPlot.iife.min.js", "uPlot.min.css", "LICENSE")
)
LARGEST_FILE = 512 * 1024
"""Bytes; the lock of all dependencies has half of it."""
NAMED = {("chart_library.py", HOSTS[3])}
"""The one file that has to say where something comes from, pinned by its checksum."""


def tracked(repository: Path) -> list[Path]:
    """Return every file that git tracks."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True
    )
    return [repository / name for name in listed.stdout.split("\0") if name]


def traces(text: str, *places: Path) -> list[str]:
    """Return the package registries and the folders that `text` names."""
    folders = [str(place) for place in places if len(place.parts) > 1]
    hosts = [host for host in HOSTS if host in text]
    end = r"(?=[/\s'\"]|$)"
    return hosts + [name for name in folders if re.search(re.escape(name) + end, text)]


@pytest.fixture(scope="module")
def project(repository):
    """Return pyproject.toml, read."""
    return tomllib.loads((repository / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def locked(repository):
    """Return the lock: each package's blocks, a first line and its checksums, by name."""
    text = (repository / "requirements.lock").read_text()
    blocks: dict[str, list[str]] = {}
    for block in re.split(r"\n(?=[a-z])", text)[1:]:
        blocks.setdefault(block.partition("==")[0], []).append(block)
    return blocks


def test_the_files_that_start_first_exist(repository):
    """A renamed file would lose its place, and the run its order, without a word."""
    assert len(set(LONGEST_FIRST)) == len(LONGEST_FIRST)
    assert [name for name in LONGEST_FIRST if not (repository / "tests" / name).is_file()] == []


@pytest.mark.parametrize(
    ("name", "niceness", "raised_by"),
    [
        (REAL_TIME[0], 0, []),
        (LONGEST_FIRST[-1], 0, [NICENESS]),
        (LONGEST_FIRST[-1], NICENESS, []),
        ("documents/test_files.py", 3, [NICENESS - 3]),
    ],
    ids=["real time", "computes", "again", "from a nice shell"],
)
def test_only_tests_that_compute_run_at_a_lower_priority(
    repository, monkeypatch, name, niceness, raised_by
):
    """Those in real time keep theirs; a worker is lowered once."""
    steps = []
    monkeypatch.setattr(conftest.os, "nice", lambda step: steps.append(step) or niceness)
    config = SimpleNamespace(rootpath=repository)
    conftest.pytest_runtest_setup(SimpleNamespace(path=repository / "tests" / name, config=config))
    assert [step for step in steps if step] == raised_by


def test_plain_make_prints_help_with_every_target(repository):
    """`make` alone lists the targets and builds nothing."""
    makefile = (repository / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    shown = subprocess.run(["make"], cwd=repository, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make ([a-z-]+) +\S", shown.stdout, re.MULTILINE)
    assert listed == phony.split()
    assert {"setup", "run", "test", "test-long", "check", "bench", "fmt", "lock", "clean"} <= set(
        listed
    )


def test_ci_runs_the_commands_of_the_readme_and_nothing_else(repository):
    """`make check test test-ci`, targets that a developer uses."""
    ci = repository / ".ci" / "run"
    commands = [line for line in ci.read_text().splitlines() if line and line[0] != "#"]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "exec make check test test-ci"]
    assert os.access(ci, os.X_OK)
    readme = (repository / "README.md").read_text()
    assert "make run" in readme
    assert "make test" in readme


def test_the_version_is_the_same_everywhere(repository, project):
    """In pyproject.toml, in the output of `--version` and in the change log."""
    stated = project["project"]["version"]
    shown = subprocess.run(
        [sys.executable, "-m", "agentaskit_sim", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == f"agentaskit-sim {stated}"
    assert version("agentaskit-sim") == stated
    changes = (repository / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(stated)}\b", changes, re.MULTILINE)


def test_every_command_has_its_page_and_every_option_is_on_it(repository):
    """`docs/NAME.md` for each command of `agentaskit-sim --help`."""
    from typer.main import get_command  # noqa: PLC0415 - the front door imports every room

    from agentaskit_sim.__main__ import COMMANDS, app  # noqa: PLC0415 - the front door imports every room

    commands = {name: get_command(app(name)).commands[name] for name in COMMANDS}
    assert {"verify", "serve", "doctor"} <= set(commands)
    undocumented = []
    for name, command in commands.items():
        page = repository / "docs" / f"{name}.md"
        text = page.read_text() if page.exists() else ""
        inner = getattr(command, "commands", {name: command})
        words = list(inner)
        words += [
            max(parameter.opts, key=len)
            for subcommand in inner.values()
            for parameter in subcommand.params
            if parameter.param_type_name == "option" and parameter.name != "help"
        ]
        undocumented += [f"docs/{name}.md: {word}" for word in words if word not in text]
    assert undocumented == []


def test_no_tracked_file_names_a_machine_or_a_registry(repository):
    """Neither this checkout's folder, nor a home, nor a package registry but the library's own."""
    named = [
        f"{path.relative_to(repository)}: {trace}"
        for path in tracked(repository)
        if path.is_file()
        for trace in traces(path.read_text(errors="replace"), repository, Path.home())
        if (path.name, trace) not in NAMED
    ]
    assert named == []


def test_a_planted_trace_is_detected():
    """A registry, a checkout and a home."""
    place, home = Path("/srv/checkout/sim"), Path("/somebody")
    assert traces(f"https://{HOSTS[0]}/simple", place, home) == [HOSTS[0]]
    assert traces("cd /srv/checkout/sim/tests", place, home) == [str(place)]
    assert traces("in /somebody/.cache", place, home) == [str(home)]
    assert traces("for /somebodyelse, somebody", place, home) == []


def not_written_by_hand(files: list[Path]) -> list[str]:
    """Return the names of files that hold no text and are no pictures, or are large."""
    return [
        path.name
        for path in files
        if path.stat().st_size > LARGEST_FILE
        or (path.suffix != ".png" and b"\0" in path.read_bytes())
    ]


def test_no_tracked_file_is_what_a_run_left_behind(repository):
    """Everything tracked is text of a moderate size, or a picture."""
    assert not_written_by_hand([path for path in tracked(repository) if path.is_file()]) == []


def test_a_planted_leftover_is_detected(tmp_path):
    """A pickle, and a text that is too long to have been written."""
    (tmp_path / "world.pickle").write_bytes(b"\x80\x05\0\0")
    (tmp_path / "long.txt").write_text("x" * (LARGEST_FILE + 1))
    (tmp_path / "short.txt").write_text("x")
    assert not_written_by_hand(sorted(tmp_path.iterdir())) == ["long.txt", "world.pickle"]


def test_the_lock_has_every_dependency_with_checksums(project, locked):
    """Runtime and development; after a change of either, `make lock` updates it."""
    dependencies = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for extra in project["project"]["optional-dependencies"].values():
        dependencies += extra
    for text in dependencies:
        requirement = Requirement(text)
        blocks = locked[canonicalize_name(requirement.name)]
        versions = [Version(re.match(r"[^=]+==([^\s;]+)", block)[1]) for block in blocks]
        assert all(version in requirement.specifier for version in versions), text
    assert all("--hash=sha256:" in block for blocks in locked.values() for block in blocks)


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """Build the wheel as `pip install .` does, without a network; return it unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=repository, capture_output=True, check=True,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "installed")
    return folder / "installed"


def test_the_wheel_has_every_tracked_file_of_every_room(repository, project, wheel):
    """Library, pack and schemas included."""
    rooms = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    names = [path.relative_to(repository) for path in tracked(repository) if path.is_file()]
    expected = {str(name) for name in names if name.parts[0] in rooms}
    packed = {str(path.relative_to(wheel)) for path in wheel.rglob("*") if path.is_file()}
    assert expected - packed == set()
    assert any(name.startswith("scenarios/library/") for name in packed)
    assert "observability/alerts/slo.yaml" in packed
    assert set(LIBRARY_FILES) <= packed, "the chart library is shipped, though it is not tracked"
    assert {name.split("/")[0] for name in packed} <= {*rooms, metadata_folder(packed)}


def metadata_folder(packed: set[str]) -> str:
    """Return the folder of a wheel's own metadata."""
    return next(name.split("/")[0] for name in packed if ".dist-info/" in name)


def test_an_installation_finds_its_data_without_the_checkout(wheel, tmp_path):
    """The pack and the library are those of the installation."""
    done = subprocess.run(
        [sys.executable, "-m", "agentaskit_sim", "doctor", "--json"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert f'"{wheel / "observability" / "alerts"}"' in done.stdout
    assert f'"{wheel / "scenarios" / "library"}"' in done.stdout


@pytest.mark.parametrize(
    "name", ["setup.sh", "install-prometheus.sh", "install-chromium.sh", "lock.sh"]
)
def test_a_script_is_executable_and_plain_sh_can_read_it(repository, name):
    """Debian's /bin/sh is dash, macOS's is an old bash."""
    script = repository / "tools" / name
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["/bin/sh", "-n", str(script)], check=False).returncode == 0
