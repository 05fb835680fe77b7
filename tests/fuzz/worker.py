"""A process that reads documents one after another, within bounds, and says how each ended.

Called by `tests.fuzz.campaign` with a first number, a step, a last number and a folder. It says in
a line which document it begins, and in a line how it ended; a document that ends the process is the
one without the second line.
"""

from __future__ import annotations

import gc
import json
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from documents.mistakes import InputError
from tests.fuzz.generation import document
from tests.fuzz.readers import read_document, warm_up
from tests.fuzz.seeds import ROOT
from tests.fuzz.shrinking import shrink

if TYPE_CHECKING:
    from tests.fuzz.generation import FuzzDocument

MEMORY_MAX: Final = 300 << 20
"""How much a document may take beyond what the process had before it."""
SECONDS_MAX: Final = 1.0
"""How long reading a document may take, of the processor's time: machines are busy."""
LINES_MAX: Final = 40
"""How many lines a refusal may be."""
LINE_LETTERS_MAX: Final = 600


class TooLongError(BaseException):
    """A document took longer than it may; nothing that is read must catch this."""


def main() -> None:
    """Read the documents that the command line names."""
    first, step, last = map(int, sys.argv[1:4])
    folder = Path(sys.argv[4])
    warm_up()
    warnings.simplefilter("error")  # what Python writes beside our own words
    signal.signal(signal.SIGPROF, _too_long)
    for number in range(first, last, step):
        made = document(number)
        path = folder / made.name
        path.write_bytes(made.content)
        _say("begin", number)
        started_s = time.process_time()
        happened = judge(made, path)
        spent_ms = round((time.process_time() - started_s) * 1000)
        _say("end", number, json.dumps({"happened": kind_of(happened), "ms": spent_ms}))
        if happened:
            _write_shrunk(made, path, happened)
        else:
            path.unlink()


def _say(*words: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, words))}\n")
    sys.stdout.flush()


def _write_shrunk(made: FuzzDocument, path: Path, happened: str) -> None:
    """Write beside a document the least of it with which the same happens."""
    small = path.with_stem(f"{path.stem}-small")

    def still_happens(content: bytes) -> bool:
        small.write_bytes(content)
        return kind_of(judge(made, small)) == kind_of(happened)

    small.write_bytes(shrink(made.content, still_happens))


def kind_of(happened: str) -> str:
    """Return what happened without what differs from one document to the next."""
    what, _, place = happened.rpartition(": ")
    kind = what.partition(":")[0]
    return f"{kind} in {place}" if what and " " not in place else happened.partition(":")[0]


def judge(made: FuzzDocument, path: Path) -> str:
    """Return what is wrong with how a document is read; nothing when all is well."""
    usual = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY_MAX, usual[1]))
    signal.setitimer(signal.ITIMER_PROF, SECONDS_MAX)
    try:
        read_document(made.kind, path, engine_takes=made.engine_takes)
    except InputError as error:
        signal.setitimer(signal.ITIMER_PROF, SECONDS_MAX)
        return _fault_of_refusal(error, str(path), placed=made.kind != "injection")
    except TooLongError as error:
        return f"longer than {SECONDS_MAX} s: {_where(error)}"
    except Exception as error:  # noqa: BLE001 - what no reader may raise is what is looked for
        return f"{type(error).__name__}: {str(error)[:200]}: {_where(error)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, usual)
        if _address_space() > 1 << 31:
            gc.collect()
    return ""


def _fault_of_refusal(error: InputError, path: str, *, placed: bool) -> str:
    """Return what is wrong with how a refusal is worded."""
    lines = str(error).split("\n")
    if len(lines) > LINES_MAX:
        return f"a refusal of {len(lines)} lines"
    for line in lines:
        if placed and not line.startswith((path, str(ROOT))):
            return f"a line of a refusal without a place: {line[:200]!r}"
        if len(line) > LINE_LETTERS_MAX + len(path):
            return f"a line of {len(line)} letters: {line[:200]!r}"
        if not line.isprintable():
            return f"a line that cannot be printed: {line[:200]!r}"
    return ""


def _where(error: BaseException) -> str:
    """Return the innermost place of ours in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        f"{Path(frame.filename).name}:{frame.name}"
        for frame in frames
        if Path(frame.filename).is_relative_to(ROOT)
        and not Path(frame.filename).is_relative_to(ROOT / ".venv")
        and frame.name != _too_long.__name__
    ]
    return ours[-1] if ours else "elsewhere"


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _too_long(_number: int, _frame: object) -> NoReturn:
    raise TooLongError


if __name__ == "__main__":
    main()
