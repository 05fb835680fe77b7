"""Progress is one updating block on a terminal and few plain lines otherwise."""

from __future__ import annotations

import io

from rich.console import Console

from agentaskit_sim.terminal.progress import ProgressConsole
from tests.verifier.outcomes import outcome, unjudged
from verifier.judge.verdict import Progress


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self):
        """Begin at 0."""
        self.now_s = 0.0

    def __call__(self):
        """Return seconds."""
        return self.now_s


def progress_at(virtual_s, name="drop"):
    """Return the progress of a scenario of 20 minutes."""
    return Progress(
        scenario=name, phase="simulating", virtual_s=virtual_s, of_s=1200.0, times_real_time=250.0
    )


def test_a_pipe_gets_a_line_every_ten_seconds_and_a_line_for_each_verdict():
    """A log file is not flooded, and holds no escape sequence."""
    text, clock = io.StringIO(), ManualClock()
    with ProgressConsole(12, Console(file=text, width=40), clock) as console:
        for step in range(100):
            clock.now_s = step * 0.25
            console.progress(progress_at(step * 10.0))
        console.done(outcome())
        console.done(unjudged())
    assert text.getvalue().splitlines() == [
        "drop: simulating 6m40s of 20m, 250 times real time",
        "drop: simulating 13m20s of 20m, 250 times real time",
        "[ 1/12] drop                         pass    30m event by event, 1h30m resampled, in 2.0s",
        "[ 2/12] burn                         invalid 30m event by event, 1h30m resampled, in 2.0s",
    ]


def test_a_terminal_gets_one_block_that_is_removed_at_the_end():
    """It lists the scenarios in progress, and is drawn at most ten times a second."""
    text, clock = io.StringIO(), ManualClock()
    terminal = Console(file=text, force_terminal=True, width=100, color_system=None)
    with ProgressConsole(3, terminal, clock) as console:
        console.progress(progress_at(600.0, "first"))
        console.progress(progress_at(900.0, "second"))
        assert "second" not in text.getvalue()
        clock.now_s = 0.2
        console.progress(progress_at(900.0, "second"))
        drawn = text.getvalue()
        console.done(outcome("first"))
        console.say("a [word]")
    assert "0 of 3 scenarios judged" in drawn
    assert "first" in drawn
    assert "simulating 15m of 20m, 250 times real time" in drawn
    assert "1 of 3 scenarios judged" in text.getvalue()
    assert "a [word]" in text.getvalue()
    assert text.getvalue().rpartition("\x1b[2K")[2].strip("\r\x1b[A") == ""


def test_what_goes_on_past_the_end_is_no_part_of_the_scenario():
    """A run in real time waits for what is still due; it never is 25 minutes of 20."""
    text, clock = io.StringIO(), ManualClock()
    with ProgressConsole(1, Console(file=text, width=40), clock) as console:
        for at_s in (1200.0, 1500.0):
            console.progress(progress_at(at_s))
            clock.now_s += 60.0
            console.progress(progress_at(at_s))
    assert text.getvalue().splitlines() == [
        "drop: simulating 20m of 20m, 250 times real time",
        "drop: simulating, 5m past its end at 20m: what is still due is waited for",
    ]
