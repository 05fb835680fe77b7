"""A verdict as it was saved: `verdict.json` of a results folder, read back.

Called by `agentaskit-sim explain`. Whatever is there instead of a verdict is an `InputError` that
says what is missing; keys that an older release did not write yet are read as not known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from documents.files import read_bytes
from documents.mistake_kinds import UnknownName
from documents.mistakes import InputError, Place
from verifier.judge.silence_verdicts import ALERT
from verifier.judge.verdict import UNKNOWN_ENGINE, Engine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FILE: Final = "verdict.json"
BYTES_MAX: Final = 256 * 1024 * 1024
"""A verdict on 10,000 rules in every scenario of the library has a quarter of it."""
ALERT_KEYS: Final = ("alert", "labels", "expected", "ok", "reason", "onset_s")


@dataclass(frozen=True, slots=True)
class SavedVerdict:
    """A verdict as JSON values, whose keys are those of `verdict.schema.json`."""

    path: str
    verdict: str
    partial: bool
    scenarios: Sequence[Mapping[str, Any]]
    engine: Engine = UNKNOWN_ENGINE
    run: Mapping[str, Any] | None = None

    def check_alert(self, name: str) -> None:
        """Raise `InputError` for the name of an alert that the run knows nothing of.

        What could not be judged is known, with its reason.
        """
        names = dict.fromkeys(each["alert"] for s in self.scenarios for each in s["alerts"])
        subjects = [each["subject"] for s in self.scenarios for each in s.get("not_judged", ())]
        alerts = (text.removeprefix(ALERT) for text in subjects if text.startswith(ALERT))
        known = dict.fromkeys((*names, *alerts))
        if name not in known:
            hint = f", the run judged {len(names)} others"
            raise Place(self.path).error(UnknownName("alert", name, tuple(known), hint))


def read_verdict(place: Path) -> SavedVerdict:
    """Read the verdict in a results folder, or a verdict file; raise `InputError` without one."""
    path = place / FILE if place.is_dir() else place
    if not place.exists():
        raise InputError(f"there is no such folder{_others(place)}", path=str(place))
    if place.is_dir() and not path.exists():
        raise InputError(
            f"no {FILE} in this folder: a run that ended before anything was judged leaves none"
            f"{_others(place)}",
            path=str(place),
        )
    try:
        values = json.loads(read_bytes(path, bytes_max=BYTES_MAX))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"must be a verdict, this is no JSON: {error}", path=str(path)) from None
    problem = _problem(values)
    if problem is not None:
        raise InputError(f"must be a verdict of `verify`, {problem}", path=str(path))
    engine = UNKNOWN_ENGINE
    if isinstance(values.get("engine"), dict):
        engine = Engine(**{key: str(values["engine"].get(key)) for key in ("name", "version")})
    partial, scenarios = values["partial"], values["scenarios"]
    return SavedVerdict(str(path), values["verdict"], partial, scenarios, engine, values.get("run"))


def _problem(values: Any) -> str | None:
    """Say what keeps JSON values from being a verdict, None when nothing does."""
    if not isinstance(values, dict) or not isinstance(values.get("scenarios"), list):
        return "this has no list of scenarios"
    if not isinstance(values.get("verdict"), str) or not isinstance(values.get("partial"), bool):
        return "this does not say whether it passed"
    for scenario in values["scenarios"]:
        if not isinstance(scenario, dict) or not isinstance(scenario.get("alerts"), list):
            return "a scenario in it has no list of alerts"
        for alert in scenario["alerts"]:
            missing = next(
                (k for k in ALERT_KEYS if not isinstance(alert, dict) or k not in alert), None
            )
            if missing is not None:
                return f"an alert in it has no `{missing}`"
    return None


def _others(place: Path) -> str:
    """Name the newest results beside a place that has none."""
    parent = place if place.is_dir() else place.parent
    verdicts = sorted(parent.glob(f"*/{FILE}"), key=lambda path: path.stat().st_mtime)
    return f"; the newest results are in {verdicts[-1].parent}" if verdicts else ""
