"""What shows that long work goes on: a bar on a terminal, a line a minute in a log."""

from __future__ import annotations

import io

from rich.console import Console

from tests.console.progress_bar import ProgressBar


def shown(*, terminal, seconds_each, total=10):
    """Return what is written while `total` things are done, each in so many seconds."""
    file, now = io.StringIO(), [0.0]
    console = Console(file=file, force_terminal=terminal, width=80)
    with ProgressBar(console, "seeds", total, clock=lambda: now[0]) as advance:
        for _ in range(total):
            now[0] += seconds_each
            advance()
    return file.getvalue()


def test_a_log_gets_a_line_a_minute():
    """And none of what is done sooner."""
    lines = shown(terminal=False, seconds_each=25).splitlines()
    assert lines == ["seeds: 3 of 10", "seeds: 6 of 10", "seeds: 9 of 10"]
    assert shown(terminal=False, seconds_each=5) == ""


def test_a_terminal_gets_a_bar():
    """With how many are done."""
    assert "10/10" in shown(terminal=True, seconds_each=1)
