"""The report as one file of HTML: readable without scripts, drawn where there are some.

Called by `results` for `report.html`. Everything is in the file and it asks nobody for anything: a
policy in it allows our own script alone, by its checksum, so that markup in a name, a label or an
annotation is shown and never run, twice over. It judges nothing.
"""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Final

from charts import assets
from verifier.judge.verdict import overall
from verifier.report.html.broken_part import broken_part
from verifier.report.html.matrix import matrix
from verifier.report.html.parts import failures, remarks
from verifier.report.html.run_part import run_part
from verifier.report.html.scenario_sections import section
from verifier.report.html.shell import closed, html_document
from verifier.report.html.writing import anchor
from verifier.report.tally import counts, headline
from verifier.report.text import engine_and_speed
from verifier.seeds.across import representatives

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verifier.judge.verdict import ScenarioOutcome
    from verifier.run_record import RunRecord

UNDRAWN: Final = ".drawing { display: none !important; } .undrawn { display: block !important; }"


def page(outcomes: Sequence[ScenarioOutcome], run: RunRecord | None = None) -> str:
    """Return the report of a run, with what was run where that is known."""
    scripts = list(_scripts())
    runs = representatives(outcomes)
    library = assets.library()
    body = (
        '<a class="skip" href="#scenarios">To the scenarios</a>\n',
        _header(outcomes, run),
        '<main id="main">\n',
        broken_part(runs),
        failures(outcomes),
        matrix(runs),
        remarks(outcomes),
        run_part(run),
        '<div id="scenarios" tabindex="-1">\n',
        *(section(outcome) for outcome in runs),
        "</div>\n</main>\n",
        *(_chart_data(outcome) for outcome in runs if outcome.chart),
    )
    return html_document(
        _title(outcomes),
        body,
        style=library[1] if library else "",
        in_head=_unscripted(scripts),
        scripts=scripts,
    )


def _scripts() -> Iterator[str]:
    """Yield the chart library and what draws with it; nothing without the library."""
    library = assets.library()
    if library is None:
        return
    yield closed(library[0])
    yield closed(f'"use strict";\n{assets.bundle("report.js")}')


def _unscripted(scripts: Sequence[str]) -> str:
    """Leave out the places of charts where nothing draws them, and say so."""
    style = f"<style>{UNDRAWN}</style>"
    return f"<noscript>{style}</noscript>" if scripts else style


def _title(outcomes: Sequence[ScenarioOutcome]) -> str:
    return f"{overall(outcomes)}: agentaskit-sim"


def _header(outcomes: Sequence[ScenarioOutcome], run: RunRecord | None) -> str:
    verdict = overall(outcomes)
    command = f'<p class="command"><code>{escape(run.command)}</code></p>' if run else ""
    return (
        f'<header class="top"><p class="verdict {verdict}">{verdict}</p><div>'
        f"<h1>{escape(headline(outcomes))}</h1>"
        f"<p>{escape(counts(outcomes))}.</p><p>{escape(engine_and_speed(outcomes))}.</p>{command}</div>"
        '<button id="draw-all" type="button" hidden>Draw all scenarios, to print</button>'
        "</header>\n"
    )


def _chart_data(outcome: ScenarioOutcome) -> str:
    text = base64.b64encode(outcome.chart).decode()
    return (
        f'<script type="application/gzip+base64" id="chart-{anchor(outcome.name)}"'
        f' data-scenario="{escape(outcome.name)}">{text}</script>\n'
    )
