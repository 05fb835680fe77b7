"""Is the compliance report kept for 30 days? Read from the workflows beside the pack.

Called by the SLO check. The artefacts themselves live on a server that cannot be seen from here;
what can be seen is the workflow that runs the check and how long it tells the server to keep them.
"""

from __future__ import annotations

from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from documents.mistakes import InputError
from documents.yaml_reader import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from documents.document import Document, Step

KEEP_DAYS: Final = 30
COMMAND: Final = "slo check"
UPLOAD: Final = "actions/upload-artifact@"

RunObservation = Literal["ok", "fail", "not seen"]


def look_for_retention(pack: Path) -> tuple[RunObservation, tuple[str, ...]]:
    """Return whether the workflow that runs the check keeps its report, and why.

    Workflows are looked for in `.github/workflows` of the pack's directory and of those above it,
    up to the root of the repository.
    """
    folder = _workflows(pack)
    if folder is None:
        return "not seen", (f"no .github/workflows in {pack} or above: it cannot be seen here",)
    problems: list[str] = []
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            document = load(path)
        except InputError as error:
            problems.append(str(error))
            continue
        if not any(COMMAND in str(step.get("run", "")) for step, _ in _steps(document.data)):
            continue
        wrong = _wrong(document)
        if not wrong:
            return "ok", (f"{path} keeps it {KEEP_DAYS} days or longer",)
        problems += wrong
    if problems:
        return "fail", tuple(problems)
    return "not seen", (f"no workflow in {folder} runs `{COMMAND}`: it cannot be seen here",)


def _workflows(pack: Path) -> Path | None:
    for folder in (pack.resolve(), *pack.resolve().parents):
        if (folder / ".github" / "workflows").is_dir():
            return Path(relpath(folder)) / ".github" / "workflows"
        if (folder / ".git").exists():
            return None
    return None


def _wrong(document: Document) -> list[str]:
    uploads = [
        (step, steps)
        for step, steps in _steps(document.data)
        if str(step.get("uses", "")).startswith(UPLOAD)
    ]
    if not uploads:
        message = f"the workflow runs `{COMMAND}` and never uploads its report"
        return [str(document.error(message, ()))]
    found = []
    for step, steps in uploads:
        given = step.get("with")
        days = given.get("retention-days") if isinstance(given, dict) else None
        if isinstance(days, int) and days >= KEEP_DAYS:
            return []
        message = f"retention-days must be at least {KEEP_DAYS}, got {days!r}"
        found.append(str(document.error(message, (*steps, "with", "retention-days"))))
    return found


def _steps(workflow: Any) -> Iterator[tuple[dict[str, Any], tuple[Step, ...]]]:
    """Yield every step of every job with its place in the document."""
    jobs = workflow.get("jobs") if isinstance(workflow, dict) else None
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        steps = job.get("steps") if isinstance(job, dict) else None
        for index, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, dict):
                yield step, ("jobs", name, "steps", index)
