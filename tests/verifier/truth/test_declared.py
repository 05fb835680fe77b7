"""A file of panel truths is read whole, and every mistake in it has its place and a way out."""

from __future__ import annotations

import pytest

from documents.mistakes import InputError
from tests.verifier.simulations import PACK
from tests.verifier.truth.boards import documents, read
from verifier.truth.declared import check_panels_exist, load_panel_truths

GOOD = {
    "dashboard": "D", "panel": "P", "quantity": "tasks processed", "take": "rate",
    "window": "1m", "unit": "ops",
}  # fmt: skip


def load(tmp_path, **changes):
    """Read a file with one entry, changed."""
    entry = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    path = tmp_path / "truth.yaml"
    lines = [f"    {key}: {value}" for key, value in entry.items()]
    path.write_text("panels:\n  -\n" + "\n".join(lines) + "\n")
    return load_panel_truths(path)


def test_the_pack_declares_each_of_its_queries_once(tmp_path):
    """Twenty panels, one of them with two."""
    truths = load_panel_truths(PACK / "panel-truth.yaml")
    dashboards, _ = read(tmp_path, documents())
    check_panels_exist(truths, dashboards)
    assert len({truth.subject for truth in truths}) == 20
    assert len(truths) == sum(len(panel.queries) for panel in dashboards.panels) == 21


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"quantity": "tasks procesed"}, "did you mean 'tasks processed'?"),
        ({"take": "value"}, "take must be"),
        ({"unit": "opps"}, "did you mean 'ops'?"),
        ({"window": None}, "window must be a duration"),
        ({"window": "1 fortnight"}, "window"),
        ({"quantile": 0.5}, "quantile must be left out but of a quantile"),
        ({"by": "tier"}, "a label must be"),
        ({"where": "{priority: '('}"}, "where must be regular expressions"),
        ({"of": "memory"}, "of must be"),
        ({"colour": "red"}, "unknown key"),
        ({"panel": None}, "panel"),
    ],
)
def test_a_mistake_is_named_at_its_place(tmp_path, changes, sentence):
    """File and line come first."""
    with pytest.raises(InputError) as raised:
        load(tmp_path, **changes)
    assert sentence in str(raised.value)
    assert "truth.yaml:" in str(raised.value)


def test_a_panel_that_is_not_there_is_refused(tmp_path):
    """With the name that is nearest."""
    dashboards, _ = read(tmp_path, documents())
    truths = load(tmp_path, dashboard="AgentAsKit / SLA", panel="Availabilty")
    with pytest.raises(InputError, match="did you mean 'AgentAsKit / SLA / Availability'"):
        check_panels_exist(truths, dashboards)
