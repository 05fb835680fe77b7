"""A small scenario with one fault, its timelines and an outcome, for tests of the judge."""

from __future__ import annotations

from dataclasses import replace

from scenarios.loader import parse_scenario
from verifier.evaluation.timeline import Episode, Timeline
from verifier.judge.alert_verdicts import judge
from verifier.judge.verdict import Engine, PanelVerdict, ScenarioOutcome

ALERTS = ("Throughput", "Queue", "Latency")
SCENARIO = """\
name: s
story: From 3m to 12m something is wrong.
seed: 1
duration: 30m
faults:
  - {name: gone, fault: agent_hang, start: 3m, duration: 9m}
"""
FIRES = "{alert: Throughput, fires_within: 7m, resolves_within: 3m}"


def scenario_with(*expectations, more=""):
    """Return a scenario with one fault from 180 s to 720 s and these expectations."""
    listed = "".join(f"  - {expectation}\n" for expectation in expectations)
    return parse_scenario(f"{SCENARIO}{more}expectations:\n{listed or '  []'}\n", "s.yaml")


def timeline(alert, *episodes, **labels):
    """Return a timeline of (pending, firing, resolved) episodes."""
    return Timeline(
        alert, tuple(sorted(labels.items())), tuple(Episode(*instants) for instants in episodes)
    )


def verdict_on(verdicts, alert="Throughput"):
    """Return the only verdict on `alert`."""
    (verdict,) = [verdict for verdict in verdicts if verdict.alert == alert]
    return verdict


GOOD = (210.0, 510.0, 780.0)


def outcome(**changes):
    """Return the outcome of a pass, changed."""
    good = ScenarioOutcome(
        name="s",
        seed=1,
        engine=Engine(name="prometheus", version="2.42.0"),
        duration_s=1800.0,
        exact_s=600.0,
        resampled_s=1200.0,
        wall_s=2.0,
        alerts=judge(scenario_with(FIRES), ALERTS, [timeline("Throughput", GOOD)]),
        panels=(
            PanelVerdict(dashboard="SLA", panel="P95", query="up", ok=True, reason="1 series"),
        ),
    )
    return replace(good, **changes)
