"""The overlay file's form: what alerts of one's own must do in scenarios that know nothing of them.

Called by `scenarios.overlay`. An expectation is written as in a scenario file.
"""

from __future__ import annotations

from pydantic import Field

from scenarios.schema.models import ExpectationModel, Model


class AddedExpectationsModel(Model):
    """What is added to a scenario."""

    expectations: list[ExpectationModel] = Field(default=[])


class AcceptedModel(Model):
    """An alert or a panel that may stay without a verdict, with the reason."""

    alert: str | None = Field(default=None, min_length=1, description="Name of an alert.")
    panel: str | None = Field(
        default=None, min_length=1, description="A panel: `Title of the dashboard / its title`."
    )
    reason: str = Field(min_length=1, description="Why that is all right; it is reported.")


class OverlayModel(Model):
    """Expectations by the scenario's name, `*` for all; and what is accepted."""

    scenarios: dict[str, AddedExpectationsModel] = Field(
        default={}, description="By the name of a scenario; `*` stands for all."
    )
    accept: list[AcceptedModel] = Field(default=[], description="What need not be judged.")
