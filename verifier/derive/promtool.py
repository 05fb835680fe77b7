"""Asks promtool what expressions are on given series: the engine itself decides, no copy of it.

Called for whole batches of questions, since a start costs more than an answer. A question is a test
of its own in one file whose every expectation is nothing: what promtool prints of it is the answer.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from documents.durations import format_duration
from verifier.errors import JudgeError
from verifier.pack.rule_writer import as_yaml
from verifier.servers.binaries import require
from verifier.servers.child_environment import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from verifier.derive.series.worlds import InputSeries, Timing
    from verifier.labels import Labels

PROCESSES: Final = 2
TIMEOUT_S: Final = 900.0
GARBAGE_PERCENT: Final = "400"
"""A promtool lives for seconds: looking for garbage a fourth as often takes a sixth of its time."""
BATCH_MAX: Final = 400
"""Questions that one promtool is asked."""

Vector: TypeAlias = "tuple[tuple[Labels, float], ...]"

_ANSWER: Final = re.compile(
    r'^ +expr: "(?P<expr>(?:[^"\\]|\\.)*)", time: \S+,'
    r"(?: err: (?P<error>[^\n]*)|\n +exp: ?nil\n +got: ?(?P<got>[^\n]*))",
    re.MULTILINE,
)
_SAMPLE: Final = re.compile(
    r'\{(?P<labels>(?:[\w:]+="(?:[^"\\]|\\.)*"(?:, )?)*)\} (?P<value>[^\s,]+)'
)
_LABEL: Final = re.compile(r'([\w:]+)=("(?:[^"\\]|\\.)*")')
_MARK: Final = re.compile(r"# q(\d+)$")
_HEADLINES: Final = re.compile(r"Unit Testing: .*|FAILED:|SUCCESS")


@dataclass(frozen=True, slots=True)
class Question:
    """Expressions at times of one test, in seconds, on its series; all rules are evaluated too."""

    timing: Timing
    series: tuple[InputSeries, ...]
    asks: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class TestAnswer:
    """What an expression was at a time; `error` says why it was nothing."""

    vector: Vector = ()
    error: str = ""


Answers: TypeAlias = tuple[TestAnswer, ...]


def ask_promtool(
    questions: Sequence[Question], rules: dict[str, Any], evaluation_s: float
) -> list[Answers]:
    """Return for each question the answers to its expressions, with `rules` evaluated beside them.

    Raises JudgeError when promtool cannot run.
    """
    size = min(BATCH_MAX, -(-len(questions) // PROCESSES) or 1)
    batches = [questions[first : first + size] for first in range(0, len(questions), size)]
    documents = [_document(batch, bool(rules.get("groups")), evaluation_s) for batch in batches]
    runs = run_promtool(documents, {"rules.json": as_yaml(rules)})
    answers: list[Answers] = []
    for batch, run in zip(batches, runs, strict=True):
        answers += _grouped(batch, _answers(run.output, run.status))
    return answers


@dataclass(frozen=True, slots=True)
class PromtoolRun:
    """What `promtool test rules` said of a file."""

    status: int
    output: str


def run_promtool(documents: Sequence[str], beside: Mapping[str, str]) -> list[PromtoolRun]:
    """Run `promtool test rules` on each text, `PROCESSES` at a time, with other files beside it.

    None is left running, however this ends. Raises JudgeError when one cannot run.
    """
    program = require("promtool")
    with tempfile.TemporaryDirectory(prefix="agentaskit-derive-") as directory:
        folder = Path(directory)
        for name, text in beside.items():
            (folder / name).write_text(text, encoding="utf-8")
        for number, document in enumerate(documents):
            (folder / f"test-{number}.yaml").write_text(document, encoding="utf-8")
        running: dict[int, subprocess.Popen[bytes]] = {}
        statuses: dict[int, int] = {}
        try:
            for number in range(len(documents)):
                if len(running) >= PROCESSES:
                    first = min(running)
                    statuses[first] = _end_of(running[first])
                    del running[first]
                running[number] = _started(program, folder, number)
            for number, process in running.items():
                statuses[number] = _end_of(process)
        finally:
            for process in running.values():
                process.kill()
                process.wait()
        return [
            PromtoolRun(
                statuses[number],
                (folder / f"output-{number}").read_text(encoding="utf-8", errors="replace"),
            )
            for number in range(len(documents))
        ]


def _started(program: Path, folder: Path, number: int) -> subprocess.Popen[bytes]:
    try:
        with (folder / f"output-{number}").open("wb") as output:
            return subprocess.Popen(
                [program, "test", "rules", f"test-{number}.yaml"],
                cwd=folder,
                env=child_environment(TMPDIR=str(folder), GOGC=GARBAGE_PERCENT),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    except OSError as error:
        raise JudgeError(f"{program} cannot be started ({error}): reinstall it") from error


def _end_of(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise JudgeError(
            f"promtool did not end within {TIMEOUT_S:g} s: try fewer rules at a time"
        ) from None


def _document(questions: Sequence[Question], with_rules: bool, evaluation_s: float) -> str:  # noqa: FBT001 - one of three plain values
    marks = count()
    return json.dumps(
        {
            "rule_files": ["rules.json"] if with_rules else [],
            "evaluation_interval": format_duration(evaluation_s),
            "tests": [_test(question, marks) for question in questions],
        }
    )


def _grouped(questions: Sequence[Question], answers: Mapping[int, TestAnswer]) -> list[Answers]:
    marks = count()
    return [
        tuple(answers.get(next(marks), TestAnswer()) for _ in question.asks)
        for question in questions
    ]


def _test(question: Question, marks: Iterator[int]) -> dict[str, Any]:
    return {
        "interval": format_duration(question.timing.sample_s),
        "input_series": [
            {"series": each.series, "values": each.values} for each in question.series
        ],
        "promql_expr_test": [
            {"expr": f"{expr} # q{next(marks)}", "eval_time": format_duration(time_s)}
            for expr, time_s in question.asks
        ],
    }


def _answers(output: str, status: int) -> dict[int, TestAnswer]:
    """Read what promtool printed; raise JudgeError for anything that is no answer."""
    answers: dict[int, TestAnswer] = {}
    for match in _ANSWER.finditer(output):
        mark = _MARK.search(match["expr"])
        if mark is None:
            continue
        if match["error"] is not None:
            answers[int(mark[1])] = TestAnswer(error=match["error"])
        else:
            answers[int(mark[1])] = TestAnswer(_vector(match["got"]))
    rest = _HEADLINES.sub("", _ANSWER.sub("", output)).strip()
    if rest or status not in (0, 1):
        raise JudgeError(
            f"promtool cannot run these rules (status {status}): {(rest or output.strip())[:600]}"
        )
    return answers


def _vector(text: str) -> Vector:
    samples = []
    if _SAMPLE.sub("", text).strip(", "):
        raise JudgeError(f"promtool's answer cannot be read: {text[:300]!r}")
    for sample in _SAMPLE.finditer(text):
        labels = {name: ast.literal_eval(value) for name, value in _LABEL.findall(sample["labels"])}
        samples.append((tuple(sorted(labels.items())), float(sample["value"])))
    return tuple(samples)
