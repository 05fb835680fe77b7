"""Every alert has a runbook that can be worked with at three in the morning."""

from __future__ import annotations

import re

import pytest

from tests.observability.names import EXPORTED, metrics_of

SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
FOREIGN = {
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "prometheus_tsdb_lowest_timestamp_seconds",
    "ALERTS_FOR_STATE",
}
NAMES = EXPORTED | FOREIGN


def queries(text):
    """Return the PromQL of every fenced block."""
    return re.findall(r"```promql\n(.*?)\n *```", text, re.DOTALL)


def faults(name, text, directory):
    """Return one line for everything that is wrong with a runbook."""
    mistakes = []
    if not text.startswith(f"# {name}\n"):
        mistakes.append("title")
    if re.findall(r"^## (.+)$", text, re.MULTILINE) != SECTIONS:
        mistakes.append("sections")
    bodies = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    mistakes += [
        f"{section} is empty"
        for section, body in zip(SECTIONS, bodies, strict=False)
        if len(body.strip()) < 20
    ]
    if len(bodies) > 2 and not queries(bodies[2]):
        mistakes.append("no query")
    for query in queries(text):
        try:
            read = metrics_of(query)
        except ValueError:
            mistakes.append(f"not PromQL: {query.strip()}")
        else:
            mistakes += [f"unknown metric {metric}" for metric in sorted(read - NAMES)]
    links = re.findall(r"\]\(([^)]+)\)", text)
    mistakes += [f"dead link {link}" for link in links if not (directory / link).is_file()]
    return mistakes


def test_every_alert_has_its_runbook_and_no_runbook_lacks_its_alert(pack, every_rule):
    """By file name."""
    there = {path.stem for path in (pack / "runbooks").glob("*.md")}
    assert there == {rule["alert"] for rule in every_rule} | {"README"}


def test_every_runbook_has_its_four_sections_and_queries_that_can_be_run(pack):
    """Meaning, Impact, Diagnosis, Mitigation; PromQL that parses and reads exported metrics."""
    for path in sorted((pack / "runbooks").glob("*.md")):
        if path.stem != "README":
            assert faults(path.stem, path.read_text(), path.parent) == [], path.name


@pytest.mark.parametrize(
    ("right", "wrong", "mistake"),
    [
        ("## Impact", "## Effect", "sections"),
        ("# HighMemoryUsage", "# Memory", "title"),
        ("(HighTaskQueueDepth.md)", "(QueueDepth.md)", "dead link QueueDepth.md"),
        (
            "sum(agentaskit_task_queue_depth)",
            "sum(agentaskit_queue_depth)",
            "unknown metric agentaskit_queue_depth",
        ),
        (
            "sum(agentaskit_task_queue_depth)",
            "sum(agentaskit_task_queue_depth",
            "not PromQL: sum(agentaskit_task_queue_depth",
        ),
    ],
)
def test_a_runbook_that_is_wrong_is_caught(pack, right, wrong, mistake):
    """One good page, one mutation each."""
    path = pack / "runbooks" / "HighMemoryUsage.md"
    text = path.read_text()
    assert right in text
    assert faults(path.stem, text.replace(right, wrong), path.parent) == [mistake]


def test_the_index_names_every_runbook(pack):
    """And its own queries can be run too."""
    text = (pack / "runbooks" / "README.md").read_text()
    pages = {path.name for path in (pack / "runbooks").glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\]\((\w+\.md)\)", text)) == pages
    assert all(metrics_of(query) <= NAMES for query in queries(text))
