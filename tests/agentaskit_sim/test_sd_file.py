"""The file that says where the world is: whole, removed, and never another's."""

from __future__ import annotations

import json

import pytest

from agentaskit_sim.sd_file import announced
from documents.mistakes import InputError
from exporter.server.discovery import describe_target

ADDRESS = "127.0.0.1:9464"


def test_the_file_is_there_while_the_world_is(tmp_path):
    """Whole at once, and gone with it, whatever ends it."""
    path = tmp_path / "world.json"
    with announced(path, ADDRESS):
        assert json.loads(path.read_text()) == describe_target(ADDRESS)
        assert list(tmp_path.iterdir()) == [path]
    assert not path.exists()
    with pytest.raises(KeyboardInterrupt), announced(path, ADDRESS):
        raise KeyboardInterrupt
    assert not path.exists()


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    """It is an option."""
    monkeypatch.chdir(tmp_path)
    with announced(None, ADDRESS):
        assert list(tmp_path.iterdir()) == []


def test_what_a_world_left_behind_is_written_anew(tmp_path):
    """After a `kill -9`."""
    path = tmp_path / "world.json"
    path.write_text(json.dumps(describe_target("127.0.0.1:1")))
    with announced(path, ADDRESS):
        assert ADDRESS in path.read_text()


def test_another_worlds_announcement_is_not_removed(tmp_path):
    """The one that came last is the one that is told."""
    path = tmp_path / "world.json"
    with announced(path, ADDRESS):
        path.write_text("another")
    assert path.read_text() == "another"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- targets: [a]",
        "[]",
        "{}",
        '[{"targets": []}]',
        '[{"targets": ["a:1"]}]',
        '[{"targets": ["a:1", "b:1"], "labels": {"job": "agentaskit"}}]',
        '[{"targets": ["a:1"], "labels": {"job": "node"}}]',
    ],
)
def test_a_file_of_the_users_is_never_touched(tmp_path, text):
    """Anything but what a world writes is refused, and left as it is."""
    path = tmp_path / "targets.json"
    path.write_text(text)
    with pytest.raises(InputError, match="holds something else"), announced(path, ADDRESS):
        pass
    assert path.read_text() == text


def test_a_folder_that_is_not_there_is_the_users_mistake(tmp_path):
    """Said in a line."""
    with (
        pytest.raises(InputError, match="cannot be written: No such file"),
        announced(tmp_path / "no" / "world.json", ADDRESS),
    ):
        pass
