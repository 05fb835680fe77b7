"""The target file: whole, removed at the end, and never a file of the user's."""

from __future__ import annotations

import json

import pytest

from agentaskit_sim.sd_file import target_file
from documents.mistakes import InputError
from exporter.server.discovery import describe_targets

ADDRESS = "127.0.0.1:9464"


def test_the_file_is_there_while_the_world_is(tmp_path):
    """Complete from the start, and removed however the world ends."""
    path = tmp_path / "world.json"
    with target_file(path, ADDRESS):
        assert json.loads(path.read_text()) == describe_targets(ADDRESS)
        assert list(tmp_path.iterdir()) == [path]
    assert not path.exists()
    with pytest.raises(KeyboardInterrupt), target_file(path, ADDRESS):
        raise KeyboardInterrupt
    assert not path.exists()


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    """The option is not set."""
    monkeypatch.chdir(tmp_path)
    with target_file(None, ADDRESS):
        assert list(tmp_path.iterdir()) == []


def test_a_file_left_behind_by_a_world_is_overwritten(tmp_path):
    """After a `kill -9`."""
    path = tmp_path / "world.json"
    path.write_text(json.dumps(describe_targets("127.0.0.1:1")))
    with target_file(path, ADDRESS):
        assert ADDRESS in path.read_text()


def test_the_file_of_another_world_is_not_removed(tmp_path):
    """The last world to start owns the file."""
    path = tmp_path / "world.json"
    with target_file(path, ADDRESS):
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
    """Any other content is refused, and left as it is."""
    path = tmp_path / "targets.json"
    path.write_text(text)
    with pytest.raises(InputError, match="holds something else"), target_file(path, ADDRESS):
        pass
    assert path.read_text() == text


def test_a_missing_folder_is_the_users_mistake(tmp_path):
    """Reported in one line."""
    with (
        pytest.raises(InputError, match="cannot be written: No such file"),
        target_file(tmp_path / "no" / "world.json", ADDRESS),
    ):
        pass
