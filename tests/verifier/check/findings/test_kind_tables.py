"""The page of `check` has every kind of finding, as it is."""

from __future__ import annotations

from documents.marked_tables import fill_tables
from verifier.check.findings.kind_tables import KIND_TABLES
from verifier.check.findings.kinds import KINDS


def test_the_page_has_the_table_that_the_code_writes(repository):
    """After a change of a kind, `make docs` updates it."""
    page = (repository / "docs" / "check.md").read_text(encoding="utf-8")
    assert "<!-- `make docs` writes findings -->" in page
    assert fill_tables(page, KIND_TABLES) == page, "run `make docs`"


def test_every_kind_is_made_by_some_check(repository):
    """An id that nothing makes would be a promise; one that is no kind would be an error."""
    folder = repository / "verifier" / "check"
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in folder.rglob("*.py")
        if path.name not in ("kinds.py", "checking.py")
    )
    linted = "dashboard-linter/"
    unmade = [
        name
        for name in KINDS
        if f'"{name}"' not in code and f'"{name.removeprefix(linted)}"' not in code
    ]
    # Made of a label: template-job-rule, target-instance-rule and so on.
    assert [n for n in unmade if not n.endswith(("-job-rule", "-instance-rule"))] == []
