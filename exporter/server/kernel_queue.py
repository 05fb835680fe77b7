"""What the kernel still holds of the answers of a connection, which no transport knows.

A client that does not read leaves a whole page of megabytes in the kernel's buffers: to the event
loop it is sent, to the machine it is memory. Linux tells; elsewhere the kernel's share counts as
taken. Used by the limits on connections, and imports nothing of this project.
"""

from __future__ import annotations

import socket
import struct
import sys
from contextlib import suppress
from typing import Final

if sys.platform == "linux":
    import fcntl
    import termios

_ACKNOWLEDGED: Final = struct.Struct("=120xQ")
"""In TCP_INFO: the bytes that the client's kernel has acknowledged (Linux 4.1 and later)."""
_INFO: Final = 11
"""TCP_INFO, which the module `socket` names on Linux alone."""


def queued_bytes(descriptor: int) -> int:
    """Return how much the kernel holds for a connection that its client has not taken."""
    if sys.platform != "linux" or descriptor < 0:
        return 0
    with suppress(OSError):
        answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(answer, sys.byteorder)
    return 0


def taken_bytes(sock: socket.socket) -> int:
    """Return how much the client has taken since the connection began; 0 where nobody knows."""
    if sys.platform != "linux":
        return 0
    with suppress(OSError, struct.error):
        answer = sock.getsockopt(socket.IPPROTO_TCP, _INFO, _ACKNOWLEDGED.size)
        return int(_ACKNOWLEDGED.unpack(answer)[0])
    return 0


def give_up_after(listener: socket.socket, seconds: float) -> None:
    """Let the kernel drop connections of `listener` whose client takes nothing for `seconds`.

    It is for those that are closed here but not sent to their end: nobody but the kernel knows
    them any more, and it would keep what they hold for many minutes.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        listener.setsockopt(socket.IPPROTO_TCP, option, round(seconds * 1000))


def hold_unsent_below(listener: socket.socket, size: int) -> None:
    """Let the kernel take about `size` bytes for a connection of `listener` beyond what is sent.

    What has been sent and is on its way to a client that reads does not count, so that a long way
    is used as before; without this, the kernel takes megabytes for one that does not.
    """
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        listener.setsockopt(socket.IPPROTO_TCP, option, size)
