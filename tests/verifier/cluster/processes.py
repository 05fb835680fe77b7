"""A scheduler and its workers as processes of their own: what ends one of them ends no other."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time

from distributed import Client

START_S, END_S = 60.0, 60.0


def free_port():
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def wait_until_open(port, within_s=START_S):
    """Wait for somebody to listen there."""
    until_s = time.monotonic() + within_s
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0):
                return
        except OSError:
            assert time.monotonic() < until_s, f"nobody listens on port {port}"
            time.sleep(0.05)


def _start(kind, *words):
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words, "--no-dashboard",
         "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@contextlib.contextmanager
def scheduler_with(workers):
    """Give a scheduler's process, its address, and the processes of so many workers."""
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    scheduler = _start("scheduler", "--port", str(port))
    processes = [scheduler]
    try:
        wait_until_open(port)
        processes += [_start("worker", address, "--nthreads", "1") for _ in range(workers)]
        if workers:
            with Client(address, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=START_S)
        yield scheduler, address, processes[1:]
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
