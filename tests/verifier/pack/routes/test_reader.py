"""Each mistake in Alertmanager's configuration is refused with its place, as amtool refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from documents.mistakes import InputError
from documents.yaml_reader import parse_texts
from tests.verifier.pack.routing_files import GOOD, accepted, receivers
from verifier.pack.routes import engine_check
from verifier.pack.routes.engine_check import EngineOpinion, ask_alertmanager
from verifier.pack.routes.reader import read_config
from verifier.servers.binaries import describe, require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verifier.pack.routes.routing import Routing

MISTAKES = [
    (
        "receiver: page",
        "receiver: paeg",
        "6:17: no receiver is called 'paeg', did you mean 'page'?",
    ),
    ("  receiver: mail\n", "", "2:3: receiver must be text that is not empty, got nothing"),
    ("name: page", "name: mail", "11:11: the receiver 'mail' is given twice"),
    (
        "group_interval: 1m",
        "group_interval: 1",
        "7:23: duration must be written like 30s, 5m or 1h30m, got '1'",
    ),
    ("group_interval: 1m", "group_interval: 0s", "7:23: group_interval must be above 0s"),
    ("group_interval: 1m", "repeat_interval: 0s", "7:24: repeat_interval must be above 0s"),
    (
        "group_interval: 1m",
        "continue: perhaps",
        "7:17: continue must be true or false, got 'perhaps'",
    ),
    (
        "group_interval: 1m",
        "groupwait: 1m",
        "7:7: unknown key 'groupwait', did you mean 'group_wait'?",
    ),
    (
        "group_interval: 1m",
        "match: [a]",
        "7:14: route.routes[0].match must be a mapping, got a list",
    ),
    ("group_interval: 1m", "match_re: {a: (}", "7:21: regular expression '(' is not valid"),
    (
        "group_interval: 1m",
        "mute_time_intervals: [x]",
        "7:29: no time interval is called 'x', none is defined",
    ),
    (
        "name: page",
        "name: ''",
        "6:17: no receiver is called 'page', the names are mail",
    ),
    ("group_interval: 1m", "routes: [null]", "7:16: a route must be a mapping, got nothing"),
    ('team="db"', "team", "5:18: a matcher must be written like severity=\"critical\", got 'team'"),
    ("[alertname]", "[alertname, alertname]", "3:25: the label 'alertname' is given twice"),
    ("[alertname]", "[alertname, ...]", "3:25: '...', which is every label, must be alone"),
    (
        "  group_by",
        "  continue: true\n  group_by",
        "2:3: the root route must take every alert: no matchers",
    ),
    (
        "  group_by",
        "  match: {a: b}\n  group_by",
        "2:3: the root route must take every alert: no matchers",
    ),
    ("route:", "root:", "1:1: unknown key 'root', did you mean 'route'?"),
    ("receivers:", "receiver:", "8:1: unknown key 'receiver', did you mean 'receivers'?"),
    ("webhook_configs", "webhook_config", "10:5: unknown key 'webhook_config'"),
]


@pytest.mark.sampled(9)
@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES)
def test_each_mistake_has_its_place_and_is_one_of_alertmanagers_own(
    tmp_path: Path, read: Callable[[str], Routing], *, right: str, wrong: str, message: str
) -> None:
    """One good document, one mutation each; amtool refuses it too."""
    assert right in GOOD
    broken = GOOD.replace(right, wrong, 1)
    with pytest.raises(InputError) as caught:
        read(broken)
    start = f"{tmp_path / 'alertmanager.yml'}:{message}"
    assert [line for line in str(caught.value).splitlines() if line.startswith(start)]
    assert "refuses it: " in str(caught.value)
    assert not accepted(broken, tmp_path)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("receiver: page", "receiver: paeg", '6:17: {it} undefined receiver "paeg" used in route'),
        ("group_interval: 1m", "groupwait: 1m", "7:1: {it} field groupwait not found in type"),
        (
            "webhook_configs: [{url: http://127.0.0.1/}]\n  - name: page",
            "slack_configs: [{channel: a}]\n  - name: page",
            "10:21: {it} no ",
        ),
        ("url: http", "urls: http", "10:1: {it} field urls not found in type"),
        ("[alertname]", "[a, a]", '3:14: {it} duplicated label "a" in group_by'),
    ],
)
def test_what_alertmanager_refuses_is_refused_in_its_words_at_a_place(
    tmp_path: Path, read: Callable[[str], Routing], right: str, wrong: str, message: str
) -> None:
    """Settings of integrations, which we do not read at all, among them."""
    broken = GOOD.replace(right, wrong, 1)
    with pytest.raises(InputError) as caught:
        read(broken)
    expected = message.replace(
        "{it}", f"Alertmanager {describe('alertmanager').version} refuses it:"
    )
    assert f"{tmp_path / 'alertmanager.yml'}:{expected}" in str(caught.value)


def test_without_amtool_the_server_says_the_same(tmp_path: Path, monkeypatch) -> None:
    """It is started for as long as it reads the file."""
    server = tmp_path / "bin" / "alertmanager"
    server.parent.mkdir()
    server.symlink_to(require("alertmanager"))
    monkeypatch.setattr(engine_check, "find", lambda _name: server)
    path = tmp_path / "alertmanager.yml"
    path.write_text(GOOD)
    assert ask_alertmanager(path).is_taken
    path.write_text(GOOD.replace("receiver: page", "receiver: paeg"))
    opinion = ask_alertmanager(path)
    assert opinion.words == 'undefined receiver "paeg" used in route'
    assert not opinion.is_taken


@pytest.mark.sampled(9)
@pytest.mark.parametrize(("right", "wrong", "message"), MISTAKES)
def test_without_an_alertmanager_our_own_reader_refuses_the_same(
    read: Callable[[str], Routing], monkeypatch, *, right: str, wrong: str, message: str
) -> None:
    """No opinion is not a good one: its mistakes stay mistakes, in its own words alone."""
    monkeypatch.setattr(engine_check, "find", lambda _name: None)
    with pytest.raises(InputError) as caught:
        read(GOOD.replace(right, wrong, 1))
    assert f"alertmanager.yml:{message}" in str(caught.value)
    assert "refuses it: " not in str(caught.value)
    assert read(GOOD).receivers == ("mail", "page")


@pytest.mark.parametrize(
    ("version", "words", "taken"),
    [("0.27.0", "", True), ("0.27.0", "no route", False), ("", "", False)],
)
def test_a_file_is_taken_when_an_alertmanager_was_asked_and_has_nothing_against_it(
    version: str, words: str, *, taken: bool
) -> None:
    """Nobody asked, nobody took it."""
    assert EngineOpinion(version, words).is_taken is taken


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (("", "", ""), (None, None, None)),
        (("2m", "", ""), (120, 120, 120)),
        (("2m", "1m", ""), (120, 60, 60)),
        (("2m", "", "1m"), (120, 120, 60)),
        (("", "10s", ""), (None, 10, 10)),
        (("2m", "0s", ""), (120, 0, 0)),
        (("0s", "", "1m"), (0, 0, 60)),
    ],
)
@pytest.mark.parametrize(("key", "default_s"), [("group_wait", 30), ("group_interval", 300)])
def test_a_route_waits_as_it_says_itself_or_as_the_next_above_that_says_so(
    key: str, default_s: float, written: tuple[str, ...], seconds: tuple[float | None, ...]
) -> None:
    """Alertmanager's own wait is for a root that says nothing; none at all is a wait too."""
    root, middle, leaf = (f"{key}: {text}, " if text else "" for text in written)
    text = (
        f"route: {{{root}receiver: a, routes: [{{{middle}match: {{x: y}},"
        f" routes: [{{{leaf}match: {{x: z}}}}]}}]}}\n{receivers('a')}"
    )
    reading = read_config(next(parse_texts(text, "alertmanager.yml")))
    route = reading.root
    routes = (route, route.routes[0], route.routes[0].routes[0])
    expected = [default_s if each is None else each for each in seconds]
    assert [getattr(each, f"{key}_s") for each in routes] == expected
    # To Alertmanager an interval of nothing is a mistake, and a wait of nothing is not.
    is_refused = key == "group_interval" and "0s" in written
    assert bool(reading.mistakes) == is_refused


def test_the_good_document_is_good(tmp_path: Path, read: Callable[[str], Routing]) -> None:
    """Or every mutation of it would be refused for nothing."""
    assert read(GOOD).receivers == ("mail", "page")
    assert accepted(GOOD, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: the key 'route' is missing: it says who is notified"),
        (receivers("a"), "1:1: the key 'route' is missing: it says who is notified"),
        ("route: []\n" + receivers("a"), "1:8: route must be a mapping, got a list"),
        (
            "route: {receiver: a}\nreceivers: {name: a}\n",
            "2:12: receivers must be a list, got a mapping",
        ),
    ],
)
def test_a_file_without_a_route_is_refused(
    read: Callable[[str], Routing], text: str, message: str
) -> None:
    """Nobody is notified by default."""
    with pytest.raises(InputError, match=message):
        read(text)


def test_a_mistake_of_alertmanager_is_placed_where_its_word_stands_and_in_no_comment(tmp_path):
    """Not in a longer word either; without any, it is of the whole file."""
    path = tmp_path / "am.yml"
    path.write_text("# the pager\nroute:\n  # pager\n  receiver: my_pager\n  x: [pager]\n")
    for words, place in (
        ('undefined receiver "pager" used', (5, 7)),
        ("route is wrong", (2, 1)),
        ('undefined receiver "chat"', (None, None)),
    ):
        stated = engine_check._place_of(words, str(path))
        assert (stated.line, stated.column) == place
