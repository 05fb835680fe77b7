"""The landing page at `/`: the scenario, the paths of the server, how to scrape it.

HTML for people, rendered by the server's handlers. Static but for the facts; no script, and nothing
loaded from other servers.
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
<title>agentaskit-sim</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto;
          padding: 0 1rem; }}
  h1 {{ font-size: 1.5rem; margin-bottom: 0; }}
  table {{ border-collapse: collapse; margin: 1.5rem 0; }}
  th {{ text-align: left; font-weight: normal; opacity: .7; padding-right: 2rem; }}
  td {{ font-variant-numeric: tabular-nums; }}
  pre {{ padding: 1rem; border: 1px solid #8884; border-radius: .4rem; overflow-x: auto; }}
</style>
</head>
<body>
<h1>agentaskit-sim</h1>
<p>A simulated multi-agent system, as Prometheus sees it.</p>
<table>
{rows}
</table>
<ul>
<li><a href="metrics">/metrics</a> &ndash; text 0.0.4 or OpenMetrics 1.0, as asked for</li>
<li><a href="-/healthy">/-/healthy</a> &ndash; the process answers</li>
<li><a href="-/ready">/-/ready</a> &ndash; a scrape would succeed</li>
<li><a href="sd/targets">/sd/targets</a> &ndash; this target, for <code>http_sd</code></li>
<li><a href="{faults}">/{faults}</a> &ndash; faults in effect;
<a href="{faults}/catalogue">every kind of fault</a></li>
<li><a href="openapi.json">/openapi.json</a> &ndash; all of this as an OpenAPI document</li>
</ul>
<p>To scrape it, in <code>prometheus.yml</code>:</p>
<pre>scrape_configs:
  - job_name: {job}
    scrape_interval: {interval_s}s
    static_configs:
      - targets: ["{target}"]</pre>
</body>
</html>
"""


def render_landing(facts: Facts, target: str) -> str:
    """Return the HTML with `facts` as a table and `target` (host:port) in the example."""
    rows = "\n".join(
        f"<tr><th>{escape(what)}</th><td>{escape(value)}</td></tr>" for what, value in facts
    )
    faults = f"{API.removeprefix('/')}/faults"
    return _PAGE.format(
        rows=rows, target=escape(target), faults=faults, job=JOB, interval_s=SCRAPE_S
    )
