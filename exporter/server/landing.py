"""The landing page at `/`: the scenario, the paths of the server, how to scrape it.

HTML for people, rendered by the server's handlers. All of it can be read without JavaScript; with
it, and where the API sends what to draw, the page moves. Nothing is loaded from other servers.
"""

from __future__ import annotations

from html import escape
from math import fsum
from typing import TYPE_CHECKING, Final, TypeAlias

from exporter.target import CELL_PATH, JOB, SCRAPE_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.snapshot import Snapshot

CELLS_MAX: Final = 12
"""So many cells have a row each."""
API: Final = "/api/v1"
"""The path below which the fault API is mounted."""
Facts: TypeAlias = tuple[tuple[str, str], ...]
"""Rows of the page's table: (what, value)."""

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}agentaskit-sim</title>
<link rel="icon" href="static/icon.svg">
<link rel="stylesheet" href="static/style.css">
<link rel="stylesheet" href="static/page.css">
{head}</head>
<body class="world">
<header>
<h1>agentaskit-sim</h1>
<p>A simulated multi-agent system, as Prometheus sees it.</p>
</header>
{live}<section class="about" id="about" aria-label="This server">
<table>
{rows}
</table>
<ul>
<li>{metrics} &ndash; text 0.0.4 or OpenMetrics 1.0, as asked for</li>
<li><a href="-/healthy">/-/healthy</a> &ndash; the process answers</li>
<li><a href="-/ready">/-/ready</a> &ndash; a scrape would succeed</li>
<li><a href="sd/targets">/sd/targets</a> &ndash; {targets}, for <code>http_sd</code></li>
<li><a href="{api}/faults">/{api}/faults</a> &ndash; faults in effect;
<a href="{api}/faults/catalogue">every kind of fault</a></li>
{more}<li><a href="openapi.json">/openapi.json</a> &ndash; all of this as an OpenAPI document</li>
</ul>
<p>To scrape it, in <code>prometheus.yml</code>:</p>
<pre>scrape_configs:
  - job_name: {job}
    scrape_interval: {interval}
{discovery}</pre>
</section>
</body>
</html>
"""
_STATIC: Final = """    static_configs:
      - targets: ["{target}"]"""
_DISCOVERED: Final = """    http_sd_configs:
      - url: http://{target}/sd/targets"""
_LIVE_HEAD: Final = """<link rel="stylesheet" href="static/vendor/uPlot.min.css">
<script src="static/vendor/uPlot.iife.min.js" defer></script>
<script type="module" src="static/page.js"></script>
"""
_LIVE: Final = """<main id="live" hidden></main>
<noscript><p>With JavaScript this page moves: it draws the world, and faults can be injected.</p>
</noscript>
"""
_LIVE_PATHS: Final = """<li><a href="{api}/load">/{api}/load</a> &ndash; the load;
<a href="{api}/scenarios">scenarios that can be begun</a></li>
<li><a href="{api}/chart">/{api}/chart</a> &ndash; the last minutes, as this page draws them;
<a href="{api}/stream">as they come</a></li>
"""


def describe_cells(cells: Sequence[Snapshot]) -> Facts:
    """Return a row for each of a few cells: whether it answers scrapes, its share of the load.

    Of many, one row that names those that do not.
    """
    down = [str(number) for number, cell in enumerate(cells) if not cell.exporter_up]
    if len(cells) > CELLS_MAX:
        named = ", ".join(down[:CELLS_MAX]) + (" and more" if len(down) > CELLS_MAX else "")
        up = f"{len(cells) - len(down):,} of {len(cells):,} up"
        return (("Cells", f"{up}, down: {named}" if down else up),)
    load = fsum(cell.arrival_rate for cell in cells) or 1.0
    return tuple(
        (
            f"Cell {number}",
            f"{'up' if cell.exporter_up else 'down'}, {cell.arrival_rate / load:.0%} of the load",
        )
        for number, cell in enumerate(cells)
    )


def render_landing(
    facts: Facts, target: str, *, live: bool = False, scrape_s: float = SCRAPE_S, cells: int = 0
) -> str:
    """Return the HTML with `facts` as a table, `target` (host:port) and interval in the example.

    With `live` it also loads the scripts that draw what the API sends. Several `cells` have a page
    each, which are discovered.
    """
    whole = float(scrape_s).is_integer()
    interval = f"{scrape_s:.0f}s" if whole else f"{round(scrape_s * 1000)}ms"
    rows = "\n".join(
        f"<tr><th>{escape(what)}</th><td>{escape(value)}</td></tr>" for what, value in facts
    )
    scenario = dict(facts).get("Scenario")
    api = API.removeprefix("/")
    pages = [f"{CELL_PATH.format(cell=cell)}/metrics" for cell in (0, cells - 1)]
    links = [f'<a href="{page.removeprefix("/")}">{page}</a>' for page in pages]
    return _PAGE.format(
        rows=rows, api=api, job=JOB, interval=interval,
        metrics=" to ".join(links) if cells else '<a href="metrics">/metrics</a>',
        targets=f"these {cells} targets" if cells else "this target",
        discovery=(_DISCOVERED if cells else _STATIC).format(target=escape(target)),
        title=f"{escape(scenario)} - " if scenario else "",
        head=_LIVE_HEAD if live else "", live=_LIVE if live else "",
        more=_LIVE_PATHS.format(api=api) if live else "",
    )  # fmt: skip
