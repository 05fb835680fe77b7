"""Options and arguments of commands, each with its help: `Annotated` types for their signatures.

An option that several commands take stands once, so that its meaning and its help are the same in
each. Typer reads the types when a command is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from agentaskit_sim.front.completion import complete_scenario
from exporter.metrics.series_limit import SERIES_LIMIT_LEAST, SERIES_LIMIT_MOST

REAL_TIME_PANEL: Final = "In real time"
ENGINE_PANEL: Final = "Another engine"
FOREIGN_PANEL: Final = "With servers that you run"

ScenarioArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="SCENARIO",
        help="A scenario's name or file; by default a healthy world.",
        autocompletion=complete_scenario,
    ),
]
ScenarioArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SCENARIO",
        help="Names of bundled scenarios, files, or folders of files; by default all bundled"
        " scenarios.",
        autocompletion=complete_scenario,
    ),
]

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")]
Port = Annotated[
    int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0 takes a free one.")
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Threads for several cells; by default one a core."),
]
WorldPort = Annotated[
    int, typer.Option(min=0, max=65535, metavar="N", help="Port of the world; 0 takes a free one.")
]
Seed = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Seed to use instead of the scenario's.")
]
EverySeed = Annotated[
    int | None,
    typer.Option(min=0, max=(1 << 63) - 1, metavar="N", help="Seed for every scenario."),
]
TopologyFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Topology file to use instead of the scenario's topology."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File with the token required to change faults; or AGENTASKIT_SIM_TOKEN.",
    ),
]
SeriesLimit = Annotated[
    int,
    typer.Option(
        min=SERIES_LIMIT_LEAST,
        max=SERIES_LIMIT_MOST,
        metavar="N",
        help="Most series on a page; what is left off is counted.",
    ),
]
ExitAtEnd = Annotated[
    bool,
    typer.Option(
        "--exit-at-end",
        help="Stop when the scenario has ended; `up`, on servers of its own, with a verdict.",
    ),
]
NoBrowser = Annotated[
    bool,
    typer.Option("--no-browser", help="Do not open the page, where there is a desktop to open it."),
]

RulePaths = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE...", help="Rule files or folders, instead of the bundled 19 alerts."
    ),
]
DashboardPaths = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE...", help="Dashboard files or folders, instead of the bundled 20 panels."
    ),
]
PanelTruthFile = Annotated[
    Path | None,
    typer.Option(
        "--panel-truth",
        metavar="FILE",
        help="What panels of your dashboards must show, compared with the world; virtual time.",
    ),
]
OverlayFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--overlay",
        metavar="FILE",
        help="What your alerts must do in scenarios that do not name them; may be repeated.",
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="Your exporter's metrics, made of ours; only they are exported then.",
    ),
]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ALERT=REASON",
        help="Accept an alert (or `Board / Panel`) that cannot be judged; may be repeated.",
    ),
]
CheckedRules = Annotated[
    list[Path] | None,
    typer.Option(
        "--rules",
        metavar="FILE...",
        help="Check as well that these rules, files or folders, define what scenarios expect.",
    ),
]
CheckedRouting = Annotated[
    Path | None,
    typer.Option(
        "--routing",
        metavar="FILE",
        help="Check as well that this Alertmanager's configuration has the receivers.",
    ),
]
RoutingFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Alertmanager's configuration, instead of the bundled one."),
]
RealTimeRouting = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Alertmanager's configuration, instead of the bundled one.",
        rich_help_panel=REAL_TIME_PANEL,
    ),
]
Compress = Annotated[
    float | None,
    typer.Option(
        min=1,
        max=1000,
        metavar="N",
        help="Divide every window, `for`, interval and the scenario by N; 1 by default.",
    ),
]
RealTimeCompress = Annotated[
    float | None,
    typer.Option(
        min=1,
        max=1000,
        metavar="N",
        help="Divide every window, `for` and interval by N; 1 by default.",
        rich_help_panel=REAL_TIME_PANEL,
    ),
]

ResultsFolder = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder for the results, instead of results/DATE-TIME."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the verdict as one JSON document.")]
JunitFile = Annotated[
    Path | None,
    typer.Option("--junit", metavar="FILE", help="Write JUnit XML to this file too."),
]
ReportFile = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write the HTML report to this file too."),
]
ResultPageFile = Annotated[
    Path | None,
    typer.Option(
        "--report", metavar="FILE", help="Write the result to this file too, as an HTML page."
    ),
]
Exact = Annotated[
    bool,
    typer.Option("--exact", help="Simulate every second; resample no steady interval."),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Scenarios at once; by default one a core, in real time three."
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="URL", help="Scheduler of a Dask cluster whose workers judge instead."),
]
Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help="Run in real time on a real stack, notifications included.",
        rich_help_panel=REAL_TIME_PANEL,
    ),
]
BothClocks = Annotated[
    bool,
    typer.Option(
        "--both",
        help="Run in real time, replay in virtual time, and compare the timelines.",
        rich_help_panel=REAL_TIME_PANEL,
    ),
]
Limit = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="Stop each scenario after this much real time; 13m by default for the whole library.",
        rich_help_panel=REAL_TIME_PANEL,
    ),
]

ForeignPrometheus = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Your Prometheus, instead of one of ours.",
        rich_help_panel=FOREIGN_PANEL,
    ),
]
ForeignAlertmanager = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Your Alertmanager, instead of one of ours.",
        rich_help_panel=FOREIGN_PANEL,
    ),
]
SdFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File to write the world's address to, for `file_sd_configs`.",
        rich_help_panel=FOREIGN_PANEL,
    ),
]

ReplayedRules = Annotated[
    list[Path],
    typer.Option("--rules", metavar="FILE...", help="Rule files or folders to replay."),
]
AgainstRules = Annotated[
    list[Path] | None,
    typer.Option(
        "--against", metavar="FILE...", help="Another version of the rules, to compare with."
    ),
]
HistoryPrometheus = Annotated[
    str, typer.Option("--prometheus", metavar="URL", help="Your Prometheus; it is only read.")
]
FromInstant = Annotated[
    str | None,
    typer.Option("--from", metavar="T", help="Start: RFC3339, Unix seconds, or so long ago (7d)."),
]
ToInstant = Annotated[
    str | None, typer.Option("--to", metavar="T", help="End, as --from; `now` by default.")
]
LastPeriod = Annotated[
    str | None, typer.Option("--last", metavar="DURATION", help="Instead: from so long ago to now.")
]
ReplayJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
ReplayFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder for the result, and for progress meanwhile."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where an ended run stopped, by what --out keeps.")
]
ReplayFailOver = Annotated[
    float | None,
    typer.Option(
        "--fail-over", min=0, metavar="N", help="Status 1 when an alert fires more often a day."
    ),
]
RequestPause = Annotated[
    str | None,
    typer.Option("--pause", metavar="DURATION", help="Wait so long between two requests."),
]
ForeignTimeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="DURATION", help="Wait so long for an answer; 130s."),
]
RequestHeaders = Annotated[
    list[str] | None,
    typer.Option(
        "--header", metavar="NAME=VALUE", help="Header of every request; may be repeated."
    ),
]
ServerTokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file", metavar="FILE", help="File with the token to send as `Bearer TOKEN`."
    ),
]
EngineNames = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        help="Who judges: prometheus, victoria-metrics, a program's path, or a URL; given twice,"
        " say what differs.",
        rich_help_panel=ENGINE_PANEL,
    ),
]
RemoteWrite = Annotated[
    str | None,
    typer.Option(
        "--remote-write",
        metavar="URL",
        help="Where samples are written for an --engine that is a URL.",
        rich_help_panel=ENGINE_PANEL,
    ),
]
EngineHeaders = Annotated[
    list[str] | None,
    typer.Option(
        "--engine-header",
        metavar="NAME=VALUE",
        help="Header of every request to an --engine that is a URL; may be repeated.",
        rich_help_panel=ENGINE_PANEL,
    ),
]
