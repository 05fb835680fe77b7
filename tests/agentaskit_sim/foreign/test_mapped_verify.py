"""Rules on metrics of another exporter: judged in both clocks, by way of a mapping file."""

from __future__ import annotations

import json

import pytest

MAPPING = """\
target: {job: shop, instance: shop-1}
metrics:
- {name: requests_total, type: counter, from: http_requests_total, labels: {code: {from: status}}}
"""
RULES = """\
groups:
- name: shop
  interval: 15s
  rules:
  - alert: ShopQuiet
    expr: sum by (job, instance) (rate(requests_total{code="200"}[1m])) < 700
    for: 30s
  - {alert: ShopErrors, expr: 'sum(rate(requests_total{code="500"}[1m])) > 500'}
  - {alert: ShopDown, expr: 'up{job="shop"} == 0'}
"""
SCENARIO = """\
name: scenario
story: Six in ten requests are lost.
seed: 5
duration: 5m
load: {rate: 1000}
faults:
- {name: gone, fault: traffic_drop, start: 1m, duration: 2m, parameters: {share: 0.6}}
expectations:
- alert: ShopQuiet
  labels: {job: shop, instance: shop-1}
  fires_within: 2m
  resolves_within: 1m30s
"""


@pytest.fixture
def shop(tmp_path):
    """Return a function that writes the shop's files, with texts replaced, and its options."""

    def write(**replaced):
        texts = {"mapping": MAPPING, "rules": RULES, "scenario": SCENARIO}
        for name, (right, wrong) in replaced.items():
            assert right in texts[name]
            texts[name] = texts[name].replace(right, wrong)
        paths = {name: tmp_path / f"{name}.yaml" for name in texts}
        for name, text in texts.items():
            paths[name].write_text(text)
        return paths["scenario"], "--rules", paths["rules"], "--mapping", paths["mapping"]

    return write


def test_an_alert_on_a_mapped_counter_fires_and_the_others_stay_silent(command, shop):
    """The job and the instance of the mapping are on every series, on `up` too."""
    done = command("verify", *shop(), "--json")
    (scenario,) = json.loads(done.out)["scenarios"]
    verdicts = {alert["alert"]: alert for alert in scenario["alerts"]}
    assert (done.status, set(verdicts)) == (0, {"ShopQuiet", "ShopErrors", "ShopDown"})
    assert verdicts["ShopQuiet"]["firing_s"] is not None
    assert verdicts["ShopErrors"]["firing_s"] is None


@pytest.mark.ci
def test_a_name_that_the_mapping_lacks_is_vacuous_though_it_is_one_of_ours(command, shop):
    """Nothing of our own catalogue answers for the user's exporter."""
    ours = "expr: 'sum(rate(http_requests_total{status=\"500\"}[1m])) > 500'"
    theirs = "expr: 'sum(rate(requests_total{code=\"500\"}[1m])) > 500'"
    done = command("verify", *shop(rules=(theirs, ours)))
    assert done.status == 1
    assert "ShopErrors: no metric http_requests_total exists" in done.out


@pytest.mark.ci
def test_a_share_too_small_to_be_seen_fails_the_scenario(command, shop):
    """What the mapping says is what is judged: a tenth of the requests is always below."""
    tenth = "labels: {code: {from: status}, z: {share: {a: 0.1, b: 0.9}}}"
    only_a = ('requests_total{code="200"}', 'requests_total{code="200",z="a"}')
    done = command("verify", *shop(mapping=("labels: {code: {from: status}}", tenth), rules=only_a))
    assert done.status == 1
    assert "ShopQuiet" in done.out.partition("Failed")[2]


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        ({"mapping": ("http_requests_total", "http_request_total")},
         "mapping.yaml:3:47: no quantity is called 'http_request_total', did you mean"),
        ({"scenario": ("instance: shop-1}", "handler: a}")},
         "label handler of ShopQuiet must be left out"),
    ],
)  # fmt: skip
def test_mistakes_are_told_before_anything_runs(command, shop, replaced, said):
    """With status 2, and their place."""
    done = command("verify", *shop(**replaced))
    assert (done.status, said in done.err) == (2, True)


@pytest.mark.parametrize("name", ["verify", "mutate"])
def test_a_mapping_without_rules_is_refused(command, shop, name):
    """The bundled rules would all be vacuous."""
    scenario, *_, mapping = shop()
    done = command(name, scenario, "--mapping", mapping)
    assert done.status == 2
    assert "--mapping needs --rules" in done.err


@pytest.mark.ci
def test_faults_of_the_scrape_path_have_their_effect_on_mapped_series(command, shop, tmp_path):
    """A restart that no counter showed, or a fault that took no series, would be invalid."""
    _, *options = shop()
    (tmp_path / "restarts.yaml").write_text(
        "name: restarts\nstory: It restarts, and loses half of its series.\nseed: 5\n"
        "duration: 6m\nload: {rate: 1000}\nfaults:\n"
        "- {name: again, fault: counter_reset, start: 1m, duration: 30s}\n"
        "- {name: half, fault: series_vanish, start: 3m, duration: 1m, parameters: {share: 0.5}}\n"
    )
    done = command("verify", tmp_path / "restarts.yaml", *options, "--json")
    (scenario,) = json.loads(done.out)["scenarios"]
    assert (done.status, scenario["verdict"]) == (0, "pass")
