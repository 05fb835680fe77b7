"""The load of a running world as JSON documents, read and written: stages as in k6.

The load API reads them here; the same words, units and mistakes as in a scenario file. It holds no
world and knows no HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from documents.durations import format_duration, show_duration
from documents.mistake_kinds import BrokenRule
from scenarios.form_documents import FormWalker, parse_body
from scenarios.schema.json_schema import tidy
from scenarios.schema.models import INJECTION_MAX_S, LoadChangeModel
from simulator.load import Stage

if TYPE_CHECKING:
    from simulator.load import LoadChange


class LoadForm:
    """Changes of the load as JSON documents."""

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of what may be sent."""
        return tidy(LoadChangeModel.model_json_schema())

    def read(self, body: bytes) -> tuple[Stage, ...]:
        """Return the stages that `body` asks for; raises `InputError` with every mistake."""
        walker = FormWalker(parse_body(body))
        model = walker.finish(walker.validate(LoadChangeModel, walker.document.data, ()))
        stages = []
        for index, stage in enumerate(model.stages):

            def make(duration_s: float = stage.duration, target: float = stage.target) -> Stage:
                return Stage(duration_s=duration_s, target=target)

            stages.append(walker.attempt(make, ("stages", index)))
        total_s = sum(stage.duration for stage in model.stages)
        if not 0 < total_s <= INJECTION_MAX_S:
            rule = f"take more than 0s and at most {format_duration(INJECTION_MAX_S)} together"
            walker.reject(BrokenRule("stages", rule, show_duration(total_s)), ("stages",))
        walker.raise_mistakes()
        return tuple(stage for stage in stages if stage)

    def write(self, change: LoadChange) -> list[dict[str, object]]:
        """Return the stages of a change as they could have been sent."""
        return [
            {"target": stage.target, "duration": format_duration(stage.duration_s)}
            for stage in change.stages
        ]
