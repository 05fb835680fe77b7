"""JSON documents that are sent to a running world: parsed, walked, their times bounded.

What the forms of faults (`injection_form`) and of the load (`load_form`) share. A sender has no
need of lines and columns, so mistakes have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from documents.durations import format_duration, show_duration
from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError, gather
from documents.yaml_reader import parse_json
from scenarios.schema.models import INJECTION_MAX_S
from scenarios.validation import ModelWalker

if TYPE_CHECKING:
    from documents.document import Document


class FormWalker(ModelWalker):
    """A walk whose mistakes have no places."""

    def raise_mistakes(self) -> None:
        """Raise all mistakes noted so far, in the order of the document."""
        if self.mistakes:
            raise gather(self.mistakes).without_places()


def parse_body(body: bytes) -> Document:
    """Return the document, a mapping; raise `InputError` when it is none."""
    try:
        document = parse_json(body.decode("utf-8"), "body")
    except UnicodeDecodeError:
        raise InputError("the body must be UTF-8 text") from None
    except InputError:
        raise
    except ValueError:  # a number of thousands of digits
        raise InputError("the body must hold no number that long") from None
    if not isinstance(document.data, dict):
        raise InputError("the body must be a JSON object")
    return document


def check_duration(walker: FormWalker, duration_s: float | None) -> None:
    """Note a duration that is not above 0 s, or beyond an hour."""
    if duration_s is not None and not 0 < duration_s <= INJECTION_MAX_S:
        rule = f"be above 0s and at most {format_duration(INJECTION_MAX_S)}"
        problem = BrokenRule("duration", rule, show_duration(duration_s))
        walker.reject(problem, ("duration",))
