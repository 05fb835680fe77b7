"""Every form of the report of the rich outcomes, and every page, as they stand in `whole`.

`python -m tests.verifier.report.whole_reports` writes the folder anew after a change of the report
that is meant; the difference is to be read before it is committed.
"""

from __future__ import annotations

import html
import io
import json
import re
import tempfile
from pathlib import Path

from rich.console import Console

from scenarios.library.files import library
from tests.verifier.report.pages.example_pages import PARTS, every_page
from tests.verifier.report.rich_outcomes import REAL, RUN, SEEDS, VIRTUAL
from verifier.judge.verdict_document import document
from verifier.report.html.page import page
from verifier.report.junit import junit
from verifier.report.pages.rendering import result_html
from verifier.report.saved.explanation import explanation
from verifier.report.saved.saved_verdict import FILE, read_verdict
from verifier.report.text import print_report, summary

WHOLE = Path(__file__).with_name("whole")
OUTCOMES = {"virtual": VIRTUAL, "real": REAL, "seeds": SEEDS}
_TAG = re.compile(r"<[^>]*>")
_KEPT = re.compile(r' (class|href|id|title|style)="([^"]*)"')


def _printed(outcomes):
    """Return what is printed where there is no terminal."""
    text = io.StringIO()
    print_report(Console(file=text), outcomes, "results/x")
    return text.getvalue()


def _marked(written):
    """Return a page a line for each text, with the classes, places and links of its tags."""
    body = written.partition("<body>")[2].partition("<script")[0]
    marked = _TAG.sub(
        lambda tag: "\n" + "".join(f"[{name} {text}]" for name, text in _KEPT.findall(tag[0])), body
    )
    title = written.partition("<title>")[2].partition("</title>")[0]
    lines = (line.strip() for line in [title, *html.unescape(marked).splitlines()])
    return "".join(f"{line}\n" for line in lines if line)


def _explained(outcomes):
    """Return what is explained of a verdict that was saved."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_text(json.dumps(document(outcomes, RUN)))
        return "\n".join(explanation(read_verdict(Path(folder)))) + "\n"


FORMS = {
    "printed.txt": _printed,
    "summary.md": lambda outcomes: summary(outcomes, RUN),
    "junit.xml": junit,
    "page.txt": lambda outcomes: _marked(page(outcomes, RUN)),
    "explain.txt": _explained,
    "verdict.json": lambda outcomes: json.dumps(document(outcomes, RUN), indent=1) + "\n",
}


REPORTS = [(kind, form) for kind in ("virtual", "real") for form in FORMS]
REPORTS += [("seeds", "printed.txt"), ("seeds", "summary.md")]


def report(kind, form):
    """Return one form of the report; it counts the library, which may grow."""
    return FORMS[form](OUTCOMES[kind]).replace(f"{len(library())} of the library", "the library")


def result_page(command):
    """Return the page of a command's result."""
    return _marked(result_html(every_page("High")[command], RUN))


def main():
    """Write every report and every page."""
    for kind, form in REPORTS:
        (WHOLE / f"{kind}-{form}").write_text(report(kind, form), encoding="utf-8")
    for command in PARTS:
        (WHOLE / f"page-{command}.txt").write_text(result_page(command), encoding="utf-8")


if __name__ == "__main__":
    main()
