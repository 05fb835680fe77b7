"""The compiled kernel's machine code, kept beside its source for the next process that simulates.

numba keeps it too, but to read that numba must be imported and its registries filled: two thirds
of a second of processor time in every command that simulates. The code itself is 90 KB that refer
to nothing of numba's; llvmlite, which numba stands on, links them in a hundredth of that time. What
is kept is used only if it was made from this very text of the kernel, by these versions, for this
processor, and is whole; else numba compiles, or reads its own cache, as ever. Called by `loop` and
`initial_state` alone. The one module of the simulator that reads and writes a file, and only that.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Run = Callable[[NDArray[np.int64], NDArray[np.float64], int, int], int]

FORMAT: Final = b"kernel 1"
TRIED: Final = frozenset({"0.68.1"})
"""Versions of numba whose code was seen to be called rightly: another could pass its arguments in
another way, and a call that is wrong ends the process without a word. Those compile as ever."""
DIGEST: Final = 32
NUMBAS: Final = frozenset({
    *("numba_adapt_ndarray", "numba_do_raise", "numba_gil_ensure", "numba_gil_release"),
    *("numba_runtime_build_excinfo_struct", "numba_unpickle"),
})  # fmt: skip
"""Functions of numba's that its wrapper for Python calls, which stands beside the kernel; of
Python's own there are some too. `run` itself calls nothing."""
SYMBOL: Final = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("rest", "<u8", 2)]
)
"""A row of an ELF file's table of symbols; those of section 0 are defined elsewhere."""
SECTION: Final = np.dtype(
    [
        *(("name", "<u4"), ("type", "<u4"), ("flags", "<u8"), ("address", "<u8"), ("at", "<u8")),
        *(("size", "<u8"), ("link", "<u4"), ("info", "<u4"), ("alignment", "<u8"), ("row", "<u8")),
    ]
)
"""A row of its table of sections; that of symbols names the one with their names."""
SYMBOLS: Final = 2
UNABLE: Final = (OSError, ImportError, AttributeError, LookupError, TypeError, ValueError,
                 RuntimeError)  # fmt: skip
"""A folder that cannot be written to, a numba or llvmlite that is built otherwise than it was: then
numba compiles as ever, and `tests/simulator/kernel/machine_code` notices."""
INT64: Final = range(-(1 << 63), 1 << 63)


class KeptRun:
    """The kernel's `run`, called by its address, as numba calls it.

    An array is passed as numba lays it out: two owners, which are only for what allocates, then
    length, size of an item, address, shape and stride.
    """

    def __init__(self, engine: Any, address: int) -> None:
        """Call what is at this address, and hold on to the engine whose memory it is in."""
        import ctypes  # noqa: PLC0415 - only who simulates needs it

        word, place = ctypes.c_int64, ctypes.c_void_p
        array = (place, place, word, word, place, word, word)
        # Letting go of the interpreter: the cells of a system are advanced by several threads.
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, place, place, *array, *array, word, word)
        self._engine, self._call, self._byref = engine, prototype(address), ctypes.byref
        self._word, self._place = word, place

    def __call__(
        self, w: NDArray[np.int64], x: NDArray[np.float64], command: int, which: int
    ) -> int:
        """Carry out a command; raise TypeError or OverflowError for what numba would refuse."""
        for array, kind in ((w, np.int64), (x, np.float64)):
            if array.dtype != kind or not array.flags.carray or array.ndim != 1:
                raise TypeError(f"the kernel takes whole rows of {kind.__name__}, got {array!r}")
        which = int(which)
        if which not in INT64:
            raise OverflowError(f"the kernel takes an int64, got {which}")
        result, failure = self._word(), self._place()
        status = self._call(
            self._byref(result), self._byref(failure),
            None, None, len(w), 8, w.ctypes.data, len(w), 8,
            None, None, len(x), 8, x.ctypes.data, len(x), 8,
            int(command), which,
        )  # fmt: skip
        if status:
            raise RuntimeError(f"the kernel ended with status {status}")
        return result.value


def load(source: str) -> Run | None:
    """Return the kept `run` of the kernel in this file, or None when there is none that is right.

    Raises nothing: what cannot be read or linked is compiled again.
    """
    with suppress(*UNABLE):
        key = _key(source)
        kept = place(source).read_bytes() if key else b""
        head, rest = kept[: len(FORMAT) + DIGEST], kept[len(FORMAT) + DIGEST :]
        digest, content = rest[:DIGEST], rest[DIGEST:]
        if key and head == FORMAT + key and hashlib.sha256(content).digest() == digest:
            name, _, code = content.partition(b"\n")
            return _link(name.decode(), code)
    return None


@cache
def keep(run: Any, source: str) -> None:
    """Keep the machine code of a `run` that numba has made; for the next process, not this one.

    Nothing happens to one that numba did not make: uncompiled, or kept before.
    """
    if not hasattr(run, "compile"):
        return
    with suppress(*UNABLE):
        key = _key(source)
        if key is None:
            return
        from numba import float64, int64  # noqa: PLC0415 - it is imported already

        run.compile((int64[::1], float64[::1], int64, int64))
        (compiled,) = run.overloads.values()
        name, code = compiled.fndesc.llvm_func_name, _code_of(run)
        if all(name in NUMBAS or name.startswith("Py") for name in foreign_symbols(code)):
            content = f"{name}\n".encode() + code
            _write(place(source), FORMAT + key + hashlib.sha256(content).digest() + content)


def foreign_symbols(code: bytes) -> set[str]:
    """Return what machine code calls that is not in it.

    Raises ValueError or IndexError for what is no object file with a table of symbols.
    """
    if code[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no ELF file of 64 bits, lowest byte first")
    at, count = int.from_bytes(code[40:48], "little"), int.from_bytes(code[60:62], "little")
    sections = np.frombuffer(code, SECTION, count, at)
    symbols = sections[sections["type"] == SYMBOLS][0]
    strings = sections[symbols["link"]]
    names = code[strings["at"] : strings["at"] + strings["size"]]
    table = np.frombuffer(code, SYMBOL, symbols["size"] // SYMBOL.itemsize, symbols["at"])
    undefined = table["name"][(table["section"] == 0) & (table["name"] > 0)]
    return {names[first : names.index(b"\0", first)].decode() for first in undefined.tolist()}


def _code_of(run: Any) -> bytes:
    """Return the object file that numba has in its cache: it keeps none in memory."""
    files = run._cache._cache_file  # noqa: SLF001 - numba shows it in no other way
    (name,) = files._load_index().values()  # noqa: SLF001 - numba shows it in no other way
    library = files._load_data(name)[0]  # noqa: SLF001 - numba shows it in no other way
    code: bytes = library[2][0]
    return code


def _link(name: str, code: bytes) -> KeptRun | None:
    """Return the function of this name, linked; None when there is none.

    Raises ValueError when the code calls what is not there: llvm would end the process.
    """
    import ctypes  # noqa: PLC0415 - only who simulates needs it

    import llvmlite.binding as llvm  # noqa: PLC0415 - only who simulates needs it

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    for symbol in foreign_symbols(code):
        # What is numba's is never called; numba puts its own in the place when it is imported.
        if not (symbol in NUMBAS and llvm.address_of_symbol(symbol)):
            here = "Py_FatalError" if symbol in NUMBAS else symbol
            where = ctypes.c_char.in_dll(ctypes.pythonapi, here)
            llvm.add_symbol(symbol, ctypes.addressof(where))
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address = engine.get_function_address(name)
    return KeptRun(engine, address) if address else None


def _key(source: str) -> bytes | None:
    """Return what the code depends on, as a hash; None where numba is told how to compile."""
    chosen = any(name.startswith("NUMBA_") and name != "NUMBA_CACHE_DIR" for name in os.environ)
    if chosen or sys.platform != "linux" or Path(".numba_config.yaml").exists():
        return None
    if version("numba") not in TRIED:
        return None
    import llvmlite.binding as llvm  # noqa: PLC0415 - only who simulates needs it

    key = hashlib.sha256(Path(source).read_bytes())
    for part in (
        *(sys.version, version("numba"), version("llvmlite"), llvm.get_process_triple()),
        *(llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()),
    ):
        key.update(b"\0" + part.encode())
    return key.digest()


def place(source: str) -> Path:
    """Return the file that the code is kept in: beside that of numba."""
    folder = os.environ.get("NUMBA_CACHE_DIR") or Path(source).parent / "__pycache__"
    return Path(folder) / f"{Path(source).stem}.{sys.implementation.cache_tag}.machine"


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; other processes may be reading it."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
