"""Dashboards of the field in a few words, and the Prometheus of a quiet world that answers them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from exporter.history.samples import EPOCH_S
from exporter.target import SCRAPE_S
from tests.verifier.simulations import NEAR, pack_rules, scenario_of, simulate
from verifier.dashboards.reader import load_dashboards
from verifier.evidence.silence import WatchedRun, emptiness_check
from verifier.judge.panel_verdicts import panel_verdicts
from verifier.pack.spread import WHOLE
from verifier.panels.answers import PanelWindow, answer_panels
from verifier.panels.emptiness import explained
from verifier.servers.prometheus import Prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verifier.judge.verdict import PanelVerdict

DURATION_S = 1200.0


@contextmanager
def quiet_world() -> Iterator[Prometheus]:
    """Run a Prometheus with twenty minutes in which nothing happens."""
    simulated = simulate(scenario_of("duration: 20m"))
    with Prometheus() as server:
        server.push(simulated.history)
        yield server


def panel(title: str, *targets: str | dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a panel; a target that is text is an expression."""
    written = [{"expr": t, "refId": "A"} if isinstance(t, str) else t for t in targets]
    return {"type": "timeseries", "title": title, "targets": written, **fields}


def board(*panels: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a classic dashboard."""
    return {"title": "Board", "schemaVersion": 39, "panels": list(panels), **fields}


def variables(*listed: dict[str, Any]) -> dict[str, Any]:
    """Return the field of a dashboard that holds its variables."""
    return {"templating": {"list": list(listed)}}


class FieldRun:
    """Dashboards asked on one server, as the judge of virtual time asks them."""

    def __init__(self, server: Prometheus, folder: Path) -> None:
        """Write dashboards to `folder`."""
        self.server, self.folder = server, folder

    def write(self, name: str, content: Any) -> Path:
        """Write a file, as JSON unless it is text."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path

    def verdicts(self, *paths: Path) -> dict[str, PanelVerdict]:
        """Return the verdict on each panel by its title; of several queries, the last."""
        panels = load_dashboards(paths).panels
        watched = WatchedRun(self.server, pack_rules(*NEAR), EPOCH_S, DURATION_S, WHOLE)
        window = PanelWindow(EPOCH_S, EPOCH_S + DURATION_S, SCRAPE_S)
        answers = answer_panels(self.server, panels, window)
        verdicts = panel_verdicts(explained(answers, emptiness_check(watched), window))
        return {verdict.panel: verdict for verdict in verdicts}

    def judge(self, content: Any) -> dict[str, PanelVerdict]:
        """Return the verdicts on one dashboard."""
        return self.verdicts(self.write("board.json", content))

    def queries(self, content: Any) -> list[str]:
        """Return what each panel of one dashboard sends, all of which must answer."""
        verdicts = self.judge(content).values()
        assert [verdict for verdict in verdicts if not verdict.ok] == []
        return [verdict.query for verdict in verdicts]

    def not_judged(self, content: Any) -> list[tuple[str, str]]:
        """Return the titles of panels that are not judged, each with its reason."""
        items = load_dashboards([self.write("board.json", content)]).not_judged
        return [(item.subject.rpartition(" / ")[2], item.reason) for item in items]
