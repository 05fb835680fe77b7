"""Expressions that are too long for an engine to be asked about: named, and the others judged."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from verifier.dashboards.reader import load_dashboards
from verifier.promql.parsing import is_askable, parse
from verifier.rule_files.loading import load_checked_rules

if TYPE_CHECKING:
    from pathlib import Path

LONG = {
    "additions": "up" + "+up" * 50_000,
    "signs": "-" * 100_000 + "up",
    "functions": "sum(" * 20_000 + "up" + ")" * 20_000,
    "sets": "up" + " or up" * 50_000,
}
DEEP = {
    "differences": "up" + " - av" * 2000,
    "brackets": "(" * 2000,
    "braces": "up{" * 1000,
    "subqueries": "up" + "[5m:1m]" * 2000,
}


@pytest.mark.parametrize("expr", [*LONG.values(), *DEEP.values()], ids=[*LONG, *DEEP])
def test_a_deep_expression_is_refused_before_the_library_sees_it(expr: str) -> None:
    """The library's own stack would end, and with it the process."""
    with pytest.raises(ValueError, match=r"."):
        parse(expr)


def test_a_rule_too_long_to_ask_about_is_not_judged_and_the_others_are(tmp_path: Path) -> None:
    """The engine would take a minute for it; what stands beside it is asked about as ever."""
    path = tmp_path / "rules.yaml"
    rules = [{"alert": name, "expr": expr} for name, expr in LONG.items()]
    group = {"name": "g", "rules": [*rules, {"alert": "Good", "expr": "up == 0"}]}
    path.write_text(json.dumps({"groups": [group]}), encoding="utf-8")
    started_s = time.process_time()
    read = load_checked_rules([path])
    assert time.process_time() - started_s < 5
    assert [rule.alert for _, rule in read.alerts] == ["Good"]
    assert [each.subject for each in read.not_judged] == [f"alert {name}" for name in LONG]
    assert all("more than 5,000 operators and brackets" in str(each) for each in read.not_judged)


def test_a_panel_too_long_to_ask_about_is_left_out(tmp_path: Path) -> None:
    """Each question would take a minute."""
    path = tmp_path / "board.json"
    panels = [
        {"title": name, "targets": [{"expr": expr}]}
        for name, expr in (*LONG.items(), ("good", "up"))
    ]
    path.write_text(json.dumps({"title": "b", "panels": panels}), encoding="utf-8")
    boards = load_dashboards([path])
    assert [panel.title for panel in boards.panels] == ["good"]
    assert len(boards.not_judged) == len(LONG)


def test_long_texts_are_no_operators() -> None:
    """A list of a thousand names is one matcher."""
    names = "|".join(f"name-{number}" for number in range(20_000))
    assert is_askable(f'up{{instance=~"{names}"}} == 0')
