"""A child that is started, interrupted and stopped at awkward times leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.verifier.deliveries import wait_until
from tests.verifier.servers.processes import is_running
from verifier.errors import JudgeError
from verifier.servers import child as module
from verifier.servers.child import Child


def processes_naming(directory: Path) -> list[int]:
    """Return the processes whose command line names the directory."""
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(directory).encode() in (process / "cmdline").read_bytes():
                pids.append(int(process.name))
        except OSError:
            continue
    return [pid for pid in pids if is_running(pid)]


@pytest.fixture(autouse=True)
def _linux() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("reads processes from /proc")


def test_a_signal_in_the_middle_of_a_start_leaves_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process runs, and only the guard knows its id, from the process itself."""
    child = Child("x-", parent_directory=tmp_path)
    popen = subprocess.Popen
    pids = []

    def interrupted(*arguments: object, **options: object) -> None:
        pids.append(popen(*arguments, **options).pid)  # type: ignore[call-overload] - passed on as they are
        raise KeyboardInterrupt

    monkeypatch.setattr(module.subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        child.start(["/bin/sleep", "60"])
    monkeypatch.undo()
    assert wait_until(lambda: Path(f"/proc/{pids[0]}/comm").read_text().strip() == "sleep")
    child.stop()
    assert wait_until(lambda: not is_running(pids[0]), 2)
    assert wait_until(lambda: not list(tmp_path.iterdir()), 2)


KILLED = textwrap.dedent(
    """
    import os, signal, subprocess, sys
    from pathlib import Path
    from verifier.servers import child as module
    popen = subprocess.Popen
    def killed(*arguments, **options):
        popen(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)
    for _ in range(20):
        if parent := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1]))
            continue
        child = module.Child("x-", parent_directory=Path(sys.argv[1]))
        module.subprocess.Popen = killed
        child.start(["/bin/sleep", "60", sys.argv[1]])
    """
)


def test_kill_9_of_the_parent_in_the_middle_of_a_start_leaves_no_process(tmp_path: Path) -> None:
    """Twenty times: the child has just been forked, and may not have become its program yet."""
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    root = Path(__file__).parents[3]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    assert run.stdout.split() == [str(-signal.SIGKILL)] * 20
    assert wait_until(lambda: not processes_naming(tmp_path) and not list(tmp_path.iterdir()), 5)


def test_after_a_stop_nothing_is_started_any_more(tmp_path: Path) -> None:
    """A thread that was about to start a server again is too late."""
    child = Child("x-", parent_directory=tmp_path)
    child.stop()
    with pytest.raises(JudgeError, match="was stopped already"):
        child.start(["/bin/sleep", "60"])
    assert not list(tmp_path.iterdir())


def test_starts_and_a_stop_from_two_threads_leave_nothing(tmp_path: Path) -> None:
    """Whichever happens first."""
    for round_ in range(20):
        child = Child("x-", parent_directory=tmp_path)

        def start(child: Child = child) -> None:
            try:
                for _ in range(5):
                    child.start(["/bin/sleep", "60", str(tmp_path)])
            except JudgeError:
                pass

        starter = threading.Thread(target=start)
        starter.start()
        time.sleep(0.002 * round_)
        child.stop()
        starter.join()
    assert wait_until(lambda: not processes_naming(tmp_path) and not list(tmp_path.iterdir()), 2)


def test_the_program_does_not_hold_the_guards_pipe(tmp_path: Path) -> None:
    """Otherwise the end of the parent would never be noticed; it reads nothing either."""
    child = Child("x-", parent_directory=tmp_path)
    child.start(["/bin/sleep", "60"])
    descriptors = Path(f"/proc/{child.pid}/fd")
    pipe = Path(f"/proc/self/fd/{child._guard.stdin.fileno()}").readlink()

    def is_ready() -> bool:
        """Whether it has three descriptors, and has closed what its start had opened."""
        with suppress(FileNotFoundError):
            links = [descriptor.readlink() for descriptor in sorted(descriptors.iterdir())]
            return len(links) == 3 and str(links[0]) == "/dev/null" and pipe not in links
        return False

    assert wait_until(is_ready)
    child.stop()


def test_a_full_disk_is_named_as_the_cause(tmp_path: Path) -> None:
    """From the log of the program, or from the error of whatever could not write for it."""
    child = Child("x-", parent_directory=tmp_path)
    assert child.way_out().startswith("run it again")
    assert child.way_out("write: No space left on device").startswith(f"the disk of {tmp_path}")
    child.start(["/bin/sh", "-c", "echo level=error err='no space left on device'; exit 3"])
    assert wait_until(lambda: child.exit_status() == 3 and child.log)
    assert child.way_out().startswith("the disk of")
    assert child.how_it_ended() == [
        "it ended with status 3",
        "its log ends with: level=error err=no space left on device",
    ]
    child.stop()


def test_of_a_crash_the_first_line_is_kept(tmp_path: Path) -> None:
    """A Go program writes hundreds of lines after them."""
    child = Child("x-", parent_directory=tmp_path)
    lines = "echo level=info well; echo 'fatal error: fault'; seq 1 500; sleep 60"
    child.start(["/bin/sh", "-c", lines])
    assert wait_until(lambda: len(child.log) == 2)
    time.sleep(0.1)
    assert child.last_log() == "fatal error: fault"
    child.stop()


def test_a_child_can_be_stopped_twice_and_keeps_the_end_of_its_log() -> None:
    """`stop` is called from `finally` and from `__exit__` alike."""
    child = Child("agentaskit-test-")
    child.start(["/bin/sh", "-c", "echo level=info fine; echo level=error broken; sleep 60"])
    deadline = time.monotonic() + 10
    while len(child.log) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert child.last_log() == "level=error broken"
    assert child.exit_status() is None
    child.stop()
    child.stop()
    assert not child.directory.exists()
    assert child.exit_status() == -signal.SIGKILL


def test_no_directory_to_write_in_is_a_judge_error() -> None:
    """A read-only machine gets a sentence, no traceback."""
    with pytest.raises(JudgeError, match="no temporary directory can be made"):
        Child("x-", parent_directory=Path(tempfile.gettempdir()) / "does" / "not" / "exist")
