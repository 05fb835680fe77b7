"""A mapping in commands beside `verify`: `check` holds rules against it, `up` takes overlays."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentaskit_sim.commands import up as up_module

SHOP = Path(__file__).parents[3] / "examples" / "web-service"
MAPPED = ("--rules", SHOP / "rules.yaml", "--mapping", SHOP / "mapping.yaml")
BOARDS = ("--dashboards", SHOP / "dashboards")


def test_rules_and_panels_of_a_mapped_system_ask_for_what_the_mapping_makes(command):
    """Nothing is phantom; without the mapping everything is."""
    done = command("check", *MAPPED, *BOARDS, "--routing", SHOP / "alertmanager.yml")
    assert (done.status, " 0 errors, 0 warnings," in done.out) == (0, True)
    assert f"held against what {SHOP / 'mapping.yaml'} makes" in done.out
    assert "phantom-metric" in command("check", *MAPPED[:2], *BOARDS).out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "requests_in_flight{",
            "request_in_flight{",
            "error [phantom-metric] alert ShopCrowded: nobody exports request_in_flight",
        ),
        ('method="GET"', 'method="get"', "has method='get', it has GET and POST"),
        ('handler="/checkout"', 'page="/checkout"', "has the label page"),
        ('code=~"5.."', 'code=~"6.."', "has code='6..', it has 200, 429, 500, 503 and 504"),
    ],
)
def test_what_the_mapping_does_not_make_is_a_finding(command, tmp_path, old, new, said):
    """Each with its place: in the mapped world such a rule could never fire."""
    rules = tmp_path / "rules.yaml"
    rules.write_text((SHOP / "rules.yaml").read_text().replace(old, new))
    done = command("check", "--rules", rules, *MAPPED[2:])
    assert done.status == 1
    assert said in done.out


def test_a_page_of_another_target_counts_together_with_the_mapping(command, tmp_path):
    """What a rule reads of both is exported by somebody."""
    (tmp_path / "page.txt").write_text("# TYPE queue_depth gauge\nqueue_depth 1\n")
    (tmp_path / "r.yaml").write_text(
        "groups: [{name: g, rules: [{alert: A, for: 1m, annotations: {summary: x}, expr: "
        "'sum(requests_in_flight) > 5 and sum(queue_depth) > 3'}]}]\n"
    )
    mapped = ("check", "--rules", "r.yaml", "--mapping", SHOP / "mapping.yaml")
    assert "nobody exports queue_depth" in command(*mapped).out
    assert "phantom" not in command(*mapped, "--metrics", "page.txt").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", *MAPPED[2:]), "--mapping needs --rules or --dashboards"),
        (("check", *MAPPED[:2], "--mapping", "none.yaml"), "none.yaml: no such file"),
        (("up", "--overlay", "o.yaml"), "--overlay needs --exit-at-end and servers of ours"),
    ],
)
def test_what_would_be_held_against_nothing_is_refused(command, arguments, said):
    """Before anything runs."""
    done = command(*arguments)
    assert (done.status, done.out) == (2, "")
    assert said in done.err


@pytest.mark.parametrize("overlay", [(), ("--overlay", SHOP / "overlay.yaml")])
def test_an_overlay_says_what_a_watched_run_must_show(command, monkeypatch, overlay):
    """A scenario of the library that knows nothing of the shop, judged at its end."""
    judges = []

    def caught(_, judged, __):
        judges.append(judged)
        return 0

    monkeypatch.setattr(up_module, "_run_or_judge", caught)
    ends = ("--exit-at-end", "--compress", "20", "--routing", SHOP / "alertmanager.yml")
    done = command("up", "traffic-drop", *MAPPED, *ends, *overlay)
    assert done.status == 0
    ((judge, record),) = judges
    (scenario,) = judge.inputs.scenarios
    assert [each.alert for each in scenario.expectations] == ["ShopTrafficGone"] * bool(overlay)
    assert [each.path for each in record.files if each.kind == "overlay"] == list(
        map(str, overlay[1:])
    )
