"""`replay`: what it prints, its exit status, how it is resumed, and how it refuses."""

from __future__ import annotations

import html
import json
import re

import pytest

from exporter.history.samples import EPOCH_S
from tests.schemas.validation import validate
from tests.verifier.histories import history, labels, row, write_rules
from verifier.backtest.progress_file import NAME
from verifier.backtest.replay import Replay
from verifier.backtest.result import SCHEMA
from verifier.servers.prometheus import Prometheus

SPAN = ("--from", f"{EPOCH_S}", "--to", f"{EPOCH_S + 3600}")
HIGH = {"alert": "High", "expr": "level > 5", "for": "1m"}
TYPO = {"alert": "Typo", "expr": "levle > 5"}


@pytest.fixture(scope="module")
def prometheus():
    """Return a Prometheus with an hour of one series, which is high twice."""
    values = row("1*60 9*40 1*9 9*40 1*92")
    with Prometheus() as server:
        server.push(history({labels("level", job="j"): values}))
        yield server


@pytest.fixture
def replayed(command, prometheus, tmp_path):
    """Return a function that replays rules over the hour."""

    def run(*written, arguments=()):
        rules = write_rules(tmp_path, *written)
        return command(
            "replay", "--rules", rules, "--prometheus", prometheus.url, *SPAN, *arguments
        )

    return run


def test_a_replay_prints_what_fired_and_ends_well(replayed):
    """Counts, shares, the sum; progress on standard error."""
    done = replayed(HIGH)
    assert done.status == 0
    assert re.search(r"High +2 +48\.00 +1 ", done.out)
    assert "REPLAY: 2 firings of 1 alert in 1h (2026-01-05T00:00:00Z to" in done.out
    assert "no samples" not in done.out
    assert "Replaying 1 alert: 247 evaluations to read ..." in done.err


@pytest.mark.parametrize(("limit", "status"), [("47", 1), ("48", 0)])
def test_a_noisy_alert_is_status_1(replayed, limit, status):
    """Where a limit is set."""
    assert replayed(HIGH, arguments=("--fail-over", limit)).status == status


def test_a_vacuous_alert_is_named_and_no_pass(replayed):
    """With its place; nothing passes that could not have fired."""
    done = replayed(HIGH, TYPO)
    assert done.status == 3
    assert re.search(r"rules.yaml:1:\d+: Typo: vacuous: nothing is stored of levle", done.out)


def test_json_is_one_document_by_the_published_schema(replayed, tmp_path):
    """With the episodes in Unix seconds, and what another version changes."""
    (tmp_path / "old").mkdir()
    old = write_rules(tmp_path / "old", {**HIGH, "for": "2m"}, {"alert": "Old", "expr": "level"})
    done = replayed(HIGH, arguments=("--against", old, "--json", "--out", tmp_path / "out"))
    document = json.loads(done.out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert document["no_samples"] == []
    assert json.loads((tmp_path / "out" / "replay.json").read_text()) == document
    (high, *_) = document["alerts"]
    assert high["series"][0]["episodes"][0] == {
        "pending": EPOCH_S + 900, "firing": EPOCH_S + 960, "resolved": EPOCH_S + 1500
    }  # fmt: skip
    assert document["changes"]["gone"] == ["Old"]
    assert document["changes"]["alerts"][0]["fires_later_s"] == [-60, -60]
    assert not (tmp_path / "out" / NAME).exists()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Old: gone, " in page
    assert 'job="j"' in html.unescape(page)


def test_an_ended_run_goes_on_with_resume_and_only_with_the_same_rules(
    replayed, tmp_path, monkeypatch
):
    """Ctrl-C keeps what was counted; other rules, or another range, are refused."""
    out = ("--out", tmp_path / "out")
    whole = replayed(HIGH).out

    def interrupted(replay, watch):
        run(replay, lambda stream: (watch(stream), interrupt()))

    def interrupt():
        raise KeyboardInterrupt

    run = Replay.run
    monkeypatch.setattr(Replay, "run", interrupted)
    ended = replayed(HIGH, arguments=out)
    assert (ended.status, ended.out) == (130, "")
    assert "the same command with --resume goes on" in ended.err
    monkeypatch.setattr(Replay, "run", run)
    other = replayed({**HIGH, "for": "2m"}, arguments=(*out, "--resume"))
    assert (other.status, "is of other rules than these" in other.err) == (2, True)
    moved = replayed(HIGH, arguments=(*out, "--resume", "--to", f"{EPOCH_S + 60}"))
    assert (moved.status, "is of another range" in moved.err) == (2, True)
    assert replayed(HIGH, arguments=(*out, "--resume")).out == whole


def test_where_nothing_is_stored_is_said_and_stays_so_when_resumed(replayed, tmp_path, monkeypatch):
    """An hour before the first sample: named in the lines, in the document and on the page."""
    span = ("--from", f"{EPOCH_S - 3600}", "--to", f"{EPOCH_S + 3600}", "--out", tmp_path / "out")
    whole = replayed(HIGH, arguments=span)
    assert whole.status == 0
    line = "read: 2026-01-04T23:00:00Z to 2026-01-05T00:00:00Z, 1h of 2h: what is said of that time"
    assert line in whole.out
    assert line in (tmp_path / "out" / "report.html").read_text()
    run = Replay.run
    monkeypatch.setattr(Replay, "run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert replayed(HIGH, arguments=span).status == 130
    monkeypatch.setattr(Replay, "run", run)
    document = json.loads(replayed(HIGH, arguments=(*span, "--resume", "--json")).out)
    validate(document, json.loads(SCHEMA.read_text()))
    assert document["no_samples"] == [{"from": EPOCH_S - 3600, "to": EPOCH_S}]


def test_a_range_without_any_sample_is_not_judged(replayed):
    """Not even by an alert on absence, which fired: the store may be the wrong one."""
    span = ("--from", f"{EPOCH_S - 3600}", "--to", f"{EPOCH_S - 60}")
    done = replayed({"alert": "Gone", "expr": "absent(level)"}, arguments=span)
    assert done.status == 3
    assert "to 2026-01-04T23:59:00Z, all of the range: nothing could be judged. Check" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--resume",), "--resume needs --out"),
        (("--last", "7d"), "give either --from and --to, or --last DURATION"),
        (("--from", "yesterday"), "--from must be RFC3339"),
        (("--from", f"{EPOCH_S + 7200}"), "--from must be before --to"),
        (("--to", "2099-01-01T00:00:00Z"), "--to must not be in the future"),
        (("--header", "team"), "--header must be NAME=VALUE"),
        (("--prometheus", "localhost:9090"), "--prometheus must be like http://127.0.0.1:9090"),
        (("--out", "out", "--resume"), "there is nothing to resume here"),
        (("--timeout", "0s"), "--timeout must be above 0s"),
    ],
)
def test_a_mistake_is_status_2_with_a_way_out(replayed, arguments, said):
    """Before anything is asked."""
    done = replayed(HIGH, arguments=arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


def test_a_server_that_is_away_is_status_3(command, tmp_path, monkeypatch):
    """After a few attempts, each of which is said."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    rules = write_rules(tmp_path, HIGH)
    done = command("replay", "--rules", rules, "--prometheus", "http://127.0.0.1:9", *SPAN)
    assert done.status == 3
    assert "trying again in 1 s" in done.err
    assert "5 times in a row" in done.err.splitlines()[-1]


def test_a_vacuous_alert_of_the_other_version_is_named_and_no_failure(replayed, tmp_path):
    """It may be what the new version mends."""
    (tmp_path / "old").mkdir()
    old = write_rules(tmp_path / "old", TYPO)
    done = replayed(HIGH, arguments=("--against", old))
    assert done.status == 0
    assert "Typo: vacuous: nothing is stored of levle" in done.out
