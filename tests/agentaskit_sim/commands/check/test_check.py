"""`check`: what it prints, its exit status, and how it refuses."""

from __future__ import annotations

import json

import pytest

PAGE = '# TYPE a_total counter\na_total{x="1"} 1\n'


def rules(*exprs):
    """Return the text of a rule file with an alert on each expression."""
    alerts = [
        {"alert": f"A{n}", "expr": expr, "for": "5m", "annotations": {"summary": "s"}}
        for n, expr in enumerate(exprs)
    ]
    return json.dumps({"groups": [{"name": "g", "rules": alerts}]})


def test_the_bundled_pack_passes(command):
    """Without any argument: rules and dashboards against the catalogue."""
    done = command("check")
    assert done.status == 0, done.out
    assert done.out.splitlines()[-1].startswith("PASS: 0 errors, 0 warnings,")


@pytest.mark.parametrize(
    ("expr", "status", "said"),
    [
        ("sum(rate(a_total[5m])) > 1", 0, "PASS: 0 errors"),
        ('sum(rate(a_total{x="2"}[5m])) > 1', 0, "info [empty-child] alert A0: no series"),
        ("sum(rate(b_total[5m])) > 1", 1, "r.yaml:1:"),
        (
            "sum(rate(b_total[5m])) > 1",
            1,
            "error [phantom-metric] alert A0: nobody exports b_total",
        ),
    ],
)
def test_the_findings_decide_the_status(command, tmp_path, expr, status, said):
    """An error or a warning fails, what is worth knowing does not."""
    (tmp_path / "r.yaml").write_text(rules(expr))
    (tmp_path / "page.txt").write_text(PAGE)
    options = ("--rules", "r.yaml", "--metrics", "page.txt", "--report", "c.html")
    done = command("check", *options)
    assert (done.status, said in done.out) == (status, True), done.out
    page = (tmp_path / "c.html").read_text()
    assert f"<title>{'fail' if status else 'pass'}: agentaskit-sim check" in page
    assert ("phantom-metric" in page) == bool(status)


def test_every_finding_of_the_bundled_pack_is_explained_by_its_own_file(command, tmp_path):
    """Without that file they stand; with it each has a reason, and none is left over."""
    (tmp_path / "none.yaml").write_text("silences: []\n")
    bare = json.loads(command("check", "--silence", "none.yaml", "--json").out)
    explained = json.loads(command("check", "--json").out)
    assert (bare["verdict"], explained["verdict"]) == ("fail", "pass")
    assert explained["findings"] == []
    silenced = [
        {k: v for k, v in e.items() if k != "silenced_because"} for e in explained["silenced"]
    ]
    assert silenced == bare["findings"]
    assert all(len(each["silenced_because"]) > 20 for each in explained["silenced"])


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--metrics", "none.txt"), 2, "none.txt: no such file"),
        (("--metrics", "r.yaml"), 2, "r.yaml:1:1: the line must be a sample"),
        (("--metrics", "http://127.0.0.1:9/metrics"), 3, "Is the exporter running"),
        (("--rules", "none.yaml"), 2, "none.yaml: no such file"),
        (("extra",), 2, "unexpected extra argument"),
    ],
)
def test_bad_input_is_refused_with_a_way_out(command, tmp_path, arguments, status, said):
    """An exporter that does not answer is no bad input: nothing could be judged."""
    (tmp_path / "r.yaml").write_text(rules("vector(1) > 2"))
    done = command("check", *arguments)
    assert (done.status, said in done.err) == (status, True), done.err
