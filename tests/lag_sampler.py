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
    worst_s, late, sleeps, woken_s = 0.0, 0, 0, time.monotonic()
    while True:
        readable, _, _ = select.select([sys.stdin], [], [], SLEEP_S)
        # Counted from the last wake-up, so that no stall falls between two sleeps.
        now_s = time.monotonic()
        delay_s, woken_s = now_s - woken_s - SLEEP_S, now_s
        worst_s, late, sleeps = max(worst_s, delay_s), late + (delay_s > LATE_S), sleeps + 1
        if readable:
            if not sys.stdin.readline():
                return
            sys.stdout.write(json.dumps({"worst_s": worst_s, "late_share": late / sleeps}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
