"""Options of commands that take several files."""

from __future__ import annotations

from agentaskit_sim.options import repeat_options


def test_an_option_takes_the_files_that_follow_it():
    """Other arguments stay scenarios."""
    assert repeat_options(
        ["verify", "a", "--rules", "b.yaml", "c.yml", "d", "e.yaml", "--json"]
    ) == [
        *("verify", "a", "--rules", "b.yaml", "--rules", "c.yml"),
        *("d", "e.yaml", "--json"),
    ]
    assert repeat_options(["--dashboards", "a.json", "b.json", "--rules=c.yaml", "d.yaml"]) == [
        *("--dashboards", "a.json", "--dashboards", "b.json", "--rules=c.yaml", "d.yaml")
    ]


def test_the_last_option_may_lack_its_file():
    """Typer then reports what is missing."""
    assert repeat_options(["verify", "--rules"]) == ["verify", "--rules"]
    assert repeat_options(["--rules", "--json", "a.yaml"]) == ["--rules", "--json", "a.yaml"]
