"""Many random documents, read in processes of their own: what kills, hangs or surprises us.

    python -m tests.fuzz.campaign --documents 100000 --first 0 --workers 2 --keep DIR

Each document has a number and is made from it alone. What is found is printed by the place where
it happened, with the numbers; the documents stay in the folder, the first of each place shrunk.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from tests.console.progress_bar import ProgressBar
from tests.fuzz.seeds import ROOT
from verifier.ending_signal import EndingSignal

if TYPE_CHECKING:
    from collections.abc import Callable

HANG_S: Final = 240.0
"""After this long without a word a process is ended: native code hears no alarm."""
INTERRUPTED: Final = 130
SHOWN_MAX: Final = 5
"""Numbers that are printed for each place."""


@dataclass(slots=True)
class Findings:
    """What a campaign found: numbers of documents by what happened, and how many were read."""

    read: int = 0
    slowest_ms: int = 0
    slowest: int = -1
    by_place: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def note(self, number: int, happened: str, spent_ms: int = 0) -> None:
        """Count a document."""
        self.read += 1
        if spent_ms > self.slowest_ms:
            self.slowest_ms, self.slowest = spent_ms, number
        if not happened:
            return
        if happened not in self.by_place:
            sys.stderr.write(f"number {number}: {happened}\n")
        self.by_place[happened].append(number)

    def __str__(self) -> str:
        """One line for each place, the most frequent first."""
        count = sum(map(len, self.by_place.values()))
        places = f"{count:,} findings at {len(self.by_place)} places"
        slowest = f"slowest {self.slowest_ms} ms (number {self.slowest})"
        lines = [f"{self.read:,} documents, {places}; {slowest}"]
        for place, numbers in sorted(self.by_place.items(), key=lambda item: -len(item[1])):
            shown = ", ".join(map(str, numbers[:SHOWN_MAX]))
            lines.append(f"  {len(numbers):6,} x {place} (numbers {shown})")
        return "\n".join(lines)


class _Worker:
    """A process that reads every `step`-th document; started again after one that ended it."""

    def __init__(self, first: int, step: int, last: int, folder: Path, module: str) -> None:
        self.next, self.step, self.last = first, step, last
        self.folder, self.module = folder, module
        self.begun: int | None = None
        self.rest = b""
        self.start()

    def start(self) -> None:
        words = [str(number) for number in (self.next, self.step, self.last)]
        self.heard_s = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, *words, str(self.folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent, which ends it
        )

    def stop(self) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait()

    def hear(self, findings: Findings) -> bool:
        """Take what it has said; return whether it goes on."""
        assert self.process.stdout is not None
        chunk = os.read(self.process.stdout.fileno(), 1 << 16)
        self.heard_s = time.monotonic()
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines:
            word, number, *said = line.decode().split(" ", 2)
            self.begun = int(number) if word == "begin" else None
            if word == "end":
                self.next = int(number) + self.step
                said_of = json.loads(said[0])
                findings.note(int(number), said_of["happened"], said_of["ms"])
        return bool(chunk)

    def ended(self, findings: Findings) -> bool:
        """Note how it ended; return whether it was started again."""
        status = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        if status == 0:
            return False
        if self.begun is None:
            raise RuntimeError(f"a worker ended with status {status} before any document")
        findings.note(self.begun, f"the process ended with status {status}")
        self.next, self.begun, self.rest = self.begun + self.step, None, b""
        if self.next >= self.last:
            return False
        self.start()
        return True


def run(
    first: int,
    documents: int,
    *,
    workers: int,
    folder: Path,
    module: str = "tests.fuzz.worker",
    advance: Callable[[], None] = lambda: None,
) -> Findings:
    """Read documents from number `first` on and return what was found; `advance` after each."""
    findings = Findings()
    with selectors.DefaultSelector() as selector, ExitStack() as ending:

        def listen(worker: _Worker) -> None:
            assert worker.process.stdout is not None
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)

        for index in range(workers):
            reader = _Worker(first + index, workers, first + documents, folder, module)
            ending.callback(reader.stop)
            listen(reader)
        while selector.get_map():
            for key, _ in selector.select(timeout=1.0):
                read = findings.read
                if not key.data.hear(findings):
                    selector.unregister(key.fileobj)
                    if key.data.ended(findings):
                        listen(key.data)
                for _ in range(findings.read - read):
                    advance()
            for key in list(selector.get_map().values()):
                if time.monotonic() - key.data.heard_s > HANG_S:
                    key.data.process.kill()
    return findings


def main() -> int:
    """Run a campaign by the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Read many random documents.")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="agentaskit-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    started_s = time.monotonic()
    try:
        with ProgressBar(Console(stderr=True), "documents", options.documents) as advance:
            findings = run(
                options.first,
                options.documents,
                workers=options.workers,
                folder=folder,
                advance=advance,
            )
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted; documents with findings are in {folder}\n")
        return INTERRUPTED
    spent_s = time.monotonic() - started_s
    sys.stdout.write(f"{findings}\n{spent_s:.0f} s; documents with findings are in {folder}\n")
    return 1 if findings.by_place else 0


if __name__ == "__main__":
    EndingSignal().listen((signal.SIGINT,))
    sys.exit(main())
