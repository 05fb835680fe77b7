"""The script that finds or installs a browser, run with stand-ins for apt-get and the browser."""

import shutil
import subprocess

import pytest

PLAIN = ("awk", "dirname", "env", "sed", "sh", "chmod", "cp")


@pytest.fixture
def machine(repository, tmp_path):
    """Return a project with the script, and a PATH of a few programs; no browser on it."""
    project, path = tmp_path / "project", tmp_path / "path"
    (project / "tools").mkdir(parents=True)
    (project / ".venv" / "bin").mkdir(parents=True)
    path.mkdir()
    for name in ("install-chromium.sh", "lib.sh"):
        shutil.copy(repository / "tools" / name, project / "tools" / name)
    for name in PLAIN:
        (path / name).symlink_to(shutil.which(name))
    # What `python -m tests.browser.chromium` answers: is there a chromium on this PATH?
    put(project / ".venv" / "bin" / "python", f'[ -x "{path}/chromium" ]')
    put(path / "id", "echo 0")
    return project, path


def put(program, body):
    """Write a shell script."""
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def has_apt(path, status):
    """Put an apt-get on PATH that installs a chromium, or fails with a status."""
    put(path / "apt-cache", "echo '  Candidate: 150.0-1'")
    put(
        path / "apt-get",
        f"""[ "$1" = update ] && exit
[ {status} = 0 ] || exit {status}
printf '#!/bin/sh\\n' >{path}/chromium
chmod 755 {path}/chromium""",
    )


def run(machine):
    """Run the script; return its exit status and everything that it said."""
    project, path = machine
    done = subprocess.run(
        ["/bin/sh", str(project / "tools" / "install-chromium.sh")],
        env={"PATH": str(path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_with_a_browser_it_says_and_does_nothing(machine):
    """Not even apt-get is asked."""
    put(machine[1] / "chromium", ":")
    put(machine[1] / "apt-get", "echo called; exit 1")
    assert run(machine) == (0, "")


def test_debians_package_is_installed_and_announced(machine):
    """Nothing global happens without a word."""
    has_apt(machine[1], 0)
    assert run(machine) == (0, "setup: installing chromium with apt-get\n")
    assert run(machine) == (0, "")


@pytest.mark.parametrize("status", [100, None])
def test_where_nothing_can_be_installed_it_says_what_to_do(machine, status):
    """apt-get that fails, and a machine without it."""
    if status:
        has_apt(machine[1], status)
    code, text = run(machine)
    assert code == 3
    assert "sudo apt-get install chromium" in text
    assert "AGENTASKIT_SIM_BROWSER" in text
