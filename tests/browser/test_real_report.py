"""The report of a real run, in a browser: what is drawn is what the verdict says."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys

import pytest

from tests.browser.drawn_alert import Expected, disagreements
from tests.verifier.simulations import PACK

DRAWN = "[data-drawn=yes] .row canvas"
SCENARIO = """\
name: small-leak
story: A pool leaks its slots, at a tenth of the load.
seed: 42
duration: 7m
load: {rate: 1000}
faults:
  - name: leak
    fault: sandbox_leak
    start: 1m
    duration: 3m
    targets: {sandboxes: [B]}
    parameters: {share: 0.95}
expectations:
  - alert: SandboxPoolExhaustion
    labels: {sandbox_type: B}
    fires_within: 3m
    resolves_within: 2m
"""
LEVEL = 0.1
"""Of the rule: `agentaskit_sandbox_pool_available / agentaskit_sandbox_pool_total < 0.1`."""
CHART = re.compile(r'(?<=id="chart-scenario-small-leak" data-scenario="small-leak">)[^<]*')


@pytest.fixture(scope="module")
def results(tmp_path_factory, repository):
    """Verify the scenario, with the four rules of one file; return the folder of the results."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "small-leak.yaml").write_text(SCENARIO)
    arguments = (
        *("verify", folder / "small-leak.yaml", "--out", folder / "out", "--jobs", "1"),
        *("--rules", PACK / "alerts" / "backpressure.yaml"),
        *("--dashboards", PACK / "dashboards" / "capacity.json"),
    )
    subprocess.run([sys.executable, "-m", "agentaskit_sim", *arguments], cwd=repository, check=True)
    return folder / "out"


@pytest.fixture
def expected(results):
    """Return the alert as the verdict of the run has it."""
    (scenario,) = json.loads((results / "verdict.json").read_text())["scenarios"]
    (verdict,) = (each for each in scenario["alerts"] if each["expected"] == "fires")
    assert verdict["ok"]
    assert verdict["labels"]["sandbox_type"] == "B"
    times_s = (
        verdict["onset_s"] + verdict[f"{name}_s"] for name in ("pending", "firing", "resolved")
    )
    return Expected(verdict["alert"], ("sandbox_type", "B"), LEVEL, *times_s)


def test_it_draws_what_the_verdict_says(results, view, expected):
    """The condition, its threshold and the episode, at the verdict's times; quiet, all of it."""
    view.open_file(results / "report.html")
    view.page.wait_for_selector(DRAWN)
    assert disagreements(view.page, expected) == []
    view.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    view.page.wait_for_selector(".tile")
    assert (view.console, view.requests, view.failed) == ([], [], [])
    assert view.accessibility_faults() == []


def shift_threshold(chart):
    """Move the level of the alert's condition to three times as much."""
    for row in chart["rows"]:
        for threshold in row["thresholds"] if row["group"] == "alert" else ():
            threshold["value"] *= 3


def shift_curves(chart):
    """Move the values of the alert's condition by two minutes, of pool B alone: others cover it."""
    for row in chart["rows"]:
        if row["group"] == "alert":
            row["times_s"] = [time + 120 for time in row["times_s"]]
            row["series"] = [s for s in row["series"] if s["labels"].get("sandbox_type") == "B"]


def shift_episodes(chart):
    """Move what the alert did by ten seconds."""
    for lane in chart["lanes"]:
        for episode in lane["episodes"]:
            episode["firing_s"] += 10


@pytest.fixture
def show_shifted(results, view, tmp_path):
    """Return what plants a change in the chart that the run wrote, and shows its page.

    `dict` changes nothing.
    """

    def show(shift):
        def shifted(text):
            chart = json.loads(gzip.decompress(base64.b64decode(text[0])))
            shift(chart)
            return base64.b64encode(gzip.compress(json.dumps(chart).encode())).decode()

        page, times = CHART.subn(shifted, (results / "report.html").read_text(encoding="utf-8"))
        assert times == 1
        (tmp_path / "report.html").write_text(page, encoding="utf-8")
        view.open_file(tmp_path / "report.html")
        view.page.wait_for_selector(DRAWN)
        return view.page

    return show


@pytest.mark.parametrize(
    ("shift", "complaints"),
    [
        (dict, []),
        (shift_threshold, ["no line at the threshold", "a line of a threshold where none is"]),
        (shift_curves, ["the curve is first below", "the curve is above the level again"]),
        (shift_episodes, ["the bar pending", "the bar firing"]),
    ],
)
def test_a_document_that_says_something_else_is_noticed(show_shifted, expected, shift, complaints):
    """Planted in the page that the run wrote: a level, a curve, an episode in the wrong place."""
    said = disagreements(show_shifted(shift), expected)
    assert len(said) == len(complaints)
    assert all(line.startswith(start) for line, start in zip(said, complaints, strict=True))


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("plot.setSeries(2, {show: false})", "no pixel of the curve at the pending instant"),
        ("{ plot.row.thresholds = []; plot.redraw(); }", "no line at the threshold"),
    ],
)
def test_what_is_not_painted_is_noticed(show_shifted, expected, script, complaint):
    """Planted in the view: the document is right, and the canvas is not."""
    page = show_shifted(dict)
    find = "[...[...views.values()][0][0].plots.values()].find(each => each.row.alert)"
    assert disagreements(page, expected) == []
    page.evaluate(f"() => {{ const plot = {find}; {script}; }}")
    page.wait_for_timeout(50)
    assert disagreements(page, expected) == [complaint]
