"""Pydantic's findings and the simulator's refusals as mistakes with a place in the file.

Called by the readers of scenario and topology files. Every mistake that can be found is kept, not
only the first; messages speak the file's words, never Python's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from documents.durations import format_duration
from documents.mistakes import InputError, did_you_mean, gather
from scenarios.schema import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic_core import ErrorDetails

    from documents.yaml_reader import Document, Step

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
_RULES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "string_pattern_mismatch": "lower-case words joined by '-'",
    "string_too_short": "non-empty",
    "string_too_long": "at most {max_length} characters long",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
}


@dataclass(frozen=True, slots=True)
class Mistakes:
    """The mistakes found so far in one document."""

    document: Document
    found: list[InputError] = field(default_factory=list)

    def add(self, message: str, steps: tuple[Step, ...], *, at_key: bool = False) -> None:
        """Keep a mistake that stands at `steps`."""
        self.found.append(self.document.error(message, steps, at_key=at_key))

    def refuse(self) -> None:
        """Raise all mistakes as one `InputError`, if there are any."""
        if self.found:
            raise gather(self.found)

    def validate(self, model: type[M], data: object, steps: tuple[Step, ...]) -> M | None:
        """Return `data`, which stands at `steps`, as a `model`; or None after keeping mistakes."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._add_detail(model, detail, steps)
            return None

    def build(
        self, make: Callable[..., T], values: Mapping[str, Any], steps: tuple[Step, ...]
    ) -> T | None:
        """Return `make(**values)`, a dataclass of the simulator; or None after keeping why not."""
        try:
            return make(**values)
        except ValueError as error:
            message = str(error)
            for name in (one.name for one in fields(make)):  # type: ignore[arg-type]
                message = re.sub(rf"\b{name}\b", key_of(name), message)
            message = re.sub(r"got (-?\d+)\.0$", r"got \1", message)  # 1 reads better than 1.0
            where = self._step_named(message, steps)
            seconds = values.get(f"{where[-1]}_s") if where else None
            if isinstance(seconds, float):
                message = message.rpartition(" ")[0] + f" {format_duration(seconds)}"
            self.add(message, where)
            return None

    def _step_named(self, message: str, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return the step below `steps` whose key the message names before its `must be`."""
        subject = re.findall(r"\w+", message.partition(" must be ")[0])
        for word in reversed(subject):
            if (*steps, word) in self.document.values:
                return (*steps, word)
        return steps

    def _add_detail(
        self, model: type[BaseModel], detail: ErrorDetails, steps: tuple[Step, ...]
    ) -> None:
        at_key = "[key]" in detail["loc"]
        local = tuple(step for step in detail["loc"] if step != "[key]")
        where = (*steps, *local)
        if detail["type"] == "extra_forbidden":
            known = _keys_at(model, local[:-1])
            near = did_you_mean(str(local[-1]), known) or f", the keys are {', '.join(known)}"
            self.add(f"unknown key {local[-1]!r}{near}", where, at_key=True)
        elif detail["type"] == "missing":
            self.add(f"the key {local[-1]!r} is missing{_in(where[:-1])}", where[:-1])
        else:
            what = _dotted(where) if where else "the file"
            self.add(f"{what} {_rule_and_value(detail)}", where, at_key=at_key)


def _rule_and_value(detail: ErrorDetails) -> str:
    context, kind = detail.get("ctx", {}), detail["type"]
    if kind == "value_error":
        return str(context["error"])
    got = _shown(detail["input"])
    if kind not in _RULES:
        return f"is not right: {detail['msg']}, got {got}"
    rule, near = _RULES[kind].format(**context), ""
    if rule == "True":
        rule = "true"
    elif kind == "literal_error" and isinstance(detail["input"], str):
        choices = re.findall(r"'([^']*)'", rule)
        near = did_you_mean(detail["input"], choices)
        rule = f"one of {len(choices)} known words" if near and len(choices) > 6 else rule
    return f"must be {rule}, got {got}{near}"


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _dotted(steps: tuple[Step, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def _in(steps: tuple[Step, ...]) -> str:
    return f" in {_dotted(steps)}" if steps else ""


def _keys_at(model: type[BaseModel], steps: tuple[Step, ...]) -> list[str]:
    """Return the keys that `model` knows at `steps`; list indices and free keys step over."""
    for step in steps:
        known = model.model_fields.get(str(step))
        if known is not None:
            model = next(iter(_models_in(known.annotation)), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
