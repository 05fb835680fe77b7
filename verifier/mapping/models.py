"""The form of mapping files: keys and types, from which the JSON Schema is made.

Called by `verifier.mapping.reader`, which checks whether values fit together and fit our metrics.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from scenarios.schema.models import Model


def _as_text(value: object) -> object:
    """Return a whole number as the text that it is in a label: a status of 200 may stand so."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _as_label(value: object) -> object:
    return value if isinstance(value, dict) else {"value": value}


_TEXT_SCHEMA = {"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}
Name = Annotated[str, Field(min_length=1)]
Text = Annotated[
    str,
    BeforeValidator(_as_text),
    Field(min_length=1),
    WithJsonSchema(_TEXT_SCHEMA, mode="validation"),
]
Texts = Annotated[
    list[Text],
    BeforeValidator(_as_list),
    WithJsonSchema(
        {"anyOf": [*_TEXT_SCHEMA["anyOf"], {"type": "array", "items": _TEXT_SCHEMA}]},
        mode="validation",
    ),
]


class LabelModel(Model):
    """A label: one `value`, a label of ours (`from`), or shares that split each series."""

    value: Text | None = Field(default=None, description="One value, for every series.")
    source: Name | None = Field(default=None, alias="from", description="A label of the quantity.")
    values: dict[str, Text] = Field(
        default={}, description="How your exporter spells our values; others stay as they are."
    )
    share: dict[str, float] | None = Field(
        default=None, description="Your values, each with its share; they add up to 1."
    )


Label = Annotated[LabelModel, BeforeValidator(_as_label)]


class MetricModel(Model):
    """One of your metrics, or some series of it, made of one of our quantities."""

    name: Name = Field(description="The name as your rules spell it.")
    type: Literal["counter", "gauge", "histogram"]
    help: str = ""
    source: Text = Field(
        alias="from", description="A quantity: `agentaskit-sim mapping quantities`."
    )
    where: dict[str, Texts] = Field(
        default={}, description="Series of the quantity to take, by its labels; all by default."
    )
    labels: dict[str, Label] = Field(
        default={}, description="Your labels: a fixed value, a label of ours, or shares."
    )
    factor: float = Field(default=1.0, description="Times this, for another unit: 1000 for ms.")
    buckets: list[float] | None = Field(
        default=None, description="Upper bounds of a histogram, in your unit; ours by default."
    )


class TargetModel(Model):
    """The labels that Prometheus gives to every series of your exporter."""

    job: Text | None = None
    instance: Text | None = None


class MappingModel(Model):
    """Your exporter's metrics, made of quantities of the simulated world."""

    target: TargetModel = Field(default=TargetModel(), description="Its job and its instance.")
    metrics: list[MetricModel] = Field(min_length=1)
