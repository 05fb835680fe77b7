"""`mapping`: what it proposes, checks, lists and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.schemas.validation import validate
from verifier.mapping.mapping_text import SCHEMAS

EXAMPLE = Path(__file__).parents[4] / "examples" / "web-service" / "mapping.yaml"
PAGE = """\
# TYPE http_server_requests_total counter
http_server_requests_total{code="2xx"} 3
http_server_requests_total{code="5xx"} 0
# TYPE feature_flag gauge
feature_flag 1
"""


@pytest.fixture
def page(tmp_path):
    """Return a /metrics page in a file."""
    path = tmp_path / "page.txt"
    path.write_text(PAGE)
    return path


def checked(command, name, *arguments):
    """Run a subcommand with --json; return its document, valid by its published schema."""
    document = json.loads(command("mapping", *arguments, "--json").out)
    validate(document, json.loads(SCHEMAS[name].read_text()))
    return document


def test_a_proposal_can_be_used_as_it_is(command, page, tmp_path):
    """It is a mapping file, and what it left out stands in it as a comment."""
    done = command("mapping", "new", "--metrics", page)
    assert (done.status, done.err) == (0, "1 metric mapped, 1 not\n")
    assert "#   feature_flag (gauge): no gauge of ours is near" in done.out
    (tmp_path / "mapping.yaml").write_text(done.out)
    assert command("mapping", "check", "mapping.yaml").status == 0


def test_the_example_makes_what_its_page_in_the_docs_says(command):
    """Five codes, two methods, three handlers; eleven buckets, +Inf, count and sum for each."""
    document = checked(command, "check", "check", EXAMPLE)
    assert [(each["name"], each["series"]) for each in document["metrics"]] == [
        ("requests_total", 30),
        ("request_duration_seconds", 42),
        ("requests_in_flight", 1),
    ]
    assert (document["job"], document["notes"]) == ("shop", [])


def test_every_document_keeps_its_schema(command, page):
    """Closed at every level, so that a key too many is noticed."""
    proposal = checked(command, "proposal", "new", "--metrics", page)
    assert [each["metric"] for each in proposal["unmapped"]] == ["feature_flag"]
    assert len(checked(command, "quantities", "quantities")["quantities"]) > 40
    with pytest.raises(jsonschema.ValidationError):
        validate({**proposal, "more": 1}, json.loads(SCHEMAS["proposal"].read_text()))


def test_a_bucket_between_two_of_ours_is_said(command, tmp_path):
    """It is no mistake, and a person must know of it."""
    text = EXAMPLE.read_text().replace("[0.005, 0.01", "[0.005, 0.0333")
    (tmp_path / "mapping.yaml").write_text(text)
    done = command("mapping", "check", "mapping.yaml")
    assert done.status == 2  # 0.0333 stands before 0.025
    (tmp_path / "mapping.yaml").write_text(text.replace("0.025, ", ""))
    done = command("mapping", "check", "mapping.yaml")
    assert "request_duration_seconds: no buckets of ours end at 0.0333: what lies" in done.out


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("check", "nowhere.yaml"), 2, "nowhere.yaml: no such file"),
        (("new", "--metrics", "nowhere.txt"), 2, "nowhere.txt: no such file"),
        (("new", "--metrics", "http://127.0.0.1:9/metrics"), 3, "no page"),
        (("new",), 2, "Missing option '--metrics'"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(command, arguments, status, said):
    """With the status of bad input, or of an exporter that does not answer."""
    done = command("mapping", *arguments)
    assert (done.status, said in done.err) == (status, True)


def test_a_page_without_anything_near_is_no_mapping(command, tmp_path):
    """An empty proposal would be a file that is refused later."""
    (tmp_path / "page.txt").write_text("# TYPE feature_flag gauge\nfeature_flag 1\n")
    done = command("mapping", "new", "--metrics", "page.txt")
    assert (done.status, done.out) == (2, "")
    assert "nothing of page.txt is near to a quantity of ours" in done.err
    assert "Not mapped:\n  feature_flag (gauge): no gauge of ours is near\n" in done.err


def test_a_page_of_names_that_no_mapping_may_have_says_so(command, tmp_path):
    """They are left out with the reason, whether anything else is on the page or not."""
    up = '# TYPE up gauge\nup{job="x"} 1\n'
    reason = "up (gauge): name must be none that the simulator or Prometheus itself writes"
    (tmp_path / "page.txt").write_text(up)
    done = command("mapping", "new", "--metrics", "page.txt")
    assert (done.status, done.out, reason in done.err) == (2, "", True)
    (tmp_path / "page.txt").write_text(up + PAGE)
    done = command("mapping", "new", "--metrics", "page.txt")
    assert (done.status, f"#   {reason}" in done.out) == (0, True)


def test_the_schema_of_mapping_files_is_printed(command):
    """For editors; the published file is the same."""
    done = command("mapping", "schema")
    published = Path(__file__).parents[4] / "verifier" / "mapping" / "mapping.schema.json"
    assert json.loads(done.out) == json.loads(published.read_text())


def test_names_stand_in_one_line_where_there_is_no_terminal(command, tmp_path, monkeypatch):
    """However long they are: who reads a pipe searches for them."""
    monkeypatch.delenv("COLUMNS", raising=False)
    name = "a_name_of_" + "very_" * 20 + "many_words"
    (tmp_path / "mapping.yaml").write_text(
        f"metrics:\n  - {{name: {name}, type: gauge, from: agentaskit_tasks_in_flight}}\n"
    )
    (row,) = [each for each in command("mapping", "check", "mapping.yaml").out.splitlines()
              if name in each]  # fmt: skip
    assert row.split() == [name, "gauge", "agentaskit_tasks_in_flight", "1"]
    quantities = json.loads(command("mapping", "quantities", "--json").out)["quantities"]
    rows = [each.split() for each in command("mapping", "quantities").out.splitlines()]
    for each in quantities:
        assert [each["name"], each["type"]] in [row[:2] for row in rows]
        assert any(row[-1] == each["help"].split()[-1] for row in rows if each["name"] in row)
