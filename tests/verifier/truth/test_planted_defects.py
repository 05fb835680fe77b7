"""Every defect of a panel that still shows something is noticed beside the world, by its kind."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from tests.verifier.truth.boards import JudgedBoards, documents, panel_of, panels_of, read
from verifier.judge.panel_verdicts import verdicts_on_unasked
from verifier.panels.answers import PanelAnswer
from verifier.servers.prometheus import Prometheus
from verifier.truth.declared import check_panels_exist


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """Ask one server for all tests."""
    with Prometheus() as server:
        yield JudgedBoards(server, tmp_path_factory.mktemp("boards"))


def edited(title, old, new, number=0):
    """Return the dashboards with a text of one panel's query replaced."""
    boards = documents()
    target = panel_of(boards, title)["targets"][number]
    assert old in target["expr"]
    target["expr"] = target["expr"].replace(old, new)
    return boards


def test_the_bundled_dashboards_agree_at_every_instant(judged):
    """All twenty panels, before, during and after the fault."""
    verdicts = judged.verdicts(documents())
    assert [(each.panel, each.reason) for each in verdicts if not each.ok] == []
    assert len({(each.dashboard, each.panel) for each in verdicts}) == 20
    assert all(each.truth is not None and each.truth.agrees for each in verdicts)
    assert min(len(each.truth.instants_s) for each in verdicts) >= 5


SENT, RECEIVED = "agentaskit_network_bytes_sent", "agentaskit_network_bytes_received"
DEFECTS = [
    ("Tasks processed", "tasks_processed_total", "inter_agent_messages_total",
     "it shows the rate of messages delivered: wrong metric"),
    ("Response time P95", "agentaskit_response_duration", "http_request_duration",
     "it shows the 0.95 quantile of request durations: wrong metric"),
    ("HTTP response time P99", "0.99", "0.95", "the 0.95 quantile of request durations"),
    ("Memory by tier", "agentaskit_memory_bytes", "agentaskit_active_agents * 1e6", ""),
    ("Active agents by tier", "by (tier) ", "", "is `by (tier)` missing?"),
    ("Task queue depth by priority", "by (priority) ", "", "is `by (priority)` missing?"),
    ("Agents running", "sum(agentaskit_active_agents)", "agentaskit_active_agents",
     "it shows 6 series where 1 are due: is `sum` missing?"),
    ("Response time", "by (le) ", "", "its series have no label le: is `by (le)` missing?"),
    ("Response time P95", " * 1000", "", "its values are in s, its unit is ms"),
    ("Memory by tier", " / 1e6", "", "its values are in bytes, its unit is decmbytes"),
    ("Agent capacity used", "100 * ", "", "its values are in percentunit, its unit is percent"),
    ("Agent capacity used", "928", "1000", "every value is 0.928 times what the world had"),
    ("Tasks processed", "[1m]", "[5m]", "over 5m, not over 1m: wrong window"),
    ("Burn rate 1h", "[1h]", "[5m]", ""),
    ("Availability", '{status=~"5.."}', '{status=~"4.."}', ""),
    ("Availability", '{status=~"5.."}', "", ""),
    ("Availability", "100 * (1 - ", "100 * (", ""),
    ("CPU utilisation", 'mode="idle"', 'mode="user"', ""),
    ("CPU utilisation", "1 - avg", "1 - sum", ""),
    ("Sandbox slots available", "pool_available", "pool_total", ""),
    ("Sandbox executions by pool", "increase(", "rate(", "times what the world had"),
    ("Network traffic", SENT, RECEIVED, "it shows the rate of bytes received"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "old", "new", "sentence"), DEFECTS)
def test_a_defect_of_a_query_is_noticed_and_named(judged, title, old, new, sentence):
    """In that panel alone."""
    failures = judged.failures(edited(title, old, new), title)
    assert list(failures) == [title]
    assert failures[title].startswith("at ")
    assert sentence in failures[title]


def test_two_metrics_that_changed_places_are_both_noticed(judged):
    """Each is said to be the other."""
    boards = documents()
    sent, received = panel_of(boards, "Network traffic")["targets"]
    sent["expr"], received["expr"] = received["expr"], sent["expr"]
    reasons = [each.reason for each in judged.verdicts(boards, "Network traffic") if not each.ok]
    assert [reason.partition("; ")[2] for reason in reasons] == [
        "it shows the rate of bytes received: wrong metric or matcher",
        "it shows the rate of bytes sent: wrong metric or matcher",
    ]


UNITS = [
    ("Response time P95", "s", "its values are in ms, its unit is s"),
    ("HTTP response time P95", "percent", "its unit is percent, and it shows the 0.95 quantile"),
    ("Availability", "percentunit", "its values are in percent, its unit is percentunit"),
    ("Memory by tier", "bytes", "its values are in decmbytes, its unit is bytes"),
    ("Memory by tier", "mbytes", "its values are in decmbytes, its unit is mbytes"),
    (
        "Network traffic",
        "bytes",
        "its unit is bytes, and it shows the rate of bytes received, in Bps",
    ),
    ("Tasks processed", None, "its unit is not set, and it shows the rate of tasks processed"),
]


@pytest.mark.parametrize(("title", "unit", "sentence"), UNITS)
def test_a_unit_that_was_changed_is_noticed(judged, title, unit, sentence):
    """Whether it is of the same kind or of another."""
    boards = documents()
    defaults = panel_of(boards, title)["fieldConfig"]["defaults"]
    defaults["unit"] = unit or ""
    assert sentence in judged.failures(boards, title)[title]


QUERIES = [
    (number, at)
    for number, panel in enumerate(panels_of(documents()))
    for at in range(len(panel["targets"]))
]


@pytest.mark.parametrize(("number", "at"), QUERIES)
def test_a_target_that_was_removed_is_noticed(tmp_path, number, at):
    """The whole panel is no longer asked, or one of its lines is missing."""
    boards = documents()
    panel = list(panels_of(boards))[number]
    del panel["targets"][at]
    dashboards, truths = read(tmp_path, boards)
    try:
        check_panels_exist(truths, dashboards)
    except InputError as error:
        assert panel["title"] in str(error)  # noqa: PT017 - either is right, and says which panel
        return
    answers = [PanelAnswer(p, q, ok=True, reason="") for p in dashboards.panels for q in p.queries]
    (verdict,) = verdicts_on_unasked(truths, answers, ())
    assert (verdict.panel, verdict.ok) == (panel["title"], False)
    assert "was its target removed?" in verdict.reason


@pytest.mark.parametrize("title", ["HTTP response time P95", "Response time P95"])
def test_a_quantile_without_le_shows_nothing(judged, title):
    """That was noticed before, by its emptiness."""
    failures = judged.failures(edited(title, "by (le) ", ""), title)
    assert failures[title].startswith("query returns nothing")
