"""Is the compliance report kept for 30 days? Read from the workflows beside the pack.

Called by the SLO check. The artefacts themselves are on a server that cannot be seen from here;
what can be seen is the workflow that runs the check and how long it asks the server to keep them.
"""

from __future__ import annotations

from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Final

from documents.mistake_kinds import BrokenRule
from documents.mistakes import InputError
from documents.yaml_reader import load
from verifier.slo.compliance import RETENTION, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documents.document import Document, Value
    from documents.document import Step as DocumentStep

KEEP_DAYS: Final = 30
COMMAND: Final = "slo check"
UPLOAD: Final = "actions/upload-artifact@"


def check_retention(pack: Path) -> Step:
    """Return whether the workflow that runs the check keeps its report, and why.

    Workflows are read from `.github/workflows` of the pack's directory and of those above it, up to
    the root of the repository.
    """
    folder = _workflows(pack)
    if folder is None:
        return _not_seen(f"no .github/workflows in {pack} or above")
    problems: list[str] = []
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            document = load(path)
        except InputError as error:
            problems.append(str(error))
            continue
        if not any(COMMAND in str(step.get("run", "")) for step, _ in _steps(document.data)):
            continue
        mistakes = _mistakes(document)
        if not mistakes:
            return Step(RETENTION, "ok", (f"{path} keeps it {KEEP_DAYS} days or longer",))
        problems += mistakes
    if problems:
        return Step(RETENTION, "fail", tuple(problems))
    return _not_seen(f"no workflow in {folder} runs `{COMMAND}`")


def _not_seen(reason: str) -> Step:
    return Step(RETENTION, "not seen", (f"{reason}: it cannot be checked here",))


def _workflows(pack: Path) -> Path | None:
    for folder in (pack.resolve(), *pack.resolve().parents):
        if (folder / ".github" / "workflows").is_dir():
            return Path(relpath(folder)) / ".github" / "workflows"
        if (folder / ".git").exists():
            return None
    return None


def _mistakes(document: Document) -> list[str]:
    uploads = [
        (step, steps)
        for step, steps in _steps(document.data)
        if str(step.get("uses", "")).startswith(UPLOAD)
    ]
    if not uploads:
        message = f"the workflow runs `{COMMAND}` and never uploads its report"
        return [str(document.place(()).mistake(message))]
    mistakes = []
    for step, steps in uploads:
        options = step.get("with")
        days = options.get("retention-days") if isinstance(options, dict) else None
        if isinstance(days, int) and days >= KEEP_DAYS:
            return []
        problem = BrokenRule("retention-days", f"be at least {KEEP_DAYS}", days)
        place = document.place((*steps, "with", "retention-days"))
        mistakes.append(str(place.mistake(problem)))
    return mistakes


def _steps(workflow: Value) -> Iterator[tuple[dict[str, Value], tuple[DocumentStep, ...]]]:
    """Yield every step of every job with its place in the document."""
    jobs = workflow.get("jobs") if isinstance(workflow, dict) else None
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict):
                yield step, ("jobs", name, "steps", index)
