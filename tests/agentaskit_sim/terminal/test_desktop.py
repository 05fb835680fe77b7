"""The page is opened for a person before a desktop, and for nobody else."""

from __future__ import annotations

import threading

import pytest

from agentaskit_sim.terminal import desktop
from agentaskit_sim.terminal.desktop import has_desktop, open_page


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": "localhost:10.0", "SSH_CONNECTION": "a b"}, "linux", False),
        ({"DISPLAY": ":0", "CI": "true"}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_CONNECTION": "a b"}, "darwin", False),
    ],
)
def test_a_desktop_is_one_that_the_person_sees(environment, platform, expected):
    """Not that of another machine, and not one of CI."""
    assert has_desktop(environment, platform) is expected


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_page_is_opened_beside_a_terminal_alone(monkeypatch, is_terminal):
    """With its address; a pipe opens nothing."""
    opened, done = [], threading.Event()
    monkeypatch.setattr(desktop, "has_desktop", lambda: True)
    monkeypatch.setattr(desktop.webbrowser, "open", lambda url: (opened.append(url), done.set()))
    assert open_page("http://127.0.0.1:1/", is_terminal=is_terminal) is is_terminal
    assert done.wait(5 if is_terminal else 0.1) is is_terminal
    assert opened == ["http://127.0.0.1:1/"] * is_terminal
