"""The script that finds or installs a browser, run with stand-ins for apt-get and the browser."""

import shutil
import subprocess

import pytest

QUICK = "chromium-headless-shell"
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
    # What `python -m tests.browser.chromium` answers: is there a browser on this PATH?
    asked = f'[ -x "{path}/chromium" ] || [ -x "{path}/{QUICK}" ]'
    put(project / ".venv" / "bin" / "python", asked)
    put(path / "id", "echo 0")
    return project, path


def put(program, body):
    """Write a shell script."""
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def has_apt(path, status=0, packages=(QUICK, "chromium")):
    """Put an apt-get on PATH that knows packages and installs them, or fails with a status."""
    known = "|".join(packages)
    put(path / "apt-cache", f"""case $2 in {known}) echo '  Candidate: 150.0-1' ;; esac""")
    put(
        path / "apt-get",
        f"""[ "$1" = update ] && exit
[ {status} = 0 ] || exit {status}
for package; do :; done
printf '#!/bin/sh\\n' >{path}/$package
chmod 755 {path}/$package""",
    )


def run(machine, **environment):
    """Run the script in such an environment; return its exit status and all that it said."""
    project, path = machine
    done = subprocess.run(
        ["/bin/sh", str(project / "tools" / "install-chromium.sh")],
        env={"PATH": str(path)} | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_with_a_browser_it_says_and_does_nothing(machine):
    """Not even apt-get is asked."""
    put(machine[1] / "chromium", ":")
    put(machine[1] / "apt-get", "echo called; exit 1")
    assert run(machine) == (0, "")


@pytest.mark.parametrize(
    ("packages", "installed"), [([QUICK, "chromium"], QUICK), (["chromium"], "chromium")]
)
def test_debians_package_is_installed_and_announced(machine, packages, installed):
    """Nothing global happens without a word; the quicker one is preferred."""
    has_apt(machine[1], packages=packages)
    assert run(machine) == (0, f"setup: installing {installed} with apt-get\n")
    assert run(machine) == (0, "")


def test_ci_gets_the_quicker_browser_beside_another(machine):
    """Nobody else does, nor who named one."""
    put(machine[1] / "chromium", ":")
    has_apt(machine[1])
    assert run(machine) == (0, "")
    assert run(machine, CI="true", AGENTASKIT_SIM_BROWSER="chromium") == (0, "")
    assert run(machine, CI="true") == (0, f"setup: installing {QUICK} with apt-get\n")
    assert run(machine, CI="true") == (0, "")


@pytest.mark.parametrize("packages", [["other"], [QUICK]])
def test_ci_does_with_the_browser_that_is_there(machine, packages):
    """Where the quicker one is not to be had."""
    put(machine[1] / "chromium", ":")
    has_apt(machine[1], 100, packages)
    code, _ = run(machine, CI="true")
    assert code == 0


@pytest.mark.parametrize("status", [100, None])
def test_where_nothing_can_be_installed_it_says_what_to_do(machine, status):
    """apt-get that fails, and a machine without it."""
    if status:
        has_apt(machine[1], status)
    code, text = run(machine)
    assert code == 3
    assert f"sudo apt-get install {QUICK}" in text
    assert "AGENTASKIT_SIM_BROWSER" in text
