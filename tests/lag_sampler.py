"""Measures how late this machine wakes a process that sleeps; a line in, a line of JSON out.

Run as a program by `tests.machine_lag`, with nothing but the standard library.
"""

import json
import select
import sys
import time

SLEEP_S = 0.02
LATE_S = 0.05


def main() -> None:
    """Sleep again and again; answer each line with the worst delay and the share of late ones."""
    worst_s, late, sleeps = 0.0, 0, 0
    while True:
        start_s = time.monotonic()
        readable, _, _ = select.select([sys.stdin], [], [], SLEEP_S)
        if readable:
            if not sys.stdin.readline():
                return
            share = late / sleeps if sleeps else 0.0
            sys.stdout.write(json.dumps({"worst_s": worst_s, "late_share": share}) + "\n")
            sys.stdout.flush()
            continue
        delay_s = time.monotonic() - start_s - SLEEP_S
        worst_s, late, sleeps = max(worst_s, delay_s), late + (delay_s > LATE_S), sleeps + 1


if __name__ == "__main__":
    main()
