"""The pack's overlay fits the library and the extras: every name in it is there."""

from __future__ import annotations

import re

import pytest

from agentaskit_sim.front.pack_files import PACK
from agentaskit_sim.inputs import InputPaths, read_inputs
from documents.mistakes import InputError

OVERLAY = PACK / "overlays" / "extras.yaml"


def test_the_overlay_of_the_extras_fits_the_bundled_scenarios_and_rules(tmp_path):
    """And a name that is not there is a mistake: the check can fail."""
    paths = InputPaths(rules=[PACK / "alerts"], overlays=[OVERLAY])
    inputs = read_inputs(paths)
    assert inputs.notes == ()
    added = {
        e.alert for s in inputs.scenarios for e in s.expectations if e.place.path == str(OVERLAY)
    }
    assert added == {
        "AgentChurnHigh",
        "AgentaskitTargetDown",
        "ErrorBudgetBurnFast",
        "ErrorBudgetBurnSlow",
        "MessagesDropped",
        "NoRequests",
        "ThroughputUnknown",
    }
    planted = tmp_path / "extras.yaml"
    planted.write_text(OVERLAY.read_text().replace("AgentChurnHigh", "AgentChurnHihg"))
    with pytest.raises(InputError, match="did you mean 'AgentChurnHigh'"):
        read_inputs(InputPaths(rules=[PACK / "alerts"], overlays=[planted]))


def test_make_run_judges_the_extras_too(repository):
    """With the rules of the whole folder and the overlay beside it."""
    makefile = (repository / "Makefile").read_text()
    assert re.search(r"^EXTRAS := observability/overlays/extras\.yaml$", makefile, re.MULTILINE)
    assert "verify --rules observability/alerts --overlay $(EXTRAS)" in makefile
