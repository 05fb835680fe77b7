"""The bundled dashboards with one defect each, and what comes of it beside the world."""

from __future__ import annotations

import json
from dataclasses import replace

from exporter.history.samples import EPOCH_S
from exporter.target import SCRAPE_S
from simulator.load import Load
from tests.shared_folder import once
from tests.verifier.simulations import PACK, bundled, pack_depths, simulate
from verifier.dashboards.reader import load_dashboards
from verifier.judge.panel_verdicts import panel_verdicts, verdicts_on_unasked
from verifier.panels.answers import PanelWindow, answer_panels
from verifier.truth.comparison import TruthOfRun
from verifier.truth.declared import check_panels_exist, load_panel_truths
from verifier.truth.judged_panels import compared

TRUTHS = load_panel_truths(PACK / "panel-truth.yaml")
BOARDS = ("sla", "throughput", "capacity")
SCENARIO = "traffic-drop"


def documents():
    """Return the bundled dashboards, by name, to be changed."""
    return {name: json.loads((PACK / "dashboards" / f"{name}.json").read_text()) for name in BOARDS}


def panels_of(boards):
    """Yield every panel of dashboards that asks something."""
    for board in boards.values():
        yield from (panel for panel in board["panels"] if panel.get("targets"))


def panel_of(boards, title):
    """Return the panel of a title."""
    return next(panel for panel in panels_of(boards) if panel["title"] == title)


def read(folder, boards, *titles):
    """Return dashboards as they are read, and their truths, of these panels alone if any."""
    paths = []
    for name, board in boards.items():
        panels = [each for each in board["panels"] if not titles or each["title"] in titles]
        if panels:
            paths.append(folder / f"{name}.json")
            paths[-1].write_text(json.dumps({**board, "panels": panels}))
    return load_dashboards(paths), [t for t in TRUTHS if not titles or t.panel in titles]


class JudgedBoards:
    """Asks dashboards of a server with the history of a scenario, and compares them."""

    def __init__(self, server, folder):
        """Push the scenario, with the history that the dashboards read."""
        scenario = bundled(SCENARIO)
        # At a tenth of the load: what a panel shows of a world does not depend on it.
        scenario = replace(scenario, plan=replace(scenario.plan, load=Load(rate=1000.0)))
        simulated = once("truth", lambda: simulate(scenario, pack_depths()))
        self.server, self.folder = server, folder
        server.push(simulated.history)
        self.window = PanelWindow(EPOCH_S, EPOCH_S + scenario.duration_s, SCRAPE_S)
        self.run = TruthOfRun(simulated.truth, scenario, EPOCH_S, self.window)

    def verdicts(self, boards, *titles):
        """Return the verdicts on changed dashboards, on these panels alone if any."""
        dashboards, truths = read(self.folder, boards, *titles)
        check_panels_exist(truths, dashboards)
        answers = answer_panels(self.server, dashboards.panels, self.window)
        whole = compared(answers, truths, self.run)
        return (*panel_verdicts(whole), *verdicts_on_unasked(truths, whole, ()))

    def failures(self, boards, *titles):
        """Return the reasons of the panels that failed, by their titles."""
        return {each.panel: each.reason for each in self.verdicts(boards, *titles) if not each.ok}
