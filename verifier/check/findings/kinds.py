"""Every kind of finding: its stable id, how much it weighs, what it means, and the way out.

The one table of ids: text, JSON, SARIF, silences and docs/check.md all take them from here. An id
is never renamed, for silence files name it. `also` are the names of the same rule in other linters
(`pint/...` of pint, `dashboard-linter/...` of Grafana's).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
"""Error: it can never do what it says. Warning: it misleads. Info: worth knowing, fails nothing."""


@dataclass(frozen=True, slots=True)
class FindingKind:
    """A kind of finding; `way_out` completes "to mend it:"."""

    id: str
    severity: Severity
    title: str
    way_out: str
    also: tuple[str, ...] = ()


_EXPORTED: Final = (
    FindingKind("phantom-metric", "error", "A metric that nobody exports",
                "correct the name, or export the metric", ("pint/promql/series",)),
    FindingKind("phantom-label", "error", "A label that no series of the metric has",
                "correct the label, or name one that the server adds with --target-label",
                ("pint/promql/series",)),
    FindingKind("phantom-label-value", "error", "A label value that is never exported",
                "correct the value", ("pint/promql/series",)),
    FindingKind("near-label-value", "warning", "A label value that looks like another, misspelt",
                "correct the value, or silence this where both exist"),
    FindingKind("phantom-bucket", "error", "A bucket bound that the histogram does not have",
                "use one of its bounds, spelt as it is exported", ("pint/promql/series",)),
    FindingKind("empty-metric", "info", "Legitimately empty: declared, and no series so far",
                "nothing, if its first event is still to come; else start it at 0"),
    FindingKind("empty-child", "info", "Legitimately empty: a label value that was not counted yet",
                "nothing, if it is still to come; else create it at 0, so that its first count"
                " is not lost"),
    FindingKind("only-with-cells", "info", "A label that series have in systems of several cells"
                " alone",
                "nothing, if the rules are for such systems alone; --target-label cell says so"),
    FindingKind("rate-of-gauge", "error", "A rate of what may fall",
                "use delta() or deriv(), or the value itself", ("pint/promql/rate",)),
    FindingKind("rate-of-aggregate", "error", "A rate of a sum: restarts of one counter look like"
                " jumps of all", "take the rate first, then sum", ("pint/promql/rate",)),
    FindingKind("raw-counter", "warning", "A counter without rate(): it only says how long it has"
                " been counting", "wrap it in rate() or increase()",
                ("pint/promql/counter", "dashboard-linter/target-counter-agg-rule")),
    FindingKind("delta-of-counter", "warning", "delta() or deriv() of a counter takes restarts for"
                " falls", "use increase() or rate()", ("pint/promql/counter",)),
    FindingKind("quantile-of-no-histogram", "error", "A quantile of what is no histogram",
                "read the _bucket series of a histogram"),
)  # fmt: skip
_MEANING: Final = (
    FindingKind("short-range", "error", "A range shorter than two scrapes",
                "widen the range to four scrapes", ("pint/promql/rate",)),
    FindingKind("narrow-range", "warning", "A range that one failed scrape empties",
                "widen the range to four scrapes", ("pint/promql/rate",)),
    FindingKind("range-beyond-retention", "error", "A range longer than what is kept",
                "keep data longer, and say so with --retention", ("pint/promql/range_query",)),
    FindingKind("prometheus3-left-end", "warning", "A range whose left end decides",
                "do not let it depend on a single sample: Prometheus 3 leaves the left end out"),
    FindingKind("top-bucket", "error", "A threshold that no quantile can reach",
                "add buckets above the threshold, or lower it"),
    FindingKind("threshold-between-buckets", "info", "A threshold that is no bucket bound",
                "add a bucket at the threshold: between two bounds a quantile is interpolated"),
    FindingKind("per-series-threshold", "warning", "A threshold on each child of a counter alone",
                "sum before the comparison, if the threshold is meant for all of them"),
    FindingKind("mismatched-labels", "error", "Two sides that never meet",
                "match with on(), ignoring() or group_left, or sum both by the same labels",
                ("pint/promql/vector_matching",)),
    FindingKind("many-to-many", "error", "Several series on both sides of a match: it fails when"
                " it is evaluated", "sum the one side, or say group_left or group_right",
                ("pint/promql/vector_matching",)),
    FindingKind("zero-by-zero", "warning", "0/0 is NaN, which is never above or below anything",
                "add an alert for no traffic at all (`== 0` or absent())"),
    FindingKind("percent-twice", "warning", "A percentage of a percentage",
                "show the value without humanizePercentage, or leave out the 100 *"),
    FindingKind("split-quantile", "warning", "A quantile of each label set",
                "sum by (le) inside of histogram_quantile()"),
    FindingKind("quantile-without-le", "error", "A quantile without the label le has no value",
                "keep le: sum by (le)"),
    FindingKind("single-window-burn", "warning", "A burn rate over a single window",
                "add a window of a twelfth with `and`"),
    FindingKind("silent-hours", "info", "Silent at some hours, by the clock",
                "leave the guard out, or say why in the silence file"),
    FindingKind("silent-when-absent", "warning", "Silent when the data vanish",
                "add an alert with absent()"),
    FindingKind("repeated-condition", "warning", "The same condition twice",
                "remove one of the two"),
    FindingKind("other-histogram", "warning", "Alert and dashboard read different metrics",
                "let both read the same histogram"),
    FindingKind("panel-threshold", "warning", "A panel turns colour elsewhere than its alert fires",
                "give the panel the alert's threshold"),
    FindingKind("panel-unit", "warning", "A panel's unit and its query differ by a hundred",
                "use the unit percent for 0 to 100 and percentunit for 0 to 1"),
    FindingKind("template-residue", "error", "A template of another engine is shown as it stands",
                "remove {% raw %} and its end"),
    FindingKind("unreachable-route", "error", "A route that no alert reaches",
                "correct its matchers, or move it before the route that takes its alerts"),
    FindingKind("routing", "warning", "Routing that notifies other than it seems",
                "see the reason"),
    FindingKind("unused-silence", "warning", "A silence that silences nothing",
                "remove it, or correct what it names"),
    FindingKind("duplicate-rule", "error", "Two rules that record, or alert, the same series",
                "remove one, or give it a label of its own", ("pint/rule/duplicate",)),
)  # fmt: skip
_PINT: Final = (
    FindingKind("pint/alerts/comparison", "warning", "An alert without a comparison",
                "compare with a threshold: it fires for every series that there is"),
    FindingKind("pint/alerts/template", "error", "A template asks for a label that is not there",
                "keep the label in the aggregation, or leave it out of the text"),
    FindingKind("pint/alerts/annotation", "info", "An alert that explains nothing",
                "add a summary"),
    FindingKind("pint/alerts/for", "info", "A `for` that says nothing",
                "leave out `for: 0s`, which is the default"),
    FindingKind("pint/alerts/absent", "warning", "absent() without `for` fires at every restart"
                " of the server", "add a `for` of at least two scrapes"),
    FindingKind("pint/promql/regexp", "info", "A regular expression that is none",
                "use = or !=, and no anchors: matchers are anchored"),
    FindingKind("pint/promql/impossible", "error", "A condition that always or never holds",
                "compare a measured value"),
    FindingKind("pint/promql/fragile", "info", "It breaks when a label is added",
                "aggregate with by() on both sides of the operator"),
)  # fmt: skip
_BOARDS: Final = tuple(
    FindingKind(f"dashboard-linter/{rule}", "info", title, way_out)
    for rule, title, way_out in (
        ("template-datasource-rule", "No variable for the data source",
         "add a variable of type datasource"),
        ("template-job-rule", "No variable for the job", "add label_values(..., job)"),
        ("template-instance-rule", "No variable for the instance",
         "add label_values(..., instance)"),
        ("template-on-time-change-reload-rule", "A variable that is not asked again",
         "let it refresh on time range change"),
        ("panel-datasource-rule", "A panel with a data source of its own",
         "use the variable of the data source"),
        ("panel-title-description-rule", "A panel without title or description", "add both"),
        ("panel-units-rule", "A panel without a unit", "choose a unit"),
        ("panel-no-targets-rule", "A panel without a query", "add a query or remove the panel"),
        ("target-rate-interval-rule", "A rate over a range of its own",
         "use $__rate_interval"),
        ("target-job-rule", "A query that does not name the job", 'add job=~"$job"'),
        ("target-instance-rule", "A query that does not name the instance",
         'add instance=~"$instance"'),
        ("uneditable-dashboard", "A dashboard that can be edited where it is served",
         "say editable: false, for what is kept in a repository"),
    )
)  # fmt: skip
_UNREADABLE: Final = (
    FindingKind("dashboard-linter/target-promql-rule", "error", "A query that is no PromQL",
                "correct the query", ("pint/promql/syntax",)),
)  # fmt: skip

KINDS: Final = {kind.id: kind for kind in (*_EXPORTED, *_MEANING, *_PINT, *_BOARDS, *_UNREADABLE)}
"""Every kind by its id, in the order of the tables."""
