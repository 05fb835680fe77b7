"""Other engines stand in for a Prometheus: the same questions, each answered by the real program.

What needs VictoriaMetrics, or another Prometheus, is left out loudly where there is none.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from exporter.history.samples import EPOCH_S
from tests.verifier.histories import history, labels, row, rules
from tests.verifier.simulations import HEALTHY, scenario_of
from verifier.engines.choice import EngineChoice, choose_engine
from verifier.engines.comparison import compare_engines
from verifier.engines.judge import EnginesJudge
from verifier.engines.remote import RemoteAddress, RemoteEngine
from verifier.engines.victoria_metrics import VictoriaMetrics
from verifier.errors import JudgeError
from verifier.evaluation.engine import evaluate
from verifier.servers.binaries import find
from verifier.servers.prometheus import Prometheus, QueryError, RangeQuery

OTHER = "AGENTASKIT_SIM_OTHER_PROMETHEUS"
"""Names the program of a Prometheus of 3.x beside the one that judges."""
needs_victoria_metrics = pytest.mark.skipif(
    find("victoria-metrics") is None,
    reason="NO VICTORIA METRICS: its answers were compared with nothing; install Debian's package",
)
needs_other = pytest.mark.skipif(
    OTHER not in os.environ, reason=f"NO OTHER PROMETHEUS: {OTHER} names none"
)
HISTORY = history({labels("level", job="j"): row("1*20 9*40 1*20 9*10 x .*20 9*20")})
READ = (
    {"record": "job:level:sum", "expr": "sum by (job) (level)"},
    {"alert": "High", "expr": "job:level:sum > 5", "for": "1m"},
    {"alert": "Itself", "expr": 'level > 5 unless ALERTS{alertname="Itself"}'},
)


def judged_by(server, read):
    """Return the timelines of a server that is started and ended here."""
    with server:
        server.push(HISTORY)
        evaluation = evaluate(server, read, start_s=0.0, end_s=900.0)
        assert not evaluation.not_judged
        assert server.metric_names()
        with pytest.raises(QueryError):
            server.query_range(RangeQuery("sum(", EPOCH_S, EPOCH_S, 15.0))
        return sorted((line.alert, line.labels, line.episodes) for line in evaluation.timelines)


@needs_victoria_metrics
def test_victoria_metrics_gives_the_timelines_of_prometheus(tmp_path):
    """Recorded series and rules that read themselves too; nothing is left behind."""
    read = rules(tmp_path, *READ)
    victoria = VictoriaMetrics(parent_directory=tmp_path)
    assert judged_by(victoria, read) == judged_by(Prometheus(), read)
    assert victoria.name == "victoria-metrics"
    assert not list(tmp_path.glob("agentaskit-*"))


def remote(server, **headers):
    """Return a server of ours as one at a URL."""
    address = RemoteAddress(server.url, f"{server.url}/api/v1/write", tuple(headers.items()))
    return RemoteEngine(address)


def test_an_engine_at_a_url_is_written_to_and_asked(tmp_path):
    """It says what Prometheus says; a second history is not stored on top of the first."""
    read = rules(tmp_path, *READ[:2])
    with Prometheus() as server:
        assert judged_by(remote(server), read) == judged_by(Prometheus(), read)
        with remote(server) as again, pytest.raises(JudgeError, match="name an empty tenant"):
            again.push(HISTORY)


def test_what_needs_a_store_of_its_own_is_refused_at_a_url(tmp_path):
    """A rule that reads itself is evaluated step by step, on an empty server."""
    with Prometheus() as server, pytest.raises(JudgeError, match="leave such rules out"):
        judged_by(remote(server), rules(tmp_path, READ[2]))


def test_an_engine_that_is_away_is_no_verdict():
    """With its URL and a way out."""
    address = RemoteAddress("http://127.0.0.1:9", "http://127.0.0.1:9/api/v1/write")
    with pytest.raises(JudgeError, match=r"127\.0\.0\.1:9.*check --engine"):
        RemoteEngine(address).__enter__()


SCENARIO = scenario_of("duration: 3m\nload: {rate: 1000}\n")
WINDOW = (
    {"record": "job:up:sum", "expr": "sum by (job) (up)"},
    {"alert": "Closed", "expr": "count_over_time(job:up:sum[15s]) > 1"},
)


@needs_other
def test_a_rule_on_the_left_end_of_a_window_is_a_difference(tmp_path):
    """A window over samples at the instants of evaluation holds two in 2.x, and one in 3.x."""
    choices = (EngineChoice("prometheus"), EngineChoice("3", binary=Path(os.environ[OTHER])))
    judge = EnginesJudge(rules(tmp_path, *WINDOW), choices)
    (scenario,) = compare_engines([judge(HEALTHY, SCENARIO, lambda _: None)]).scenarios
    assert [(change.alert, change.disappears) for change in scenario.differing] == [("Closed", 1)]


def test_an_engine_agrees_with_itself(tmp_path):
    """Two servers of one program, in one scenario: every alert alike, and some are active."""
    judge = EnginesJudge(rules(tmp_path, *WINDOW), (EngineChoice("prometheus"),) * 2)
    comparison = compare_engines([judge(HEALTHY, SCENARIO, lambda _: None)])
    assert comparison.is_same
    assert comparison.scenarios


@pytest.mark.parametrize(
    ("written", "kind"), [("prometheus", "prometheus"), ("victoria-metrics", "victoria-metrics")]
)
def test_an_engine_is_chosen_by_its_name(written, kind):
    """Or by the path of its program, below."""
    assert choose_engine(written, write_url=None, headers=(), scenarios=20).kind == kind


def test_an_engine_is_chosen_by_its_program(tmp_path):
    """What is called after VictoriaMetrics is one."""
    for name, kind in (("prom-3", "prometheus"), ("victoria-metrics-prod", "victoria-metrics")):
        path = tmp_path / name
        path.touch(mode=0o755)
        chosen = choose_engine(str(path), write_url=None, headers=(), scenarios=1)
        assert (chosen.kind, chosen.binary) == (kind, path)
