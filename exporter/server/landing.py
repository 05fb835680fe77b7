"""The landing page at `/`: the scenario, the paths of the server, how to scrape it.

HTML for people, rendered by the server's handlers. All of it can be read without JavaScript; with
it, and where the API sends what to draw, the page moves. Nothing is loaded from other servers.
"""

from __future__ import annotations

from html import escape
from typing import Final, TypeAlias

from exporter.target import JOB, SCRAPE_S

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
<li><a href="metrics">/metrics</a> &ndash; text 0.0.4 or OpenMetrics 1.0, as asked for</li>
<li><a href="-/healthy">/-/healthy</a> &ndash; the process answers</li>
<li><a href="-/ready">/-/ready</a> &ndash; a scrape would succeed</li>
<li><a href="sd/targets">/sd/targets</a> &ndash; this target, for <code>http_sd</code></li>
<li><a href="{api}/faults">/{api}/faults</a> &ndash; faults in effect;
<a href="{api}/faults/catalogue">every kind of fault</a></li>
{more}<li><a href="openapi.json">/openapi.json</a> &ndash; all of this as an OpenAPI document</li>
</ul>
<p>To scrape it, in <code>prometheus.yml</code>:</p>
<pre>scrape_configs:
  - job_name: {job}
    scrape_interval: {interval}
    static_configs:
      - targets: ["{target}"]</pre>
</section>
</body>
</html>
"""
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


def render_landing(
    facts: Facts, target: str, *, live: bool = False, scrape_s: float = SCRAPE_S
) -> str:
    """Return the HTML with `facts` as a table, `target` (host:port) and interval in the example.

    With `live` it also loads the scripts that draw what the API sends.
    """
    whole = float(scrape_s).is_integer()
    interval = f"{scrape_s:.0f}s" if whole else f"{round(scrape_s * 1000)}ms"
    rows = "\n".join(
        f"<tr><th>{escape(what)}</th><td>{escape(value)}</td></tr>" for what, value in facts
    )
    scenario = dict(facts).get("Scenario")
    api = API.removeprefix("/")
    return _PAGE.format(
        rows=rows, target=escape(target), api=api, job=JOB, interval=interval,
        title=f"{escape(scenario)} - " if scenario else "",
        head=_LIVE_HEAD if live else "", live=_LIVE if live else "",
        more=_LIVE_PATHS.format(api=api) if live else "",
    )  # fmt: skip
