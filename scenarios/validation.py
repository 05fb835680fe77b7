"""Pydantic's findings and the simulator's refusals as mistakes with a place in the file.

Called by the readers of scenario and topology files. Every mistake that can be found is noted, not
only the first; mistakes use the file's terms, never Python's.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from types import UnionType
from typing import TYPE_CHECKING, Annotated, TypeGuard, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from documents.durations import format_duration, show_duration
from documents.mistake_kinds import BrokenRule, MissingKey, Shown, UnknownKey, UnknownWord
from documents.mistakes import MISTAKES_MAX, InputError
from documents.walker import Walker, dotted
from scenarios.schema.derived import key_of
from simulator.bounds import BoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from documents.document import Steps
    from documents.mistake_kinds import Problem

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
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
}
"""The rule that a value breaks, by pydantic's type of error and with its context."""

_KEY_MARK = "[key]"
"""What pydantic appends to a place when it means the key of a mapping and not its value."""


class ModelWalker(Walker):
    """A walk that checks parts of a document against pydantic models and the simulator's bounds."""

    def validate(self, model: type[M], data: object, steps: Steps) -> M | None:
        """Return `data`, which stands at `steps`, as a `model`; or None after noting mistakes."""
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for detail in islice(error.errors(include_url=False), MISTAKES_MAX):
                self._reject_detail(model, detail, steps)
            return None

    def attempt(
        self, make: Callable[[], T], steps: Steps, rules: Mapping[str, str] | None = None
    ) -> T | None:
        """Return the simulator's value that `make` returns; or None after noting why not.

        The document holds at `steps` what the value is made of. `rules` are the rules of fields
        in the file's words, where those differ from the simulator's.
        """
        try:
            return super().attempt(make, steps)
        except BoundError as error:
            rule = (rules or {}).get(error.field, _file_rule(error))
            self._reject_bound(error, rule, steps)
        return None

    def construct(
        self,
        make: Callable[..., T],
        values: Mapping[str, object],
        steps: Steps,
        rules: Mapping[str, str] | None = None,
    ) -> T | None:
        """Return `make(**values)` as `attempt` does; `values` come from a derived model.

        A model that was derived from the very dataclass has checked their names and types: this
        is the only place where values are passed on by names that no type checker sees.
        """
        return self.attempt(lambda: make(**values), steps, rules)

    def _reject_bound(self, error: BoundError, rule: str, steps: Steps) -> None:
        key = key_of(error.field)
        where = (*steps, key)
        subject = f"{error.owner}: {key}" if error.owner else key
        problem = BrokenRule(subject, f"be {rule}", _file_value(error.field, error.value))
        self.reject(problem, where if where in self.document.values else steps)

    def _reject_detail(self, model: type[BaseModel], detail: ErrorDetails, steps: Steps) -> None:
        at_key = _KEY_MARK in detail["loc"]
        local = tuple(step for step in detail["loc"] if step != _KEY_MARK)
        where = (*steps, *local)
        if detail["type"] == "extra_forbidden":
            holder = _annotation_at(model, local[:-1])
            assert _is_model(holder)  # noqa: S101 - nothing else forbids keys
            self.reject(UnknownKey(str(local[-1]), tuple(_keys(holder))), where, at_key=True)
        elif detail["type"] == "missing":
            holder_path = dotted(where[:-1]) if where[:-1] else ""
            self.reject(MissingKey(str(local[-1]), holder_path), where[:-1])
        else:
            annotation = _annotation_at(model, detail["loc"])
            self.reject(_problem(dotted(where), detail, annotation), where, at_key=at_key)


def _file_rule(error: BoundError) -> str:
    """Return a rule as the file would have it: from one duration to another for seconds."""
    if error.limits is None or key_of(error.field) == error.field:
        return error.rule
    low, high = (format_duration(limit) for limit in error.limits)
    return f"{low} to {high}"


def _file_value(field: str, value: object) -> object:
    """Return a value as the file would have it: durations for seconds, 1 for 1.0."""
    if isinstance(value, float) and key_of(field) != field:
        return show_duration(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return Shown(value, ", ".join(map(str, value)) or "none")
    return value


def _problem(what: str, detail: ErrorDetails, annotation: object) -> Problem:
    """Return what is wrong with the value of `what`, whose type is `annotation`."""
    context, kind, value = detail.get("ctx", {}), detail["type"], detail["input"]
    if kind == "value_error":
        error = context["error"]
        assert isinstance(error, InputError)  # noqa: S101 - our validators raise no other
        problem = error.mistakes[0].problem
        return replace(problem, field=what) if isinstance(problem, BrokenRule) else problem
    if kind == "literal_error":
        choices = get_args(annotation)
        if choices == (True,):
            return BrokenRule(what, "be true", value)
        return UnknownWord(what, value, tuple(map(str, choices)))
    if kind not in _RULES:
        return BrokenRule(what, f"be valid ({detail['msg']})", value)
    return BrokenRule(what, f"be {_RULES[kind].format(**context)}", value)


def _annotation_at(model: type[BaseModel], place: Steps) -> object:
    """Return the type that `model` wants at a place as pydantic gives it."""
    annotation: object = model
    for index, step in enumerate(place):
        if step == _KEY_MARK:
            continue
        annotation = _bare(annotation)
        if _is_model(annotation):
            field = _keys(annotation).get(str(step))
            annotation = field.annotation if field else object
        elif get_origin(annotation) is dict:
            key, value = get_args(annotation)
            annotation = key if place[index + 1 : index + 2] == (_KEY_MARK,) else value
        elif get_origin(annotation) is list:
            annotation = get_args(annotation)[0]
    return _bare(annotation)


def _keys(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their keys in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _bare(annotation: object) -> object:
    """Return a type without `Annotated` around it and without `| None`."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
            continue
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
