"""Where a verdict goes: JUnit, the page of a GitHub step, and places that cannot be written.

And what goes with it: the command and the files of the run.
"""

from __future__ import annotations

import hashlib
import sys

import pytest

from agentaskit_sim.inputs import InputPaths
from agentaskit_sim.run_files import record
from agentaskit_sim.verdict_output import VerdictOutput, check_places
from documents.mistakes import InputError
from tests.verifier.outcomes import failing, outcome
from verifier.judge.verdict import INTERRUPTED
from verifier.report.saved.results import Results


@pytest.fixture
def publish(tmp_path, monkeypatch):
    """Return a function that publishes outcomes, results and all."""
    monkeypatch.chdir(tmp_path)

    def run(*outcomes, junit_file=None, as_json=False):
        VerdictOutput(Results(tmp_path / "here"), junit_file, as_json).publish(outcomes)

    return run


@pytest.mark.parametrize("as_json", [False, True])
def test_results_that_replace_earlier_ones_say_so_in_a_line(publish, tmp_path, capsys, as_json):
    """The first time nothing was there; a folder with other files has no results."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "notes.txt").touch()
    said = f"{tmp_path / 'here'}: the results of an earlier run there were replaced\n"
    publish(outcome(), as_json=as_json)
    assert said not in capsys.readouterr().err
    publish(failing(), as_json=as_json)
    assert capsys.readouterr().err.count(said) == 1
    assert (tmp_path / "here" / "notes.txt").exists()


def test_the_summary_is_appended_to_the_page_of_a_github_step(publish, tmp_path, monkeypatch):
    """Earlier steps and runs keep what they wrote."""
    page = tmp_path / "page.md"
    page.write_text("# Build\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    publish(outcome())
    publish(failing())
    text = page.read_text()
    assert text.startswith("# Build\n# Verdict: pass\n")
    assert text.count("# Verdict: fail") == 1
    assert (tmp_path / "here" / "summary.md").read_text() in text


def test_a_page_that_cannot_be_written_is_one_warning(publish, tmp_path, monkeypatch, capsys):
    """The verdict stands; nothing else is lost."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "none" / "page.md"))
    publish(outcome())
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "GITHUB_STEP_SUMMARY: " in captured.err
    assert captured.err.endswith("page.md cannot be written: No such file or directory\n")
    assert "PASS: 1 of 1" in captured.out


def test_outside_of_github_no_page_is_written(publish, tmp_path, monkeypatch):
    """An empty variable is none."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "")
    publish(outcome())
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("folder", "this is a folder: name a file in it"), ("no/x.xml", "there is no such folder")],
)
def test_a_junit_file_that_cannot_be_written_is_noticed_before_anything_runs(
    tmp_path, name, reason
):
    """A run may take minutes."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as caught:
        check_places(None, tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: cannot be written: {reason}"
    check_places(tmp_path / "x.xml", None)


def test_the_report_is_written_to_another_place_too(tmp_path, monkeypatch, capsys):
    """The same page; where it cannot be, that is said."""
    monkeypatch.chdir(tmp_path)
    results = Results(tmp_path / "here")
    VerdictOutput(results, None, as_json=True, report_file=tmp_path / "r.html").publish([outcome()])
    assert (tmp_path / "r.html").read_text() == (tmp_path / "here" / "report.html").read_text()
    capsys.readouterr()
    lost = VerdictOutput(results, None, as_json=True, report_file=tmp_path / "no" / "r.html")
    with pytest.raises(InputError, match=r"r\.html: cannot be written"):
        lost.publish([outcome()])


def test_a_run_of_which_nothing_was_judged_saves_nothing(publish, tmp_path, capsys):
    """There is nothing to keep, and a line says so; of one scenario that was judged there is."""
    cut = outcome("late", invalid=(INTERRUPTED,))
    publish(cut)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "Interrupted: 0 of 1 judged, nothing was saved\n")
    publish(outcome(), cut)
    assert "INVALID: 1 of 2 scenarios pass" in capsys.readouterr().out


def test_every_named_file_is_recorded_with_its_checksum(tmp_path, monkeypatch):
    """Files of a folder one by one; a bundled scenario is none."""
    monkeypatch.setattr(sys, "argv", ["agentaskit-sim", "verify", "traffic-drop", "--rules", "a b"])
    for name in ("one.yaml", "two.rules", "board.json", "mine.yaml", "over.yaml"):
        (tmp_path / name).write_text(name)
    folder = tmp_path / "rules"
    folder.mkdir()
    (tmp_path / "one.yaml").rename(folder / "one.yaml")
    paths = InputPaths(
        ("traffic-drop", str(tmp_path / "mine.yaml")),
        [folder, tmp_path / "two.rules"],
        [tmp_path / "board.json"],
        [tmp_path / "over.yaml"],
    )
    run = record(paths)
    assert run.command == "agentaskit-sim verify traffic-drop --rules 'a b'"
    assert [(file.kind, file.path.rpartition("/")[2]) for file in run.files] == [
        ("scenario", "mine.yaml"),
        ("rules", "one.yaml"),
        ("rules", "two.rules"),
        ("dashboard", "board.json"),
        ("overlay", "over.yaml"),
    ]
    assert run.files[1].sha256 == hashlib.sha256(b"one.yaml").hexdigest()
    changed = folder / "one.yaml"
    changed.write_text("changed")
    assert record(paths).files[1].sha256 != run.files[1].sha256


@pytest.mark.parametrize(
    "words",
    [
        ["--header", "Authorization=Bearer hush", "--last", "7d"],
        ["--header=Authorization=Bearer hush", "--last", "7d"],
        ["--engine-header", "Authorization=hush", "--header", "X=hush", "traffic-drop"],
    ],
)
def test_a_header_of_the_command_is_recorded_without_its_value(monkeypatch, words):
    """It may be a password; what comes after it stays."""
    monkeypatch.setattr("sys.argv", ["agentaskit-sim", "replay", *words])
    command = record(InputPaths()).command
    assert "hush" not in command
    assert "Authorization=..." in command
    assert command.endswith(words[-1])
