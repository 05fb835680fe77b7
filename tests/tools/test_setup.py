"""The script behind `make setup`: which Python it takes, and its advice when there is none."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = ("awk", "cat", "cksum", "dirname", "grep", "head", "id", "rm", "sed", "sh")


@pytest.fixture
def project(tmp_path, repository):
    """Copy what the script reads; PATH has no Python, no uv and no package manager."""
    shutil.copytree(repository / "tools", tmp_path / "project" / "tools")
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(repository / name, tmp_path / "project" / name)
    (tmp_path / "path").mkdir()
    for name in PLAIN:
        (tmp_path / "path" / name).symlink_to(shutil.which(name))
    script = tmp_path / "project" / "tools" / "setup.sh"
    script.write_text(script.read_text().replace("/usr/bin/python3", "/nowhere/python3"))
    return tmp_path / "project"


def run(project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script with nothing but `variables` and a PATH."""
    path = project.parent / "path"
    return subprocess.run(
        ["/bin/sh", str(project / "tools" / "setup.sh")],
        env={"PATH": str(path), "HOME": str(project), **variables},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_without_a_python_it_says_how_to_install_it(project):
    """Each system by name, and status 3."""
    result = run(project)
    assert result.returncode == 3
    assert "no Python 3.11 to 3.14 was found" in result.stderr
    assert "sudo apt-get install python3 python3-venv" in result.stderr
    assert "brew install python@3.13" in result.stderr


def test_an_unsuitable_python_that_the_user_chose_is_refused_by_name(project):
    """Not silently replaced by another."""
    result = run(project, PYTHON="/nowhere/python3.9")
    assert result.returncode == 3
    assert "PYTHON must be a CPython 3.11 to 3.14, got /nowhere/python3.9" in result.stderr


def test_a_python_without_venv_gets_the_name_of_the_package_to_install(project):
    """A fresh Debian has the interpreter, but not the module that makes environments."""
    bare = project.parent / "python3"
    bare.write_text(
        f'#!/bin/sh\ncase "$*" in *"import ensurepip"*) exit 1;; esac\nexec {sys.executable} "$@"\n'
    )
    bare.chmod(0o755)
    result = run(project, PYTHON=str(bare))
    assert result.returncode == 3
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    assert f"run: sudo apt-get install {package}" in result.stderr


@pytest.mark.ci
def test_an_up_to_date_environment_is_left_unchanged(project):
    """Same folder, same lock, same project file: nothing is done, and nothing is printed."""
    environment = project / ".venv" / "bin"
    environment.mkdir(parents=True)
    (environment / "python").symlink_to(sys.executable)
    state = "pwd; cat requirements.lock pyproject.toml tools/setup.sh | cksum"
    stamp = subprocess.run(["sh", "-c", state], cwd=project, capture_output=True, check=True)
    (project / ".venv" / ".agentaskit-sim").write_bytes(stamp.stdout)
    result = run(project)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    with (project / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    changed = run(project, PYTHON="/nowhere/python")
    assert changed.returncode != 0, "a change is noticed"
