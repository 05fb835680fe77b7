"""Files that we cannot read: mistakes where the engine refuses them, else named as not judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documents.mistakes import InputError
from verifier.rule_files import loading
from verifier.rule_files.loading import load_checked_rules
from verifier.servers.prometheus.rule_check import EngineAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UNREADABLE = "groups: [\n"
GOOD = "groups: [{name: g, rules: [{alert: Good, expr: up == 0}]}]\n"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> set[bytes]:
    """Stand in for the engine, which refuses what is in the set and takes all else."""
    refused: set[bytes] = set()

    def ask(contents: Sequence[bytes]) -> EngineAnswer:
        words = (("it is wrong",) if content in refused else () for content in contents)
        return EngineAnswer("2.42.0", tuple(words))

    monkeypatch.setattr(loading, "ask_engine", ask)
    return refused


def write(folder: Path, *texts: str) -> list[Path]:
    """Write a file with each text."""
    paths = [folder / f"{number}.yaml" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return paths


@pytest.mark.usefixtures("engine")
def test_a_file_that_the_engine_reads_and_we_do_not_is_named_and_the_others_are_judged(
    tmp_path: Path,
) -> None:
    """It ends no run, and no run passes in silence without its rules: at its place, with why."""
    paths = write(tmp_path, UNREADABLE, GOOD, UNREADABLE)
    read = load_checked_rules(paths)
    assert [rule.alert for _, rule in read.alerts] == ["Good"]
    assert [(each.subject, each.place.path) for each in read.not_judged] == [
        ("every rule of the file", str(paths[0])),
        ("every rule of the file", str(paths[2])),
    ]
    for each in read.not_judged:
        assert each.reason.startswith("we cannot read it: ")
        assert each.keeps_from_passing
        assert each.place.line is not None


def test_a_file_that_neither_reads_is_a_mistake_in_our_words(
    tmp_path: Path, engine: set[bytes]
) -> None:
    """Every one of them, with its place."""
    engine.add(UNREADABLE.encode())
    paths = write(tmp_path, UNREADABLE, GOOD, UNREADABLE)
    with pytest.raises(InputError) as caught:
        load_checked_rules(paths)
    places = [mistake.place for mistake in caught.value.mistakes]
    assert [place.path for place in places if place] == [str(paths[0]), str(paths[2])]
    assert "it is wrong" not in str(caught.value)


def test_a_file_that_is_not_there_is_a_mistake_of_which_no_engine_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing to show it."""
    asked: list[bytes] = []

    def ask(contents: Sequence[bytes]) -> EngineAnswer:
        asked.extend(contents)
        return EngineAnswer("2.42.0", ((),) * len(contents))

    monkeypatch.setattr(loading, "ask_engine", ask)
    (path,) = write(tmp_path, GOOD)
    with pytest.raises(InputError, match=r"none\.yaml"):
        load_checked_rules([tmp_path / "none.yaml", path])
    assert asked == [GOOD.encode()]
