"""Small packs for tests of the check: rules and boards as they would stand in files."""

from __future__ import annotations

import json

from verifier.check.checking import CheckedPack, Surroundings, check_pack
from verifier.check.exports.catalogue_exports import catalogue_exports
from verifier.check.exports.page_reader import read_page
from verifier.check.findings.rule_texts import rule_texts
from verifier.dashboards.reader import load_dashboards
from verifier.pack.panels import Dashboards
from verifier.pack.rules import RuleFiles, load_rules

CATALOGUE = catalogue_exports()


def findings(folder, *, rules=(), panels=(), exports=CATALOGUE, **around):
    """Check rules (mappings) and panels (expressions or mappings); return the findings."""
    board, routing = around.pop("board", None), around.pop("routing", None)
    rule_files = RuleFiles(())
    if rules:
        path = folder / "rules.yaml"
        path.write_text(json.dumps({"groups": [{"name": "g", "interval": "30s", "rules": rules}]}))
        rule_files = load_rules([path])
    dashboards = Dashboards(())
    if panels:
        path = folder / "board.json"
        path.write_text(json.dumps(board_of(panels) | (board or {})))
        dashboards = load_dashboards([path])
    texts = rule_texts([folder / "rules.yaml"]) if rules else {}
    boards = [folder / "board.json"] if panels else []
    pack = CheckedPack(rule_files, dashboards, boards, texts, routing)
    return check_pack(pack, Surroundings(exports, **around))


def board_of(panels):
    """Return a dashboard with these panels."""
    drawn = [
        {"title": f"P{number}", "type": "timeseries", "targets": [{"expr": panel}]}
        if isinstance(panel, str)
        else panel
        for number, panel in enumerate(panels)
    ]
    return {"title": "B", "schemaVersion": 39, "panels": drawn}


def alert(expr, **fields):
    """Return an alert with a summary on an expression."""
    annotations = {"summary": "it is so"}
    return {"alert": "A", "expr": expr, "for": "5m", "annotations": annotations} | fields


def ids(found_findings):
    """Return the ids of findings, in their order."""
    return [each.id for each in found_findings]


def page(text):
    """Return what a page exports."""
    return read_page(text, "page.txt")
