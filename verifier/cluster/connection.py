"""A connection to a Dask scheduler whose workers are found to be like this machine.

Nothing is started and nothing listens here. TLS is Dask's own: an address that begins with `tls://`
takes its certificates from Dask's configuration.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from typing import TYPE_CHECKING, Any, Final

from documents.mistakes import InputError
from verifier.cluster.machine import difference, refusal, this_machine
from verifier.errors import JudgeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECT_S: Final = 10.0
SCHEDULER: Final = "Scheduler"
ANSWER_S: Final = 60.0
"""A worker's first answer: it imports this program."""
NOTICE_S: Final = 1.0
"""A client whose scheduler has gone knows it by then."""
LOOK_S: Final = 0.05
LOGGERS: Final = ("distributed", "distributed.client", "distributed.gc", "tornado.application")
"""What Dask says of lost workers and closed connections, each by a level of its own."""
_ADDRESS: Final = re.compile(r"(tcp|tls)://(\[[0-9a-fA-F:.]+\]|[^\s/:\[\]]+):([0-9]{1,5})/?")


def check_address(address: str) -> None:
    """Raise `InputError` unless it is the address of a scheduler, `JudgeError` without Dask."""
    match = _ADDRESS.fullmatch(address)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        raise InputError(
            "--cluster must be the address of a Dask scheduler, such as tcp://scheduler:8786, got"
            f" {address}"
        )
    try:
        import distributed  # noqa: F401, PLC0415 - an extra that may be missing
    except ImportError as error:
        raise JudgeError(
            f"--cluster needs Dask ({error}): pip install 'agentaskit-sim[cluster]'"
        ) from error


class SchedulerLostError(JudgeError):
    """The scheduler is gone, or the way to it: nothing more will come from the workers."""

    def __init__(self, address: str) -> None:
        """Name its address."""
        super().__init__(
            f"the scheduler at {address} is gone, or the connection to it: see whether it runs"
            " there, and run this again"
        )


@contextlib.contextmanager
def connect(address: str) -> Iterator[Any]:
    """Give a client of the scheduler; raise `JudgeError` when none answers there.

    Raises `SchedulerLostError` for whatever fails in the block once the scheduler is gone.
    """
    check_address(address)
    import distributed  # noqa: PLC0415 - an extra that may be missing

    client_of: Any = distributed.Client  # Dask has no types here

    quieten()
    try:
        kind = asyncio.run(asyncio.wait_for(_kind_of_server(address), 2 * CONNECT_S))
    except Exception as error:
        raise _no_scheduler(address, str(error)) from error
    if kind != SCHEDULER:
        raise _no_scheduler(address, f"a {kind.lower()} does")
    try:
        client = client_of(
            address, timeout=CONNECT_S, set_as_default=False, direct_to_workers=False
        )
    except Exception as error:
        raise _no_scheduler(address, str(error)) from error
    try:
        yield client
    except (JudgeError, InputError):
        raise
    except Exception:
        require_scheduler(client, address)
        raise
    finally:
        with contextlib.suppress(Exception):
            client.close(timeout=CONNECT_S)


def quieten() -> None:
    """Let Dask print nothing, once it is imported: it is said in our words."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def require_scheduler(client: Any, address: str, *, within_s: float = NOTICE_S) -> None:
    """Raise `SchedulerLostError` if the client notices within so long that its scheduler is gone.

    What fails because of that may fail some milliseconds before.
    """
    until_s = time.monotonic() + within_s
    while client.status == "running":
        if time.monotonic() >= until_s:
            return
        time.sleep(LOOK_S)
    raise SchedulerLostError(address)


async def _kind_of_server(address: str) -> str:
    """Return what answers at an address: a scheduler, a worker.

    Dask's client would wait for ever for whoever speaks another protocol, and half a minute for a
    worker, and not end quietly.
    """
    import distributed  # noqa: PLC0415 - an extra that may be missing

    dask: Any = distributed  # it has no types here
    arguments = dask.Security().get_connection_args("client")
    comm = await dask.comm.connect(address, timeout=CONNECT_S, **arguments)
    try:
        await comm.write({"op": "identity", "reply": True})
        answer = await comm.read()
    finally:
        comm.abort()
    return str(answer["type"])


def _no_scheduler(address: str, said: str) -> JudgeError:
    reason = (said.splitlines() or ["whoever listens there says nothing"])[0]
    return JudgeError(
        f"no Dask scheduler answers at {address} ({reason[:150]}): start one by `dask scheduler`,"
        " or correct --cluster"
    )


def require_same_machines(client: Any) -> Mapping[str, str]:
    """Return what this machine runs; raise `JudgeError` unless every worker runs the same."""
    try:
        machines = client.run(this_machine, on_error="return")
    except Exception as error:
        raise JudgeError(
            f"the cluster's workers do not answer ({error}): look at their logs"
        ) from error
    if not machines:
        raise JudgeError(
            "the cluster has no workers: start one by `dask worker ADDRESS --nthreads 1`"
        )
    here = this_machine()
    for worker, machine in sorted(machines.items()):
        if isinstance(machine, Exception):
            reason = f"it cannot run agentaskit-sim ({machine})"
        else:
            reason = difference(here, machine) or ""
        if reason:
            raise JudgeError(refusal(worker, reason))
    return here
