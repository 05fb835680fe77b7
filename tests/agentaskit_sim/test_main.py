"""The front door: quick help, one exit status for each outcome, never a traceback."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from contextlib import suppress

import pytest

from agentaskit_sim.__main__ import COMMANDS, _imported
from agentaskit_sim.commands import scenarios
from agentaskit_sim.commands import verify as verify_module
from documents.mistakes import Place
from verifier.errors import JudgeError

HEAVY = ("numba", "numpy", "aiohttp", "pydantic", "simulator")


def test_help_lists_every_command_and_imports_none_of_them():
    """Help is quick because nothing heavy is imported for it."""
    program = (
        "import sys\n"
        "from agentaskit_sim.__main__ import main\n"
        "try:\n    main(['--help'])\n"
        f"finally:\n    print('loaded', [m for m in {HEAVY} if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    for name, summary in COMMANDS.items():
        assert f"  {name:<9}  {summary}\n" in done.stdout
    assert "Examples:" in done.stdout
    assert "loaded []" in done.stdout


def test_the_catalogue_of_faults_and_scenarios_load_without_numba():
    """Importing numba takes half a second, for commands that never run a world."""
    program = (
        "import sys\n"
        "from scenarios.library.files import library\n"
        "from scenarios.loader import load_scenario\n"
        "load_scenario(library()[0])\n"
        "print('before', 'numba' in sys.modules)\n"
        "from simulator.kernel.loop import compile_kernel\n"
        "compile_kernel()\n"
        "print('after', 'numba' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env=os.environ | {"NUMBA_OPT": "3"},  # else machine code that is kept does without it
    )  # fmt: skip
    assert done.stdout.splitlines() == ["before False", "after True"]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("name", ["colorsys", "agentaskit_sim.commands.nothing"])
def test_a_command_that_is_imported_leaves_the_collection_of_garbage_as_it_was(name, enabled):
    """Also one that cannot be imported."""
    sys.modules.pop(name, None)
    (gc.enable if enabled else gc.disable)()
    try:
        with suppress(ModuleNotFoundError):
            assert _imported(name) is sys.modules[name]
        assert gc.isenabled() == enabled
        assert (gc.get_freeze_count() > 0) >= enabled
    finally:
        gc.unfreeze()
        gc.enable()


def test_no_arguments_show_the_help(command):
    """A first-time user types the name alone."""
    assert command() == command("--help") == command("-h")
    assert command().status == 0


def test_the_version_is_printed(command):
    """On standard output, alone."""
    done = command("--version")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("agentaskit-sim 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(command, name):
    """It is imported, and its help begins with its usage."""
    done = command(name, "--help")
    assert done.status == 0
    assert done.out.startswith(f"Usage: agentaskit-sim {name} ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verfy"], "No such command 'verfy'. Did you mean 'verify'?"),
        (["./"], "No such command './'. To judge what is in it: agentaskit-sim verify ./"),
        (["--nope"], "No such option"),
        (["verify", "--nope"], "No such option"),
        (["verify", "--seed", "x"], "Invalid value for '--seed'"),
        (["verify", "--seed", "-1"], "Invalid value for '--seed'"),
        (["verify", "--jobs", "0"], "Invalid value for '--jobs'"),
        (["verify", "--rules"], "--rules"),
        (["scenarios"], "Missing command"),
        (["scenarios", "new"], "Missing argument"),
    ],
)
def test_a_usage_error_is_status_2(command, arguments, message):
    """With a hint, and nothing on standard output."""
    done = command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (Place("a.yaml", 1, 2).error("planted"), 2, "a.yaml:1:2: planted\n"),
        (JudgeError("planted: do this"), 3, "planted: do this\n"),
        (ZeroDivisionError("planted"), 3, "internal error: ZeroDivisionError: planted (AGENTASKIT"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_each_kind_of_error_has_its_status(command, monkeypatch, error, status, message):
    """Whatever is raised inside a command becomes one line and a status."""

    def fail(*_):
        raise error

    monkeypatch.setattr(verify_module, "read_inputs", fail)
    done = command("verify")
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(message)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_error_that_a_signal_became_ends_with_the_status_of_the_signal(
    command, monkeypatch, number, status
):
    """Code in C makes a `SystemError` of whatever a signal raises in what it calls back."""

    def interrupted(*_, **__):
        try:
            signal.raise_signal(number)
        except BaseException as error:
            raise SystemError("returned a result with an exception set") from error

    monkeypatch.setattr(scenarios, "library", interrupted)
    finished = command("scenarios", "list")
    assert (finished.status, finished.out, finished.err) == (status, "", "")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_in_a_callback_that_lets_nothing_out_ends_the_command(
    command, monkeypatch, number, status
):
    """As in the callback of the lock of an import: the run went on, and heard no other signal."""

    def interrupted(*_, **__):
        class Lock:
            pass

        lock = Lock()
        reference = weakref.ref(lock, lambda _: signal.raise_signal(number))
        del lock
        assert reference() is None
        time.sleep(20)
        pytest.fail("the signal was lost")

    monkeypatch.setattr(scenarios, "library", interrupted)
    began_s = time.monotonic()
    finished = command("scenarios", "list")
    assert (finished.status, finished.out, finished.err) == (status, "", "")
    assert time.monotonic() - began_s < 10


INTERRUPTED_TEXT = """
import sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "agentaskit_sim.commands.scenarios":
            exec("import signal\\nsignal.raise_signal(signal.SIGINT)\\nused = 1")

sys.meta_path.insert(0, Interrupting())
"""


def test_a_run_that_was_interrupted_in_a_text_ends_with_its_status(tmp_path, repository):
    """Python remembers that text, `exec`uted, and would end `-m` by the signal itself."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTED_TEXT)
    done = subprocess.run(
        [sys.executable, "-m", "agentaskit_sim", "scenarios", "list"],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{repository}"},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_folder_in_the_current_one_stands_in_for_no_package(tmp_path, repository):
    """`coverage`, which numba asks for, is a likely name; tried is one that is read at once."""
    (tmp_path / "pydantic").mkdir()
    (tmp_path / "pydantic" / "__init__.py").write_text("raise SystemExit('planted')\n")
    done = subprocess.run(
        [sys.executable, "-m", "agentaskit_sim", "scenarios", "validate", "none.yaml"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(repository)},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "planted" in done.stderr) == (2, False)
    assert "none.yaml" in done.stderr


def test_control_c_while_the_program_is_imported_ends_it_without_a_traceback(tmp_path, repository):
    """With 130, as later: a library that takes its time, here for ever."""
    slow = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "typer.py").write_text(slow)
    words = [sys.executable, "-m", "agentaskit_sim", "scenarios", "list"]
    places = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{repository}"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, cwd=tmp_path, env=places, **pipes) as process:
        assert process.stdout.readline() == b"importing\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 130
