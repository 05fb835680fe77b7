"""The signal that ends a run: raised once, where an exception does no harm, and not lost.

Used by the command line and by the worker processes of a suite.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

EXIT_SIGNALLED: Final = 128
"""Plus the signal's number, as shells do."""
AGAIN_S: Final = 0.02
"""After this long a callback that ignored the signal has returned, and a critical part is over."""
_CRITICAL: Final = "llvmlite"
"""Its objects are freed first and marked as freed after: an exception between the two frees them
again in their finalizer, and the process aborts with its servers still running."""


class EndingSignal:
    """Raises the first signal that comes, as an exception that unwinds the run.

    `KeyboardInterrupt` for SIGINT, else `SystemExit` with the status of the signal, so that every
    child process ends and every temporary folder is removed.
    """

    def __init__(self) -> None:
        """Take no signal yet."""
        self.number: int | None = None
        self._handled: tuple[int, ...] = ()

    def listen(self, numbers: Iterable[int]) -> None:
        """Handle these signals from now on; to be called in the main thread."""
        self.number = None
        self._handled = tuple(numbers)
        for number in self._handled:
            signal.signal(number, self._come)
        sys.unraisablehook = self._raise_again

    @property
    def status(self) -> int:
        """The exit status of a run that the signal ended; raises `ValueError` without a signal."""
        if self.number is None:
            raise ValueError("no signal has come")
        return EXIT_SIGNALLED + self.number

    def _come(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        # A second signal would interrupt the unwinding and leave servers behind.
        for handled in self._handled:
            signal.signal(handled, signal.SIG_IGN)
        self._unwind(number, frame)

    def _unwind(self, _: int, frame: FrameType | None) -> None:
        if _is_critical(frame):
            self._unwind_soon()
        else:
            self._raise()

    def _raise(self) -> NoReturn:
        if self.number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(self.status)

    def _unwind_soon(self) -> None:
        signal.signal(signal.SIGALRM, self._unwind)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)

    def _raise_again(self, ignored: sys.UnraisableHookArgs) -> None:
        """Unwind a moment later where the signal came in a callback that lets no exception out.

        Such callbacks are those of weak references, as of every lock of an import, and finalizers:
        the run would go on, and hear no other signal. Whatever else is ignored is printed, as ever.
        """
        if self.number and isinstance(ignored.exc_value, KeyboardInterrupt | SystemExit):
            self._unwind_soon()
        else:
            sys.__unraisablehook__(ignored)


def _is_critical(frame: FrameType | None) -> bool:
    """Return whether any function that is being executed is one that must not be interrupted."""
    while frame is not None:
        if str(frame.f_globals.get("__name__")).split(".")[0] == _CRITICAL:
            return True
        frame = frame.f_back
    return False
