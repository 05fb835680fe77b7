"""Expressions, each alone, with everything that is said of it: no more, no less, in its words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.verifier.check.packs import alert, findings, page

PAGE = """\
# TYPE web_requests_total counter
web_requests_total{code="200",handler="a"} 10
web_requests_total{code="200",handler="b"} 10
web_requests_total{code="500",handler="a"} 1
# TYPE web_restarts_total counter
web_restarts_total 1
# TYPE web_seconds histogram
web_seconds_bucket{handler="a",le="0.05"} 3
web_seconds_bucket{handler="a",le="0.1"} 4
web_seconds_bucket{handler="a",le="1.0"} 4
web_seconds_bucket{handler="a",le="+Inf"} 4
web_seconds_bucket{handler="b",le="0.05"} 3
web_seconds_bucket{handler="b",le="0.1"} 4
web_seconds_bucket{handler="b",le="1.0"} 4
web_seconds_bucket{handler="b",le="+Inf"} 4
# TYPE call_seconds summary
call_seconds{quantile="0.5"} 1
call_seconds_sum 3
call_seconds_count 2
# TYPE pool_size gauge
pool_size{pool="x"} 4
pool_size{pool="y"} 4
# TYPE pool_free gauge
pool_free{pool="x"} 1
pool_free{pool="y"} 2
# TYPE pool_total gauge
pool_total 8
# TYPE build info
build_info{version="1"} 1
# TYPE states stateset
states{states="on"} 1
# TYPE late_total counter
# TYPE odd untyped
odd 1
# TYPE near gauge
near{v="abcd"} 1
near{v="123a"} 1
near{v="active"} 1
near{v="node-1"} 1
# TYPE eight gauge
# TYPE nine gauge
""" + "".join(
    f'{name}{{v="v{number}"}} 1\n'
    for name, count in (("eight", 8), ("nine", 9))
    for number in range(count)
)
ENTRIES = yaml.safe_load(Path(__file__).with_name("expressions.yaml").read_text(encoding="utf-8"))
CONVENTIONS = "dashboard-linter/"
"""Of boards, which have tests of their own."""


def said_of(folder, entry):
    """Return what is said of an entry, of it alone where there are alerts and records beside."""
    fields = {key: entry[key] for key in ("for", "labels", "annotations") if key in entry}
    name = entry.get("name", "A")
    rules = [alert(entry["alert"], alert=name, **fields)] if "alert" in entry else []
    if "record" in entry:
        rules = [{"record": "r", "expr": entry["record"]}]
    for number, expr in enumerate(entry.get("beside", ())):
        record, _, recorded = expr.partition(" = ")
        rules.append(
            {"record": record, "expr": recorded} if recorded else alert(expr, alert=f"B{number}")
        )
    panels = [entry["panel"]] if "panel" in entry else []
    named = findings(folder, rules=rules, panels=panels, exports=page(PAGE))
    about = [each for each in named if "beside" not in entry or each.subject == f"alert {name}"]
    return [f"{each.id}: {each.reason}" for each in about if not each.id.startswith(CONVENTIONS)]


@pytest.mark.parametrize("number", range(len(ENTRIES)))
def test_of_an_expression_everything_is_said_and_nothing_else(tmp_path, number):
    """Its kinds, figures and names; most of the expressions are good."""
    entry = ENTRIES[number]
    assert said_of(tmp_path, entry) == entry.get("says", []), entry
