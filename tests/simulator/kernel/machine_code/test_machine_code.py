"""The kernel's machine code, kept for the next process: used only if it is right in every byte."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simulator.kernel import loop, machine_code
from simulator.kernel.machine_code import DIGEST, FORMAT, KeptRun, load
from tests.simulator.worlds import make

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or machine_code._key(loop.__file__) is None,
    reason="elsewhere, and where numba is told how to compile, nothing is kept",
)

SIMULATE = """
import sys
from tests.simulator.worlds import make
world = make()
world.advance(2.0)
print("numba" in sys.modules, world.snapshot().tasks_arrived.tolist())
"""


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return a function that loads the kernel of a folder that holds a copy of it, changed."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    make()  # whoever simulates keeps what was not kept yet
    content = machine_code.place(loop.__file__).read_bytes()
    source = tmp_path / "loop.py"
    (tmp_path / "__pycache__").mkdir()

    def reload(change=lambda content: content, text=""):
        source.write_text(Path(loop.__file__).read_text(encoding="utf-8") + text)
        machine_code.place(str(source)).write_bytes(change(content))
        return load(str(source))

    return reload


def sealed(content, old, new):
    """Return kept code with other bytes in it, and a checksum that is right all the same."""
    head, code = content[: len(FORMAT) + DIGEST], content[len(FORMAT) + 2 * DIGEST :]
    assert code.count(old) == 1
    code = code.replace(old, new)
    return head + hashlib.sha256(code).digest() + code


def test_a_process_that_finds_it_simulates_the_same_without_numba(kept, repository):
    """As this one does."""
    assert isinstance(kept(), KeptRun)
    world = make()
    world.advance(2.0)
    environment = {name: text for name, text in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", SIMULATE],
        cwd=repository, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"False {world.snapshot().tasks_arrived.tolist()}\n"


def test_a_numba_that_was_not_tried_compiles_as_ever(kept, monkeypatch, repository):
    """The one that is locked is tried, by the tests of this file."""
    lock = (repository / "requirements.lock").read_text()
    locked = re.search(r"^numba==(\S+)", lock, re.MULTILINE)
    assert locked
    assert locked[1] in machine_code.TRIED
    monkeypatch.setattr(machine_code, "version", lambda name: "0.69.0" if name == "numba" else "1")
    assert kept() is None


def test_that_of_another_text_is_not_used(kept):
    """A comment more is another kernel."""
    assert kept(text="# more\n") is None
    assert kept() is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-1],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: b"kernel 0" + content[len(FORMAT) :],
        lambda content: content[:40],
        lambda _: b"",
        lambda content: sealed(content, b"numba_do_raise\0", b"elsewhere_func\0"),
        lambda content: sealed(content, b"\x7fELF", b"MZMZ"),
    ],
    ids=["short", "a bit", "format", "head alone", "empty", "calls another", "no object file"],
)
def test_what_is_not_whole_is_not_used(kept, change):
    """Nor what calls a function that is not there: linked, it would end the process."""
    assert kept(change) is None
    assert kept() is not None


@pytest.mark.parametrize("version", ["numba", "llvmlite"])
def test_that_of_another_version_is_not_used(kept, monkeypatch, version):
    """It may lay out an array in another way."""
    real = machine_code.version
    monkeypatch.setattr(
        machine_code, "version", lambda name: "0.1" if name == version else real(name)
    )
    assert kept() is None


def test_who_tells_numba_how_to_compile_gets_numba(kept, monkeypatch):
    """By a variable or a file."""
    monkeypatch.setenv("NUMBA_OPT", "1")
    assert kept() is None
    monkeypatch.delenv("NUMBA_OPT")
    assert kept() is not None
    monkeypatch.chdir(Path(machine_code.place(loop.__file__)).parent)
    monkeypatch.setattr(Path, "exists", lambda path: path.name == ".numba_config.yaml")
    assert kept() is None


def test_what_numba_refuses_is_refused(kept):
    """Rows of another kind, rows with gaps, an instant beyond an int64."""
    run = kept()
    w, x = np.zeros(4, np.int64), np.zeros(4)
    for wrong in ((x, x), (w, w), (w[::2], x), (w, x[::2]), (w.reshape(2, 2), x)):
        with pytest.raises(TypeError, match="the kernel takes whole rows"):
            run(*wrong, loop.SETTLE, 0)
    for beyond in (1 << 63, -(1 << 63) - 1):
        with pytest.raises(OverflowError, match="the kernel takes an int64"):
            run(w, x, loop.SETTLE, beyond)


def test_it_is_kept_where_numba_keeps_its_own(tmp_path, monkeypatch):
    """In the folder of the cache that is named, which says nothing of how to compile."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    name = f"loop.{sys.implementation.cache_tag}.machine"
    key = machine_code._key(loop.__file__)
    assert machine_code.place("/code/loop.py") == Path("/code/__pycache__") / name
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert machine_code.place("/code/loop.py") == tmp_path / name
    assert key is not None
    assert machine_code._key(loop.__file__) == key


@pytest.mark.parametrize("fact", ["get_host_cpu_name", "get_process_triple"])
def test_that_of_another_machine_is_not_used(kept, monkeypatch, fact):
    """It may have instructions that this one has not."""
    import llvmlite.binding as llvm  # noqa: PLC0415 - whoever is skipped does without

    monkeypatch.setattr(llvm, fact, lambda: "another")
    assert kept() is None


def test_a_function_that_is_not_in_it_is_not_called(kept):
    """At the address 0, where there is none."""
    path = Path(machine_code.place(loop.__file__))
    assert kept() is not None
    name, _, code = path.read_bytes()[len(FORMAT) + 2 * DIGEST :].partition(b"\n")
    assert machine_code._link(name.decode(), code) is not None
    assert machine_code._link("elsewhere", code) is None


@pytest.mark.parametrize("status", [1, -1])
def test_a_kernel_that_fails_says_so(kept, status):
    """Whatever the sign of its status."""
    run = kept()
    run._call = lambda *_: status
    with pytest.raises(RuntimeError, match=f"status {status}"):
        run(np.zeros(4, np.int64), np.zeros(4), loop.SETTLE, 0)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    """Neither half a file nor one by another name."""
    taken = tmp_path / "loop.machine"
    (taken / "folder").mkdir(parents=True)
    with pytest.raises(OSError, match=r"loop\.machine"):
        machine_code._write(taken, b"code")
    assert [path.name for path in tmp_path.iterdir()] == ["loop.machine"]
    machine_code._write(tmp_path / "other.machine", b"code")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop.machine", "other.machine"]
